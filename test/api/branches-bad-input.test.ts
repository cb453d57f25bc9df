import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { papers } from '../../activities/agency/papers.ts';
import { createActivities, type Activities } from '../../activities/create-activities.ts';
import { holidaysOf } from '../../activities/holidays.ts';
import { holidaySets } from '../../worker/holiday-sets.ts';
import { newInvoice, NOW, startApi, type Harness, type Reply, type TestCreditor } from './harness.ts';
import { NO_PROVIDERS } from '../support/no-providers.ts';

/**
 * What the branches are given that they cannot take (issue "Every branch to its end", "Bad input"): each ends in an error
 * with a code or in a task, and nothing is lost or half done. Commands are played by the turn itself, without Temporal.
 */

const DAY = 86_400_000;
let h: Harness;
let own: TestCreditor;
let now = NOW;
let activities: Activities;
let customers = 0;

const POLICY = {
  name: 'ours',
  steps: [{ key: 'one', day: 1, from: 'due', channel: 'letter', template: 'reminder' }],
  contact: { days: 'mon-sun', from: '00:00', to: '24:00', minimumGapDays: 0, maximumPer30Days: 100, holidays: 'none' },
  formalNotice: { day: 3, channel: 'registeredLetter', deadlineDays: 2, dispatchDays: 1, approval: 'approver' },
  placement: { daysAfterNotice: 0, approval: 'approver' },
  writeOff: { afterPlacementDays: 90, below: {}, approval: 'approver' },
};
const ADDRESS = { lines: ['4 place du Marché'], postalCode: '21000', city: 'Dijon', country: 'FR' };

beforeAll(async () => {
  h = await startApi();
  const clock = {
    setting: { anchorReal: 0, anchorBusiness: 0, dayMs: DAY },
    now: () => now,
    delayUntil: () => 0,
  };
  activities = createActivities({
    db: h.db,
    clock,
    holidays: holidaysOf,
    holidaySet: holidaySets(clock),
    log: pino({ level: 'silent' }),
    commands: { execute: () => Promise.resolve(null) },
    agencies: {
      mailer: { send: () => Promise.resolve({ kind: 'accepted' as const, providerId: 'none' }) },
      openSecret: (sealed) => sealed,
      papers,
    },
    feeds: NO_PROVIDERS,
  });
  h.commands.execute = async ({ invoiceId, commandId }) => {
    const { outcomes = [] } = await turn(invoiceId, [commandId]);
    return outcomes.find((outcome) => outcome.id === commandId)!;
  };
  await openBook();
});
afterAll(() => h.stop());
beforeEach(() => goTo(0));

async function openBook(): Promise<void> {
  own = await h.creditor({
    address: { lines: ['1 rue Ravel'], postalCode: '75001', city: 'Paris', country: 'FR' },
    registrationId: '73282932000074',
  });
  expect((await h.call(own.approver, 'PUT', '/v1/policies/ours', POLICY)).status).toBe(200);
}

function goTo(days: number): void {
  now = NOW + days * DAY;
  h.setNow(now);
}

async function turn(invoiceId: string, commands: string[] = []) {
  const { run } = await h.db.selectFrom('invoices').select('run').where('id', '=', invoiceId).executeTakeFirstOrThrow();
  return await activities.turn({ invoiceId, run, commands, known: null });
}

/** A turn of the case and a look of its outreach. */
async function live(invoice: { id: string; customerId: string }): Promise<void> {
  await turn(invoice.id);
  await activities.planOutreach({ customerId: invoice.customerId });
  await turn(invoice.id);
}

const post = (url: string, body: unknown, key = own.approver): Promise<Reply> => h.call(key, 'POST', url, body);
const get = async (url: string) => (await h.call(own.approver, 'GET', url)).body;
const because = { reason: 'As the customer was told.' };

function customer(over: Record<string, unknown> = {}) {
  customers += 1;
  const reference = `BAD-${customers}`;
  return { reference, name: 'Maison Perrault', kind: 'business', country: 'FR', address: ADDRESS, ...over };
}

