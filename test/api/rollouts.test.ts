import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holidaysOf } from '../../activities/holidays.ts';
import { createMoveCases, createPlanRollout } from '../../activities/roll-out.ts';
import { newInvoice, NOW, startApi, type Harness, type TestCreditor } from './harness.ts';

const DAY = 86_400_000;
const step = (key: string, day: number) => ({ key, day, channel: 'email', template: 'reminder' });
const OLD = { name: 'ours', steps: [step('one', 5), step('two', 12), step('three', 19)], formalNotice: null };
const NEW = { name: 'ours', steps: [step('one', 8), step('two', 16)], formalNotice: null };

let h: Harness;
let us: TestCreditor;
let now = NOW;
const deps = () => ({ db: h.db, holidays: holidaysOf, clock: { now: () => now } });
const plan = (rolloutId: string) => createPlanRollout(deps())({ rolloutId });
const move = (rolloutId: string, isLastRound = false) => createMoveCases(deps())({ rolloutId, isLastRound });

beforeAll(async () => {
  h = await startApi();
});
afterAll(() => h.stop());

const put = (policy: object) => h.call(us.approver, 'PUT', '/v1/policies/ours', policy);
const rollOut = (body: object) => h.call(us.approver, 'POST', '/v1/policies/ours/rollout', body);
const get = async (id: string) => (await h.call(us.operator, 'GET', `/v1/rollouts/${id}`)).body;
const casesOf = async (id: string, query = '') =>
  (await h.call(us.operator, 'GET', `/v1/rollouts/${id}/cases?limit=200${query}`)).body.data;
const versionOf = async (id: string) => (await h.call(us.operator, 'GET', `/v1/invoices/${id}`)).body.policy.version;

/** A creditor with some invoices under version 1 of a policy that has a version 2 by now. */
async function begin(count = 3): Promise<string[]> {
  now = NOW;
  h.setNow(now);
  us = await h.creditor();
  await put(OLD);
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push((await newInvoice(h, us.operator, { policy: 'ours' })).id);
  await put(NEW);
  return ids;
}

describe('a dry run', () => {
  test('lists what is next before and after, and moves nothing', async () => {
    const ids = await begin();
    const asked = await rollOut({ dryRun: true });
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ policy: 'ours', version: 2, dryRun: true, status: 'planning', done: 0 });
    const messages = await h.db.selectFrom('outbox').selectAll().where('target', '=', asked.body.id).execute();
    expect(messages.map((m) => m.kind)).toEqual(['startRollout']);
    expect(await plan(asked.body.id)).toEqual({ moves: false });
    expect(await get(asked.body.id)).toMatchObject({
      status: 'done',
      total: 3,
      done: 3,
      listed: 3,
      changing: 3,
      moved: 0,
    });
    const cases = await casesOf(asked.body.id);
    expect(cases.map((c: { invoiceId: string }) => c.invoiceId).sort()).toEqual(ids.sort());
    expect(cases[0]).toMatchObject({
      status: 'listed',
      code: null,
      before: { at: '2026-11-24T07:30:00.000Z', action: 'task', step: 'one', contactsIn30Days: 0 },
      after: { at: '2026-11-27T07:30:00.000Z', step: 'one' },
    });
    expect(await versionOf(ids[0]!)).toBe(1);
    expect(await move(asked.body.id)).toEqual({ left: 0 });
    expect(await versionOf(ids[0]!)).toBe(1);
  });

  test('shows each contact, and pages through its cases', async () => {
    const contacts = [{ email: 'billing@customer.example', role: 'billing' }];
    await begin(5);
    const [one] = (await h.call(us.operator, 'GET', '/v1/customers')).body.data;
    await h.call(us.operator, 'PATCH', `/v1/customers/${one.id}`, { contacts });
    const { body } = await rollOut({ dryRun: true });
    await plan(body.id);
    const rows = await casesOf(body.id);
    const listed = rows.find((c: { after: { contacts: unknown[] } }) => c.after.contacts.length > 0);
    expect(listed.before.contacts.map((c: { on: string; step: string }) => `${c.step} ${c.on}`)).toEqual([
      'one 2026-11-24',
      'two 2026-12-01',
      'three 2026-12-08',
    ]);
    expect(listed.after).toMatchObject({ contactsIn30Days: 2, action: 'contact' });
    const first = (await h.call(us.operator, 'GET', `/v1/rollouts/${body.id}/cases?limit=2`)).body;
    const rest = await casesOf(body.id, `&cursor=${first.nextCursor}`);
    expect([...first.data, ...rest]).toEqual(rows);
  });

  test('of part of the cases, and of an older version', async () => {
    const [id] = await begin(3);
    const { customerId } = (await h.call(us.operator, 'GET', `/v1/invoices/${id}`)).body;
    const some = await rollOut({ dryRun: true, filter: { customerId } });
    await plan(some.body.id);
    expect(await get(some.body.id)).toMatchObject({ total: 1, filter: { customerId } });
    const none = await rollOut({ dryRun: true, filter: { stage: 'reminding' } });
    await plan(none.body.id);
    expect(await get(none.body.id)).toMatchObject({ total: 0, status: 'done' });
    const back = await rollOut({ dryRun: true, version: 1 });
    await plan(back.body.id);
    expect(await get(back.body.id)).toMatchObject({ total: 0, version: 1 });
  });
});

