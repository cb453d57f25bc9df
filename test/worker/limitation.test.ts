import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderAgain } from '../../activities/render-again.ts';
import { replayCase } from '../../api/replay-case.ts';
import { recordLifecycle } from '../../db/repositories/lifecycle.ts';
import { answerAcknowledgement, recordLimitationEvent } from '../../db/repositories/limitation-events.ts';
import { addInvoice } from '../support/book.ts';
import { openWorld, REMINDERS, type World } from './world.ts';

let world: World;
let id: string;
/** Barred after Thursday 10 September 2026. */
const OLD = { issuedOn: '2021-08-11', dueOn: '2021-09-10' };

// Late when it arrives, it waits for a person: nothing wakes it but what this is about.
beforeEach(async () => {
  world = await openWorld({ ...REMINDERS, entry: 'hold' });
  id = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, OLD);
});
afterEach(() => world.close());

const warnings = async () =>
  (
    await world.db
      .selectFrom('tasks')
      .selectAll()
      .where('invoice_id', '=', id)
      .where('kind', '=', 'limitationNear')
      .orderBy('seq')
      .execute()
  ).map((task) => ({ days: task.data['days'], on: task.data['on'], status: task.status }));
const told = async () =>
  (await world.db.selectFrom('events').select(['kind', 'data']).where('invoice_id', '=', id).orderBy('n').execute())
    .filter(({ kind, data }) => kind === 'taskOpened' && data['kind'] === 'limitationNear')
    .map(({ data }) => data['days']);
async function replayed() {
  const invoice = await world.db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const replay = await replayCase(world.db, invoice, renderAgain);
  expect(replay.differences).toEqual([]);
}

/** Walks from wake-up to wake-up as the workflow does, until the case sleeps beyond that day. */
async function walkTo(day: string): Promise<void> {
  for (;;) {
    await world.turn(id);
    const row = await world.db.selectFrom('invoices').select('wake_at').where('id', '=', id).executeTakeFirstOrThrow();
    const until = Date.parse(`${day}T12:00:00Z`);
    if (row.wake_at === null || row.wake_at > until) break;
    world.goTo(new Date(row.wake_at).toISOString());
  }
  world.goTo(`${day}T12:00:00Z`);
}

test('a case warns 180, 90 and 30 days before it is barred, once each, by its own timer, and then says that it is', async () => {
  await walkTo('2026-03-13');
  expect(await warnings()).toEqual([]);
  await walkTo('2026-03-14');
  expect(await warnings()).toEqual([{ days: 180, on: '2026-09-10', status: 'open' }]);
  await walkTo('2026-06-12');
  await world.turn(id);
  expect(await warnings()).toMatchObject([
    { days: 180, status: 'missed' },
    { days: 90, status: 'open' },
  ]);
  await walkTo('2026-09-12');
  expect(await told()).toEqual([180, 90, 30]);
  const barred = await world.db.selectFrom('tasks').select('kind').where('kind', '=', 'timeBarred').execute();
  expect(barred).toHaveLength(1);
  await replayed();
});

test('it names the next legal step: small claims by bailiff up to 5,000 EUR, else an order to pay', async () => {
  const large = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
    ...OLD,
    amountMinor: 500_001n,
  });
  world.goTo('2026-08-20T08:00:00Z');
  await world.turn(id);
  await world.turn(large);
  const bodies = await world.db
    .selectFrom('tasks')
    .select(['invoice_id', 'body', 'data'])
    .where('kind', '=', 'limitationNear')
    .execute();
  const of = (invoiceId: string) => bodies.find((task) => task.invoice_id === invoiceId)!;
  // Late, it warns once: the 30 days take the place of those before.
  expect(bodies).toHaveLength(2);
  expect(of(id).data['steps']).toEqual(['smallClaims', 'paymentOrder', 'courtClaim']);
  expect(of(id).body).toContain('Next step: The simplified procedure for small claims');
  expect(of(large).data['steps']).toEqual(['paymentOrder', 'courtClaim']);
});

test('a confirmed acknowledgement moves the day for the case too, which warns again in its time', async () => {
  world.goTo('2026-08-20T08:00:00Z');
  await world.turn(id);
  const { row } = await world.within((tx, act) =>
    recordLimitationEvent(tx, act, world.creditor.id, {
      invoiceId: id,
      kind: 'acknowledgement',
      on: '2026-08-19',
      until: null,
      note: null,
    }),
  );
  await world.turn(id);
  await replayed();
  world.goTo('2026-08-21T08:00:00Z');
  await world.within((tx, act) => answerAcknowledgement(tx, act, world.creditor.id, row.id, 'confirmed'));
  const { next } = await world.db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  expect(next?.reason).not.toBe('timeBarred');
  world.goTo('2026-09-20T08:00:00Z');
  await world.turn(id);
  const kinds = (await world.db.selectFrom('tasks').select('kind').where('invoice_id', '=', id).execute()).map(
    (t) => t.kind,
  );
  expect(kinds).not.toContain('timeBarred');
  await walkTo('2031-02-21');
  expect(await warnings()).toMatchObject([
    { days: 30, on: '2026-09-10' },
    { days: 180, on: '2031-08-19' },
  ]);
  await replayed();
});

test('a refused e-invoice holds its case, one on its way to be paid rests it, and both replay', async () => {
  world.goTo('2026-03-06T09:00:00Z');
  await world.turn(id);
  const report = (code: '210' | '211', at: string) =>
    world.within((tx, act) =>
      recordLifecycle(tx, act, world.creditor.id, {
        invoiceId: id,
        code,
        at: Date.parse(at),
        amountMinor: null,
        reason: null,
      }),
    );
  await report('211', '2026-03-05T08:00:00Z');
  expect(await world.turn(id)).toMatchObject({ holds: expect.arrayContaining(['pause']) });
  const { wake_at: wake } = await world.db
    .selectFrom('invoices')
    .select('wake_at')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  // Seven days, to the end of 12 March in Paris.
  expect(new Date(wake!).toISOString()).toBe('2026-03-12T23:00:00.000Z');
  await walkTo('2026-03-13');
  await report('210', '2026-03-13T08:00:00Z');
  expect(await world.turn(id)).toMatchObject({ holds: expect.arrayContaining(['pause']) });
  await replayed();
});