const invoice = (over: Record<string, unknown> = {}) =>
  newInvoice(h, own.operator, { customer: customer(), policy: 'ours', ...over });

const tasksOf = async (invoiceOrCustomer: { id: string; customerId: string }, kind: string) =>
  (await get(`/v1/tasks?kind=${kind}&limit=200`)).data.filter(
    (task: { invoiceId?: string; customerId?: string }) =>
      task.invoiceId === invoiceOrCustomer.id || (!task.invoiceId && task.customerId === invoiceOrCustomer.customerId),
  );

/** An invoice whose reminder was posted, at the question whether its notice may leave. */
async function atApproval() {
  const one = await invoice();
  goTo(1);
  await live(one);
  const [letter] = (await get(`/v1/contacts?invoiceId=${one.id}`)).data;
  const dispatched = { status: 'dispatched', on: '2026-11-21' };
  expect((await post(`/v1/contacts/${letter.id}/delivery`, dispatched)).status).toBe(200);
  goTo(4);
  await live(one);
  const [task] = await tasksOf(one, 'approve');
  expect(task).toMatchObject({ status: 'open', role: 'approver' });
  return { one, task };
}

/** An invoice whose notice was posted, and whose deadline is past. */
async function noticed() {
  const { one, task } = await atApproval();
  expect((await post(`/v1/tasks/${task.id}/completion`, { decision: 'approved' })).status).toBe(200);
  await live(one);
  const letter = (await get(`/v1/contacts?invoiceId=${one.id}`)).data.find(
    (contact: { kind: string }) => contact.kind === 'formalNotice',
  );
  expect((await post(`/v1/contacts/${letter.id}/delivery`, { status: 'delivered', on: '2026-11-24' })).status).toBe(
    200,
  );
  goTo(8);
  await live(one);
  return one;
}

async function placed() {
  const one = await noticed();
  const asked = (await tasksOf(one, 'approve')).find((task: { status: string }) => task.status === 'open');
  const answer = { decision: 'approved', agencyId: own.agencyId };
  expect((await post(`/v1/tasks/${asked.id}/completion`, answer)).status).toBe(200);
  await live(one);
  const placements = (await h.call(own.agency, 'GET', '/v1/placements')).body.data;
  const placement = placements.find((p: { invoiceId: string }) => p.invoiceId === one.id);
  expect(placement).toBeDefined();
  return { one, placement };
}

const TABLES = [
  'case_steps',
  'contacts',
  'contact_items',
  'holds',
  'plans',
  'plan_invoices',
  'placements',
  'insolvencies',
  'tasks',
  'receipts',
  'allocations',
  'journal_entries',
  'postings',
  'agency_messages',
  'agency_reports',
  'template_versions',
  'policies',
  'rollouts',
  'events',
  'outbox',
] as const;

/** Everything that could be half done. */
async function everything(): Promise<unknown> {
  const rows: Record<string, unknown> = {};
  for (const table of TABLES) {
    const all = await h.db
      .selectFrom(table as 'tasks')
      .selectAll()
      .execute();
    rows[table] = all
      .map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
      .sort();
  }
  rows['invoices'] = await h.db
    .selectFrom('invoices')
    .select(['id', 'stage', 'run', 'balance_minor', 'written_off_minor', 'recovered_minor', 'event_count'])
    .orderBy('id')
    .execute();
  return rows;
}

async function refusedWholly(send: () => Promise<Reply>, expected: string): Promise<void> {
  const before = await everything();
  const reply = await send();
  expect(`${reply.status} ${reply.body.code}`).toBe(expected);
  expect(await everything()).toEqual(before);
}