describe('a roll-out', () => {
  test('moves cases, says so on the timeline, and wakes case and outreach once', async () => {
    const [id] = await begin();
    const { body } = await rollOut({ reason: 'Softer from now on.' });
    expect(await plan(body.id)).toEqual({ moves: true });
    await h.db.deleteFrom('outbox').execute();
    expect(await move(body.id)).toEqual({ left: 0 });
    expect(await get(body.id)).toMatchObject({ status: 'done', total: 3, done: 3, moved: 3, listed: 0 });
    expect(await versionOf(id!)).toBe(2);
    const timeline = (await h.call(us.operator, 'GET', `/v1/invoices/${id}/timeline`)).body.data;
    expect(timeline.at(-1)).toMatchObject({
      kind: 'policyChanged',
      summary: 'Moved from version 1 to version 2 of the policy ours — Softer from now on.',
      data: { policy: 'ours', from: 1, to: 2, rolloutId: body.id },
    });
    const told = await h.db.selectFrom('outbox').select(['kind']).execute();
    expect(told.map((m) => m.kind).sort()).toEqual([...Array(3).fill('pokeOutreach'), ...Array(3).fill('signalCase')]);
    // Again, as after a crash: nothing more happens.
    expect(await plan(body.id)).toEqual({ moves: false });
    expect(await move(body.id)).toEqual({ left: 0 });
    expect(
      await h.db
        .selectFrom('events')
        .select('id')
        .where('kind', '=', 'policyChanged')
        .where('invoice_id', '=', id!)
        .execute(),
    ).toHaveLength(1);
  });

  test('goes on where it was killed, in listing and in moving, also twice at once', async () => {
    const ids = await begin(8);
    const { body } = await rollOut({});
    const dies = (after: number) => {
      let calls = 0;
      const clock = { now: () => ((calls += 1) > after ? fail() : now) };
      return { ...deps(), clock };
    };
    await expect(createPlanRollout(dies(3))({ rolloutId: body.id })).rejects.toThrow('killed');
    expect(await get(body.id)).toMatchObject({ status: 'planning', total: 8, done: 3 });
    await plan(body.id);
    expect(await get(body.id)).toMatchObject({ status: 'running', listed: 8, done: 0 });
    await expect(createMoveCases(dies(2))({ rolloutId: body.id, isLastRound: false })).rejects.toThrow('killed');
    expect(await get(body.id)).toMatchObject({ status: 'running', done: 2, moved: 2 });
    await Promise.all([move(body.id), move(body.id), move(body.id)]);
    expect(await get(body.id)).toMatchObject({ status: 'done', done: 8, moved: 8 });
    for (const id of ids) {
      const events = await h.db
        .selectFrom('events')
        .select('id')
        .where('invoice_id', '=', id)
        .where('kind', '=', 'policyChanged')
        .execute();
      expect(events).toHaveLength(1);
    }
  });

  test('refuses a case whose step the version lacks, and leaves closed ones', async () => {
    const [closed] = await begin(1);
    const stands = (await newInvoice(h, us.operator, { policy: 'ours' })).id;
    await h.db
      .updateTable('invoices')
      .set({ policy_version: 1, last_step_sent: 'three' })
      .where('id', '=', stands)
      .execute();
    const { body } = await rollOut({});
    await plan(body.id);
    expect(await casesOf(body.id, '&status=refused')).toMatchObject([{ invoiceId: stands, code: 'stepMissing' }]);
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', closed!).execute();
    await move(body.id);
    expect(await get(body.id)).toMatchObject({ status: 'done', total: 2, done: 2, refused: 1, skipped: 1, moved: 0 });
    expect(await versionOf(stands)).toBe(1);
  });

  test('waits for a message that is leaving; where it does not leave the case is refused', async () => {
    const [id] = await begin(1);
    const { body } = await rollOut({});
    await plan(body.id);
    const { customerId } = (await h.call(us.operator, 'GET', `/v1/invoices/${id}`)).body;
    await h.db
      .insertInto('case_steps')
      .values({
        invoice_id: id!,
        customer_id: customerId,
        step: 'one',
        status: 'queued',
        channel: 'email',
        planned_at: new Date(now),
        planned_on: '2026-11-20',
        at: new Date(now),
      })
      .execute();
    await h.db
      .updateTable('invoices')
      .set({ turned_at: new Date(now) })
      .where('id', '=', id!)
      .execute();
    expect(await move(body.id)).toEqual({ left: 1 });
    expect(await get(body.id)).toMatchObject({ status: 'running', listed: 1 });
    expect(await move(body.id, true)).toEqual({ left: 0 });
    expect(await casesOf(body.id)).toMatchObject([{ status: 'refused', code: 'stepUnderWay' }]);
    expect(await get(body.id)).toMatchObject({ status: 'done' });
  });

  test('of a dry run moves what that listed; what would come earlier by now differs and stays', async () => {
    const ids = await begin(2);
    const contacts = [{ email: 'billing@customer.example', role: 'billing' }];
    for (const id of ids) {
      const { customerId } = (await h.call(us.operator, 'GET', `/v1/invoices/${id}`)).body;
      await h.call(us.operator, 'PATCH', `/v1/customers/${customerId}`, { contacts });
    }
    const dispute = await h.call(us.operator, 'POST', `/v1/invoices/${ids[0]}/disputes`, { category: 'price' });
    const dry = await rollOut({ dryRun: true });
    expect((await rollOut({ dryRunId: dry.body.id })).body.code).toBe('dryRunNeeded');
    await plan(dry.body.id);
    await h.call(us.operator, 'POST', `/v1/disputes/${dispute.body.id}/resolution`, { outcome: 'rejected' });
    now = NOW + DAY;
    h.setNow(now);
    const real = await rollOut({ dryRunId: dry.body.id });
    expect(real.body).toMatchObject({ status: 'running', dryRun: false, dryRunId: dry.body.id, total: 2 });
    expect(await plan(real.body.id)).toEqual({ moves: true });
    await move(real.body.id);
    const rows = await casesOf(real.body.id);
    expect(Object.fromEntries(rows.map((c: { invoiceId: string; status: string }) => [c.invoiceId, c.status]))).toEqual(
      {
        [ids[0]!]: 'differs',
        [ids[1]!]: 'moved',
      },
    );
    expect(await versionOf(ids[0]!)).toBe(1);
    now = NOW + 31 * DAY;
    h.setNow(now);
    expect((await rollOut({ dryRunId: dry.body.id })).body.code).toBe('dryRunNeeded');
  });

  test('goes one at a time; dry runs beside it', async () => {
    await begin(1);
    const { body } = await rollOut({});
    expect((await rollOut({})).body).toMatchObject({ status: 409, code: 'rolloutRunning' });
    expect((await rollOut({ dryRun: true })).status).toBe(202);
    await plan(body.id);
    expect((await rollOut({})).status).toBe(409);
    await move(body.id);
    expect((await rollOut({})).status).toBe(202);
  });

  test.each([
    [{ version: 9 }, 404, 'notFound'],
    [{ version: 0 }, 422, 'validationFailed'],
    [{ dryRunId: `rol_${'0'.repeat(26)}` }, 404, 'notFound'],
    [{ dryRun: true, dryRunId: `rol_${'0'.repeat(26)}` }, 422, 'validationFailed'],
    [{ version: 2, dryRunId: `rol_${'0'.repeat(26)}` }, 422, 'validationFailed'],
    [{ filter: { colour: 'red' } }, 422, 'validationFailed'],
  ])('%j is refused with %d', async (body, status, code) => {
    await begin(0);
    expect((await rollOut(body)).body).toMatchObject({ status, code });
  });
});

function fail(): never {
  throw new Error('killed');
}
