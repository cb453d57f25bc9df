import { afterEach, expect, it } from 'vitest';
import { loadClaim } from '../../db/repositories/claim-file.ts';
import { placeWithAgency } from '../../db/repositories/placements.ts';
import { claimFor } from '../../db/repositories/claims.ts';
import { newId } from '../../db/ids.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import { formatAmount } from '../../domain/money.ts';
import { addInvoice } from '../support/book.ts';
import { addAgency, openWorld, type World } from './world.ts';

/** What letters, agency file and API say is claimed is one and the same. */

const STEPS = [
  { key: 'one', day: 3, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
  { key: 'two', day: 12, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
];
const NOTICE = { day: 30, from: 'due', channel: 'email', deadlineDays: 8, dispatchDays: 3, approval: 'operator' };

let world: World;
afterEach(() => world.close());

async function opened(
  interest: Record<string, unknown>,
  own: Record<string, unknown> = {},
  policy: Record<string, unknown> = {},
): Promise<string> {
  world = await openWorld({
    steps: STEPS,
    formalNotice: NOTICE,
    placement: { daysAfterNotice: 10, approval: 'operator' },
    interest,
    ...policy,
  });
  const input = { issuedOn: '2026-01-29', dueOn: '2026-02-27', ...own };
  return await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, input);
}

async function step(id: string, at: string): Promise<string> {
  world.goTo(at);
  await world.turn(id);
  await world.plan();
  await world.send();
  return plain(world.provider.sent.at(-1)?.message.text);
}

const plain = (text: string | undefined): string => (text ?? '').replaceAll(/\s+/g, ' ');
/** As a French letter prints it. */
const french = (minor: bigint): string =>
  formatAmount(minor, 'EUR')
    .replace('.', ',')
    .replace(/(\d)(\d{3}),/, '$1 $2,');
const tasks = (kind: string) => world.db.selectFrom('tasks').selectAll().where('kind', '=', kind).execute();

async function sendNotice(id: string): Promise<string> {
  const cmd = newId('cmd');
  await world.within((tx, act) =>
    insertCommand(tx, act, { id: cmd, invoiceId: id, kind: 'sendFormalNotice', args: { role: 'approver' } }),
  );
  await world.activities.turn({ invoiceId: id, run: 1, commands: [cmd], known: null });
  await world.plan();
  await world.send();
  return plain(world.provider.sent.at(-1)?.message.text);
}

it('from the notice on: reminders ask for the principal, the notice for what GET …/claim answers on its day', async () => {
  const id = await opened({ claim: 'fromNotice' });
  expect(await step(id, '2026-03-05T09:00:00Z')).not.toContain('Intérêts de retard');
  world.goTo('2026-03-16T09:00:00Z');
  const notice = await sendNotice(id);
  const claim = await claimFor(world.db, id, '2026-03-16');
  expect(claim.compensationMinor).toBe(4_000n);
  expect(claim.interestMinor).toBeGreaterThan(0n);
  expect(notice).toContain(`Intérêts de retard, arrêtés au 16 mars 2026 : ${french(claim.interestMinor)} €`);
  expect(notice).toContain('Indemnité forfaitaire pour frais de recouvrement : 40,00 €');
  expect(notice).toContain(`Total à payer : ${french(claim.totalMinor)} €`);
  expect(notice).toContain(`à raison de ${french(claim.perDayMinor)} € par jour supplémentaire`);
});

it('from a step on: that step states it first', async () => {
  const id = await opened({ claim: 'two' });
  expect(await step(id, '2026-03-05T09:00:00Z')).not.toContain('Indemnité forfaitaire');
  expect(await step(id, '2026-03-16T09:00:00Z')).toContain(
    'Indemnité forfaitaire pour frais de recouvrement : 40,00 €',
  );
});

it('the file of an agency claims the same, with its periods', async () => {
  const id = await opened({ claim: 'always' });
  await step(id, '2026-03-05T09:00:00Z');
  world.goTo('2026-04-20T09:00:00Z');
  await addAgency(world);
  const agency = await world.db.selectFrom('agencies').select('id').executeTakeFirstOrThrow();
  const claim = await claimFor(world.db, id, '2026-04-20');
  const placementId = await world.within((tx, act) =>
    placeWithAgency(
      tx,
      act,
      { creditorId: world.creditor.id, customerId: world.customer.id, invoiceId: id, run: 1, currency: 'EUR' },
      { agencyId: agency.id, amountMinor: claim.principalMinor, on: '2026-04-20' },
    ),
  );
  const file = await loadClaim(world.db, placementId, world.deps.clock.now());
  expect(file!.facts.claim).toEqual(claim);
});

it('once the principal is paid and the policy claims on, the ladder asks for what is left, until it is paid', async () => {
  const id = await opened({ claim: 'always', whenPrincipalPaid: 'claim' });
  await step(id, '2026-03-05T09:00:00Z');
  const claim = await claimFor(world.db, id, '2026-03-05');
  await world.pay(id, claim.principalMinor + claim.interestMinor);
  await world.turn(id);
  const row = () => world.db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  expect(await row()).toMatchObject({ stage: 'reminding', balance_minor: 0n, accessories_minor: 4_000n });
  const reminder = await step(id, '2026-03-16T09:00:00Z');
  expect(reminder).toContain('la facture est réglée, restent les intérêts et indemnités de retard');
  expect(reminder).toContain('40,00 €');
  await world.pay(id, 4_000n);
  await world.turn(id);
  expect(await row()).toMatchObject({ stage: 'settled', accessories_minor: 0n });
  expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
});

it.each(['claim', 'waive'])(
  'cents that are tolerated settle the principal: what else is claimed is kept to %s',
  async (how) => {
    const id = await opened({ claim: 'always', whenPrincipalPaid: how }, {}, { tolerance: { EUR: '0.10' } });
    await step(id, '2026-03-05T09:00:00Z');
    const claim = await claimFor(world.db, id, '2026-03-05');
    const row = () => world.db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const short = how === 'claim' ? claim.principalMinor + claim.interestMinor - 8n : claim.principalMinor - 8n;
    if (how === 'waive') await world.pay(id, claim.interestMinor);
    await world.pay(id, short);
    const kinds = (await world.db.selectFrom('events').select('kind').where('invoice_id', '=', id).execute()).map(
      ({ kind }) => kind,
    );
    expect(await row()).toMatchObject({ balance_minor: 0n, accessories_minor: how === 'claim' ? 4_000n : 0n });
    expect(kinds.filter((kind) => kind === 'interestWaived')).toHaveLength(how === 'claim' ? 0 : 1);
  },
);

it('a rate that nobody has entered keeps no letter back: it goes without interest, and one task asks for the rate', async () => {
  const id = await opened({ claim: 'always' }, { issuedOn: '2026-11-01', dueOn: '2026-12-30' });
  const text = await step(id, '2027-01-05T09:00:00Z');
  expect(text).toContain('facture');
  expect(text).not.toContain('Intérêts de retard');
  expect(await tasks('rateUnknown')).toMatchObject([
    { data: { series: 'ecbMro', from: '2027-01-01' }, role: 'operator', status: 'open' },
  ]);
  await step(id, '2027-01-14T09:00:00Z');
  expect(await tasks('rateUnknown')).toHaveLength(1);
});

it('a clause below the floor is claimed as written, and an approver is asked to have it looked at', async () => {
  const id = await opened({ claim: 'always', contractRate: '5' });
  expect(await step(id, '2026-03-05T09:00:00Z')).toContain('Intérêts de retard');
  expect(await tasks('contractRateBelowFloor')).toMatchObject([{ role: 'approver', status: 'open' }]);
});