describe('a plan', () => {
  const halves = [
    { dueOn: '2026-12-15', amount: '600.00' },
    { dueOn: '2027-01-15', amount: '600.00' },
  ];

  test('that does not add up, or begins in the past', async () => {
    const one = await invoice();
    const short = [halves[0], { dueOn: '2027-01-15', amount: '599.99' }];
    await refusedWholly(() => post('/v1/plans', { invoiceIds: [one.id], instalments: short }), '422 planDoesNotAddUp');
    const past = [{ dueOn: '2026-11-19', amount: '600.00' }, halves[1]];
    await refusedWholly(() => post('/v1/plans', { invoiceIds: [one.id], instalments: past }), '422 instalmentInPast');
  });

  test('over invoices of two customers, or in two currencies', async () => {
    const [one, stranger] = [await invoice(), await invoice()];
    const sum = [{ dueOn: '2026-12-15', amount: '2400.00' }];
    const both = { invoiceIds: [one.id, stranger.id], instalments: sum };
    await refusedWholly(() => post('/v1/plans', both), '422 planSeveralCustomers');
    const same = customer();
    const euros = await invoice({ customer: same });
    const dollars = await invoice({ customer: same, currency: 'USD' });
    const mixed = { invoiceIds: [euros.id, dollars.id], instalments: sum };
    await refusedWholly(() => post('/v1/plans', mixed), '422 planSeveralCurrencies');
  });

  test('over a disputed part', async () => {
    const one = await invoice();
    expect((await post(`/v1/invoices/${one.id}/disputes`, { amount: '10.00', category: 'price' })).status).toBe(201);
    const plan = { invoiceIds: [one.id], instalments: halves };
    await refusedWholly(() => post('/v1/plans', plan), '409 partDisputed');
  });
});

describe('a formal notice', () => {
  test('is not sent for an amount that was paid between its approval and its letter', async () => {
    const { one, task } = await atApproval();
    expect((await post(`/v1/tasks/${task.id}/completion`, { decision: 'approved' })).status).toBe(200);
    const payment = { amount: '200.00', currency: 'EUR', receivedOn: '2026-11-24' };
    expect((await post(`/v1/invoices/${one.id}/payments`, payment)).status).toBe(201);
    // Outreach is first: it has nothing to write for the old amount.
    await activities.planOutreach({ customerId: one.customerId });
    await live(one);
    expect((await get(`/v1/contacts?invoiceId=${one.id}`)).data.map((c: { kind: string }) => c.kind)).toEqual([
      'reminder',
    ]);
    const asked = (await tasksOf(one, 'approve')).filter((t: { status: string }) => t.status === 'open');
    expect(asked).toHaveLength(1);
    expect(asked[0].body).toContain('1000.00 EUR');
  });

  test('approved for an amount that is no longer owed: the question is put anew', async () => {
    const { one, task } = await atApproval();
    const payment = { amount: '200.00', currency: 'EUR', receivedOn: '2026-11-24' };
    expect((await post(`/v1/invoices/${one.id}/payments`, payment)).status).toBe(201);
    const reply = await post(`/v1/tasks/${task.id}/completion`, { decision: 'approved' });
    expect(`${reply.status} ${reply.body.code}`).toBe('409 nothingToApprove');
    const all = await tasksOf(one, 'approve');
    expect(all.map((t: { status: string }) => t.status).sort()).toEqual(['cancelled', 'open']);
    await refusedWholly(
      () => post(`/v1/tasks/${task.id}/completion`, { decision: 'approved' }),
      '409 nothingToApprove',
    );
  });

  test('for a case that is settled, or paid and not yet closed', async () => {
    const { one } = await atApproval();
    const payment = { amount: '1200.00', currency: 'EUR', receivedOn: '2026-11-24' };
    expect((await post(`/v1/invoices/${one.id}/payments`, payment)).status).toBe(201);
    const early = await post(`/v1/invoices/${one.id}/formal-notice`, because);
    expect(`${early.status} ${early.body.code}`).toBe('409 nothingOwed');
    await turn(one.id);
    expect((await get(`/v1/invoices/${one.id}`)).stage).toBe('settled');
    await refusedWholly(() => post(`/v1/invoices/${one.id}/formal-notice`, because), '409 caseClosed');
    expect((await get(`/v1/contacts?invoiceId=${one.id}`)).data).toHaveLength(1);
  });

  test('by an operator asks for the approval, which the answer shows', async () => {
    const one = await invoice();
    goTo(1);
    await live(one);
    const reply = await post(`/v1/invoices/${one.id}/formal-notice`, because, own.operator);
    expect(reply.status).toBe(200);
    expect(reply.body.holds).toMatchObject([{ kind: 'approval', until: null, amount: null }]);
    const [task] = await tasksOf(one, 'approve');
    expect(task).toMatchObject({ status: 'open', role: 'approver' });
    await refusedWholly(
      () => post(`/v1/tasks/${task.id}/completion`, { decision: 'approved' }, own.operator),
      '403 forbidden',
    );
    await refusedWholly(() => post(`/v1/invoices/${one.id}/formal-notice`, because, own.operator), '409 approvalAsked');
  });
});

