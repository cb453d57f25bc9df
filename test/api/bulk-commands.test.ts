import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCommandCases } from '../../activities/command-cases.ts';
import { findCommands, storeOutcome } from '../../db/repositories/commands.ts';
import { inTransaction } from '../../db/database.ts';
import { BULK_KINDS, bulkCommandOf } from '../../domain/case/bulk.ts';
import { commandUpdates } from '../../workflows/messages.ts';
import { newInvoice, NOW, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let us: TestCreditor;
/** What cases were asked, and what they answer: `null` is no answer in time. */
let asked: { invoiceId: string; commandId: string; name: string }[];
let answers: (invoiceId: string) => { accepted: boolean; code: string | null } | null;

beforeAll(async () => {
  h = await startApi();
});
afterAll(() => h.stop());
beforeEach(async () => {
  us = await h.creditor();
  asked = [];
  answers = () => ({ accepted: true, code: null });
});

const bulk = (body: object, key = us.operator) => h.call(key, 'POST', '/v1/invoices/bulk', body);
const get = async (id: string) => (await h.call(us.operator, 'GET', `/v1/bulk-commands/${id}`)).body;
const casesOf = async (id: string, query = '') =>
  (await h.call(us.operator, 'GET', `/v1/bulk-commands/${id}/cases?limit=200${query}`)).body.data;
const run = (bulkId: string, isLastRound = false) =>
  createCommandCases({
    db: h.db,
    clock: { now: () => NOW },
    commands: {
      execute: async (command) => {
        asked.push(command);
        const outcome = answers(command.invoiceId);
        if (outcome) await inTransaction(h.db, (tx) => storeOutcome(tx, command.commandId, outcome));
        return outcome;
      },
    },
  })({ bulkId, isLastRound });

const PAUSE = { kind: 'pause', reason: 'The bank is on strike.', until: '2026-12-01' };

async function invoices(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push((await newInvoice(h, us.operator)).id);
  return ids;
}

async function confirmed(body: { filter: object; command: object }, key = us.operator): Promise<string> {
  const dry = await bulk(body, key);
  const real = await bulk({ ...body, dryRun: false, dryRunId: dry.body.id }, key);
  expect(real.status).toBe(202);
  return real.body.id;
}

describe('a dry run', () => {
  test('lists the cases that match and those that are certain to refuse, and asks nobody', async () => {
    const [closed, paused, third] = await invoices(3);
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', closed!).execute();
    const { customer_id, creditor_id } = await h.db
      .selectFrom('invoices')
      .select(['customer_id', 'creditor_id'])
      .where('id', '=', paused!)
      .executeTakeFirstOrThrow();
    await h.db
      .insertInto('holds')
      .values({
        id: `hol_${paused!.slice(4)}`,
        creditor_id,
        customer_id,
        invoice_id: paused!,
        kind: 'pause',
        from_on: '2026-11-20',
        actor: 'x',
        at: new Date(NOW),
      })
      .execute();
    const { status, body } = await bulk({ filter: {}, command: PAUSE });
    expect(status).toBe(202);
    expect(body).toMatchObject({ kind: 'pause', dryRun: true, status: 'done', total: 2, pending: 1, refused: 1 });
    const cases = await casesOf(body.id);
    expect(cases).toMatchObject([
      { invoiceId: third, status: 'pending', code: null },
      { invoiceId: paused, status: 'refused', code: 'alreadyPaused' },
    ]);
    const first = (await h.call(us.operator, 'GET', `/v1/bulk-commands/${body.id}/cases?limit=1`)).body;
    expect([...first.data, ...(await casesOf(body.id, `&cursor=${first.nextCursor}`))]).toEqual(cases);
    expect(await h.db.selectFrom('outbox').selectAll().where('kind', '=', 'startBulk').execute()).toEqual([]);
    const settled = await bulk({ filter: { stage: 'settled' }, command: PAUSE });
    expect(await casesOf(settled.body.id)).toMatchObject([{ invoiceId: closed, code: 'caseClosed' }]);
  });

  test('takes every filter of the list, and numbers', async () => {
    const [one] = await invoices(2);
    const row = (await h.call(us.operator, 'GET', `/v1/invoices/${one}`)).body;
    const total = async (filter: object) => (await bulk({ filter, command: PAUSE })).body.total;
    expect(await total({ numbers: [row.number, 'nowhere'] })).toBe(1);
    expect(await total({ customerId: row.customerId })).toBe(1);
    expect(await total({ dueBefore: '2026-11-19' })).toBe(0);
    expect(await total({ dueAfter: '2026-11-18', stage: 'upcoming' })).toBe(2);
    expect(await total({ hold: 'dispute' })).toBe(0);
  });
});

describe('carried out', () => {
  test('asks only the listed cases, each once, with actor and reason', async () => {
    const ids = await invoices(3);
    const bulkId = await confirmed({ filter: {}, command: PAUSE });
    const later = await newInvoice(h, us.operator);
    expect((await h.db.selectFrom('outbox').selectAll().where('target', '=', bulkId).execute())[0]?.kind).toBe(
      'startBulk',
    );
    answers = (id) => (id === ids[0] ? { accepted: false, code: 'alreadyPaused' } : { accepted: true, code: null });
    expect(await run(bulkId)).toEqual({ left: 0 });
    expect(await get(bulkId)).toMatchObject({ status: 'done', total: 3, done: 2, refused: 1, pending: 0 });
    expect(await casesOf(bulkId, '&status=refused')).toMatchObject([{ invoiceId: ids[0], code: 'alreadyPaused' }]);
    expect(asked.map((a) => a.invoiceId).sort()).toEqual([...ids].sort());
    expect(asked.some((a) => a.invoiceId === later.id)).toBe(false);
    const [command] = await findCommands(h.db, ids[1]!, [asked.find((a) => a.invoiceId === ids[1])!.commandId]);
    expect(command).toMatchObject({
      kind: 'pause',
      args: { until: '2026-12-01', role: 'operator' },
      act: { actor: 'operator', reason: PAUSE.reason },
    });
    expect(command!.id).toMatch(/^cmd_[a-z0-9]+$/);
    // Again, as after a crash: nobody is asked twice.
    expect(await run(bulkId)).toEqual({ left: 0 });
    expect(asked).toHaveLength(3);
  });

  test('goes on where it was killed, with the same command of each case', async () => {
    const ids = await invoices(6);
    const bulkId = await confirmed({ filter: {}, command: PAUSE });
    const healthy = answers;
    answers = (id) => {
      if (id === ids[2]) throw new Error('killed');
      return healthy(id);
    };
    await expect(run(bulkId)).rejects.toThrow('killed');
    answers = healthy;
    await run(bulkId);
    expect(await get(bulkId)).toMatchObject({ status: 'done', done: 6 });
    const commands = await h.db
      .selectFrom('commands')
      .select(['id', 'invoice_id'])
      .where('invoice_id', 'in', ids)
      .execute();
    expect(commands).toHaveLength(6);
    for (const id of ids) expect(new Set(asked.filter((a) => a.invoiceId === id).map((a) => a.commandId)).size).toBe(1);
  });

  test('a case that does not answer is asked again, in the end it counts as refused; a closed one is not asked', async () => {
    const [silent, closed] = await invoices(2);
    const bulkId = await confirmed({ filter: {}, command: PAUSE });
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', closed!).execute();
    answers = () => null;
    expect(await run(bulkId)).toEqual({ left: 1 });
    expect(await get(bulkId)).toMatchObject({ status: 'running', pending: 1, refused: 1 });
    expect(await run(bulkId, true)).toEqual({ left: 0 });
    expect(await casesOf(bulkId)).toMatchObject([
      { invoiceId: closed, code: 'caseClosed' },
      { invoiceId: silent, code: 'outcomeUnknown' },
    ]);
    expect(asked.map((a) => a.invoiceId)).toEqual([silent, silent]);
  });

  test('reopens closed cases that owe something', async () => {
    const [owed, settled] = await invoices(2);
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', owed!).execute();
    await h.db
      .updateTable('invoices')
      .set({ stage: 'settled', balance_minor: 0n })
      .where('id', '=', settled!)
      .execute();
    const body = { filter: {}, command: { kind: 'reopen', reason: 'Once more.' } };
    const dry = await bulk(body);
    expect(dry.body).toMatchObject({ total: 2, pending: 1, refused: 1 });
    const real = await bulk({ ...body, dryRun: false, dryRunId: dry.body.id });
    await run(real.body.id);
    expect(await get(real.body.id)).toMatchObject({ done: 1, total: 1 });
    const timeline = (await h.call(us.operator, 'GET', `/v1/invoices/${owed}/timeline`)).body.data;
    expect(timeline.at(-1)).toMatchObject({ kind: 'reopened', actor: 'operator' });
    expect(asked).toEqual([]);
  });

  test('needs a dry run of the very same, once', async () => {
    await invoices(1);
    const body = { filter: {}, command: PAUSE };
    const dry = (await bulk(body)).body.id;
    const refused = async (over: object) => (await bulk({ ...body, dryRun: false, ...over })).body;
    expect(await refused({})).toMatchObject({ status: 409, code: 'dryRunNeeded' });
    expect(await refused({ dryRunId: dry, filter: { stage: 'reminding' } })).toMatchObject({ code: 'dryRunNeeded' });
    expect(await refused({ dryRunId: dry, command: { ...PAUSE, until: '2026-12-02' } })).toMatchObject({
      code: 'dryRunNeeded',
    });
    expect(await refused({ dryRunId: `blk_${'0'.repeat(26)}` })).toMatchObject({ code: 'dryRunNeeded' });
    const others = us;
    us = await h.creditor();
    expect(await refused({ dryRunId: dry })).toMatchObject({ code: 'dryRunNeeded' });
    us = others;
    const both = await Promise.all([0, 1].map(() => bulk({ ...body, dryRun: false, dryRunId: dry })));
    expect(both.map((reply) => reply.status).sort((a, b) => a - b)).toEqual([202, 409]);
    expect(await refused({ dryRunId: dry })).toMatchObject({ code: 'dryRunNeeded' });
  });

  test.each([
    [{ filter: {}, command: { kind: 'shout', reason: 'x' } }],
    [{ filter: {}, command: { kind: 'resume', reason: 'x', until: '2026-12-01' } }],
    [{ filter: {}, command: { kind: 'pause' } }],
    [{ filter: {}, command: { kind: 'recall', reason: 'x', agencyId: `agy_${'0'.repeat(26)}` } }],
    [{ filter: { colour: 'red' }, command: PAUSE }],
    [{ filter: {}, command: PAUSE, dryRun: true, dryRunId: `blk_${'0'.repeat(26)}` }],
  ])('%j is not valid', async (body) => {
    expect((await bulk(body)).body).toMatchObject({ status: 422, code: 'validationFailed' });
  });
});

test('an agency that is not the creditor’s is refused', async () => {
  const command = { kind: 'placement', reason: 'x', agencyId: `agy_${'0'.repeat(26)}` };
  expect((await bulk({ filter: {}, command })).body).toMatchObject({ status: 422, code: 'unknownAgency' });
});

test('whatever cases understand can be asked of many; what only approvers may is theirs here, too', async () => {
  const single = BULK_KINDS.filter((kind) => {
    const { update } = bulkCommandOf(kind);
    return update !== null && Object.hasOwn(commandUpdates, update);
  });
  for (const kind of [...single, 'reopen'] as const) {
    const body = { filter: {}, command: { kind, reason: 'x' } };
    expect((await bulk(body)).status).toBe(bulkCommandOf(kind).role === 'approver' ? 403 : 202);
    expect((await bulk(body, us.approver)).status).toBe(202);
  }
  expect(single).toEqual(BULK_KINDS.filter((kind) => kind !== 'reopen'));
});