describe('with an agency', () => {
  test('recall of what was never placed; resume of what is not paused', async () => {
    const one = await invoice();
    await turn(one.id);
    await refusedWholly(() => post(`/v1/invoices/${one.id}/recall`, because), '409 notPlaced');
    await refusedWholly(() => post(`/v1/invoices/${one.id}/resume`, because), '409 notPaused');
    await refusedWholly(
      () => post(`/v1/invoices/${one.id}/placement`, { ...because, agencyId: own.agencyId }),
      '409 stageForbids',
    );
  });

  test('a report from a foreign key, and more than is owed', async () => {
    const { one, placement } = await placed();
    const made = await post('/v1/agencies', { name: 'Zweite', deliverBy: 'download' });
    const foreign = await h.call(h.adminKey, 'POST', `/v1/creditors/${own.id}/keys`, {
      name: 'another agency',
      role: 'agency',
      agencyId: made.body.id,
    });
    const paid = (amount: string) => ({ kind: 'payment', amount, on: '2026-11-28' });
    const reports = `/v1/placements/${placement.id}/reports`;
    await refusedWholly(() => post(reports, paid('100.00'), foreign.body.key), '404 notFound');
    await refusedWholly(() => post(reports, paid('1200.01'), own.agency), '422 exceedsBalance');
    await refusedWholly(() => h.call(own.agency, 'GET', `/v1/invoices/${one.id}`), '403 forbidden');
    expect((await get(`/v1/invoices/${one.id}`)).balance).toBe('1200.00');
  });
});

describe('a write-off', () => {
  test('twice: once it is booked, the second is refused', async () => {
    const one = await invoice();
    await turn(one.id);
    await refusedWholly(() => post(`/v1/invoices/${one.id}/write-off`, because, own.operator), '403 forbidden');
    const given = await post(`/v1/invoices/${one.id}/write-off`, because);
    expect(given.status).toBe(200);
    expect(given.body).toMatchObject({ balance: '0.00', writtenOff: '1200.00' });
    await refusedWholly(() => post(`/v1/invoices/${one.id}/write-off`, because), '409 caseClosed');
  });

  test('of a case whose message is on its way', async () => {
    const mail = customer({ contacts: [{ email: 'billing@perrault.example' }] });
    const steps = [{ key: 'one', day: 1, channel: 'email', template: 'reminder' }];
    await h.call(own.approver, 'PUT', '/v1/policies/by-mail', { ...POLICY, name: 'by-mail', steps });
    const one = await invoice({ customer: mail, policy: 'by-mail' });
    goTo(1);
    await live(one);
    expect((await get(`/v1/contacts?invoiceId=${one.id}`)).data).toMatchObject([{ status: 'queued' }]);
    const given = await post(`/v1/invoices/${one.id}/write-off`, because);
    expect(given.status).toBe(200);
    expect((await get(`/v1/invoices/${one.id}`)).stage).toBe('writtenOff');
  });
});

test('a write-off under a plan ends it at what was paid, and frees its other invoice', async () => {
  const same = customer();
  const [one, other] = [await invoice({ customer: same }), await invoice({ customer: same })];
  const instalments = [{ dueOn: '2026-12-15', amount: '2400.00' }];
  const plan = (await post('/v1/plans', { invoiceIds: [one.id, other.id], instalments })).body;
  const payment = { amount: '200.00', currency: 'EUR', receivedOn: '2026-11-20' };
  await post(`/v1/invoices/${one.id}/payments`, payment);
  await turn(one.id);
  expect((await post(`/v1/invoices/${one.id}/write-off`, because)).status).toBe(200);
  expect(await get(`/v1/plans/${plan.id}`)).toMatchObject({ status: 'cancelled', paid: '200.00' });
  expect((await get(`/v1/invoices/${other.id}`)).holds).toEqual([]);
});

test('a letter is taken back as long as nobody printed it, also after a batch that failed', async () => {
  await openBook();
  const one = await invoice();
  goTo(1);
  await live(one);
  const [letter] = (await get(`/v1/contacts?invoiceId=${one.id}`)).data;
  // As a batch leaves it that was broken off between its look and its file.
  await h.db.updateTable('contacts').set({ status: 'sending' }).where('id', '=', letter.id).execute();
  const payment = { amount: '200.00', currency: 'EUR', receivedOn: '2026-11-21' };
  await post(`/v1/invoices/${one.id}/payments`, payment);
  const reply = await post('/v1/print-batches', {});
  expect(`${reply.status} ${reply.body.code}`).toBe('409 nothingToPrint');
  expect((await get(`/v1/contacts/${letter.id}`)).status).toBe('withdrawn');
  await live(one);
  const again = (await get(`/v1/contacts?invoiceId=${one.id}`)).data.find(
    (c: { status: string }) => c.status === 'queued',
  );
  expect(again.items).toMatchObject([{ amount: '1000.00' }]);
});

test('an insolvency of tomorrow', async () => {
  const one = await invoice();
  const body = { kind: 'liquidation', judgmentOn: '2026-11-21' };
  await refusedWholly(() => post(`/v1/customers/${one.customerId}/insolvency`, body), '422 futureDate');
});

test('a roll-out to a policy that lacks the step a case is at: the case stays, and the list says why', async () => {
  await h.call(own.approver, 'PUT', '/v1/policies/rolled', { ...POLICY, name: 'rolled' });
  const one = await invoice({ policy: 'rolled' });
  goTo(1);
  await live(one);
  const steps = [{ ...POLICY.steps[0], key: 'other' }];
  await h.call(own.approver, 'PUT', '/v1/policies/rolled', { ...POLICY, name: 'rolled', steps });
  const { body } = await post('/v1/policies/rolled/rollout', {});
  await activities.planRollout({ rolloutId: body.id });
  await activities.moveCases({ rolloutId: body.id, isLastRound: true });
  const { data } = await get(`/v1/rollouts/${body.id}/cases`);
  expect(data).toMatchObject([{ invoiceId: one.id, status: 'refused', code: 'stepMissing' }]);
  expect((await get(`/v1/invoices/${one.id}`)).policy).toEqual({ name: 'rolled', version: 1 });
});

describe('a template', () => {
  const words = { language: 'fr', subject: 'Rappel', lead: 'Bonjour', close: 'Merci' };
  test.each([
    ['with a loop without end', '{% for i in (1..1000000000) %}a{% endfor %}', 'templateTooCostly'],
    ['with a variable nobody knows', '{{ client.nom }}', 'unknownVariable'],
    ['with a script', '<script>alert(1)</script>', 'htmlNotAllowed'],
  ])('%s', async (_, lead, fault) => {
    await refusedWholly(async () => {
      const reply = await h.call(own.approver, 'PUT', '/v1/templates/reminder', { ...words, lead });
      expect(reply.body.errors).toMatchObject([{ pointer: '/lead', code: fault }]);
      return reply;
    }, '422 templateInvalid');
  });
});

describe('a letter', () => {
  test('to an address of six lines is printed', async () => {
    const lines = [
      'Service comptabilité',
      'Bâtiment B',
      '3e étage',
      'Zone des Grands Prés',
      '4 place du Marché',
      'BP 12',
    ];
    const one = await invoice({ customer: customer({ address: { ...ADDRESS, lines } }) });
    goTo(1);
    await live(one);
    expect(await tasksOf(one, 'notWritten')).toEqual([]);
    const contacts = (await get(`/v1/contacts?invoiceId=${one.id}`)).data;
    expect(contacts).toMatchObject([{ channel: 'letter', status: 'queued' }]);
    expect(await tasksOf(one, 'letter')).toMatchObject([{ status: 'open' }]);
  });

  test.each([
    ['Arabic', 'شركة التجارة'],
    ['Chinese', '上海贸易有限公司'],
  ])('to a name in %s becomes a task, and the case goes on', async (_, name) => {
    const one = await invoice({ customer: customer({ name }) });
    goTo(1);
    await live(one);
    expect((await get(`/v1/contacts?invoiceId=${one.id}`)).data).toEqual([]);
    const [task] = await tasksOf(one, 'notWritten');
    expect(task).toMatchObject({ status: 'open' });
    expect(JSON.stringify(task)).not.toContain(name);
    const { data } = await get(`/v1/invoices/${one.id}/timeline`);
    expect(data.map((event: { kind: string }) => event.kind)).toContain('contactFailed');
    const after = await get(`/v1/invoices/${one.id}`);
    expect(after.next).not.toBeNull();
  });
});

test.each(['a returned payment', 'a decided dispute', 'a promise taken back', 'a later due date'])(
  'a letter that nobody posted is taken back after %s, and asks for what is owed then',
  async (what) => {
    const one = await invoice();
    const url = `/v1/invoices/${one.id}`;
    const part = { amount: '200.00' };
    const undo = {
      'a returned payment': async () => {
        const payment = { ...part, currency: 'EUR', receivedOn: '2026-11-20' };
        expect((await post(`${url}/payments`, payment)).status).toBe(201);
        const { id } = await h.db
          .selectFrom('allocations')
          .select('id')
          .where('invoice_id', '=', one.id)
          .executeTakeFirstOrThrow();
        return () => h.call(own.operator, 'DELETE', `/v1/allocations/${id}`);
      },
      'a decided dispute': async () => {
        const { id } = (await post(`${url}/disputes`, { ...part, category: 'price' })).body;
        return () => post(`/v1/disputes/${id}/resolution`, { outcome: 'rejected' });
      },
      'a promise taken back': async () => {
        const { id } = (await post(`${url}/promises`, { ...part, payOn: '2026-12-01' })).body;
        return () => h.call(own.operator, 'DELETE', `/v1/promises/${id}`);
      },
      'a later due date': () =>
        Promise.resolve(() => h.call(own.operator, 'PATCH', url, { dueOn: '2026-12-31', reason: 'As was agreed.' })),
    }[what]!;
    const then = await undo();
    goTo(1);
    await live(one);
    const [letter] = (await get(`/v1/contacts?invoiceId=${one.id}`)).data;
    expect(letter).toMatchObject({ status: 'queued' });
    expect((await then()).status).toBeLessThan(300);
    expect((await get(`/v1/contacts/${letter.id}`)).status).toBe('withdrawn');
    const [task] = await tasksOf(one, 'letter');
    const late = await post(`/v1/tasks/${task.id}/completion`, { sentOn: '2026-11-21' });
    expect(`${late.status} ${late.body.code}`).toBe('409 taskClosed');
    await live(one);
    const again = (await get(`/v1/contacts?invoiceId=${one.id}&status=queued`)).data;
    if (what === 'a later due date') expect(again).toEqual([]);
    else expect(again).toMatchObject([{ items: [{ amount: '1200.00' }] }]);
  },
);
