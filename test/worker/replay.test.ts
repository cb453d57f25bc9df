import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { renderAgain } from '../../activities/render-again.ts';
import { replayCase, type Replay, type ReplayDifference } from '../../api/replay-case.ts';
import { json } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import { recordCreditNote } from '../../db/repositories/credit-notes.ts';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { erasePersonalData } from '../../db/repositories/erasure.ts';
import { liftHold, setHold } from '../../db/repositories/holds.ts';
import { changeDueOn } from '../../db/repositories/invoices.ts';
import { recordLifecycle } from '../../db/repositories/lifecycle.ts';
import { recordLimitationEvent } from '../../db/repositories/limitation-events.ts';
import { makePromise, withdrawPromise } from '../../db/repositories/promises.ts';
import { reopenCase } from '../../db/repositories/runs.ts';
import { undoWriteOff } from '../../db/repositories/write-offs.ts';
import { addDays } from '../../domain/time/dates.ts';
import { isoInstant, localDate } from '../../domain/time/zones.ts';
import type { CommandName } from '../../workflows/messages.ts';
import { addInvoice } from '../support/book.ts';
import { addAgency, openWorld, type World } from './world.ts';

const DAY = 86_400_000;
/** `REPLAY_DAYS=400` looks further. */
const LIFE_DAYS = Number(process.env['REPLAY_DAYS'] ?? 45);

const POLICY = {
  steps: [
    { key: 'note', day: -3, from: 'due', channel: 'email', template: 'before-due' },
    { key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'call', day: 12, from: 'due', channel: 'call', template: 'call-script' },
    { key: 'two', day: 20, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
    { key: 'last', day: 30, from: 'due', channel: 'email', template: 'last-reminder', tone: 'final' },
  ],
  formalNotice: null,
  placement: null,
  writeOff: null,
  thankYou: 'thank-you',
  approvalAbove: { EUR: '2000.00' },
  minimumAmount: { EUR: '10.00' },
};

/** The same, walked to its legal end. */
const BRANCHES = {
  ...POLICY,
  steps: POLICY.steps.slice(0, 2),
  formalNotice: { day: 12, from: 'due', channel: 'email', deadlineDays: 8, dispatchDays: 3, approval: 'operator' },
  placement: { daysAfterNotice: 10, approval: 'operator' },
  writeOff: { afterPlacementDays: 30, below: { EUR: '30.00' }, approval: 'approver' },
};

let world: World;

async function replay(invoiceId: string): Promise<Replay> {
  const invoice = await world.db
    .selectFrom('invoices')
    .selectAll()
    .where('id', '=', invoiceId)
    .executeTakeFirstOrThrow();
  return await replayCase(world.db, invoice, renderAgain);
}

/** Numbers that are always the same. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What may happen to an invoice on some day; what its state refuses does not happen. */
const DEEDS: readonly ((invoiceId: string, today: string, pick: (below: number) => number) => Promise<unknown>)[] = [
  (id, _, pick) => world.pay(id, BigInt(10_000 + pick(60_000))),
  (id) => balanceOf(id).then((balance) => (balance > 0n ? world.pay(id, balance) : undefined)),
  (id, today, pick) => promise(id, { payOn: addDays(today, pick(20)), amountMinor: pick(2) === 0 ? null : 20_000n }),
  (id) =>
    world.within(async (tx, act) => {
      const row = await tx
        .selectFrom('promises')
        .select('id')
        .where('invoice_id', '=', id)
        .orderBy('seq', 'desc')
        .executeTakeFirst();
      if (row) await withdrawPromise(tx, act, world.creditor.id, row.id);
    }),
  (id, _, pick) =>
    world.within((tx, act) =>
      openDispute(tx, act, world.creditor.id, {
        invoiceId: id,
        amountMinor: pick(2) === 0 ? null : 5_000n,
        category: 'price',
        note: 'too dear',
      }),
    ),
  (id, _, pick) =>
    world.within(async (tx, act) => {
      const row = await tx
        .selectFrom('disputes')
        .select('id')
        .where('invoice_id', '=', id)
        .where('status', '=', 'open')
        .executeTakeFirst();
      if (!row) return;
      await resolveDispute(tx, act, world.creditor.id, row.id, {
        outcome: pick(2) === 0 ? 'upheld' : 'rejected',
        creditMinor: null,
        note: null,
      });
    }),
  (id, today, pick) => command(id, 'pause', pick(2) === 0 ? {} : { until: addDays(today, 6) }),
  (id) =>
    world.within((tx, act) =>
      recordLimitationEvent(tx, act, world.creditor.id, {
        invoiceId: id,
        kind: 'courtClaim',
        on: localDate(act.at, 'Europe/Paris'),
        until: null,
        note: null,
      }),
    ),
  (id, _, pick) =>
    world.within((tx, act) =>
      recordLifecycle(tx, act, world.creditor.id, {
        invoiceId: id,
        code: (['205', '208', '209', '210', '211'] as const)[pick(5)]!,
        at: act.at,
        amountMinor: null,
        reason: null,
      }),
    ),
  (id) => command(id, 'resume', {}),
  (id) => command(id, 'skipStep', {}),
  (id, today, pick) =>
    world.within((tx, act) => changeDueOn(tx, act, world.creditor.id, id, addDays(today, pick(15) - 5))),
  (id) =>
    world.within(async (tx, act) => {
      const row = await tx
        .selectFrom('allocations as a')
        .leftJoin('allocation_reversals as r', 'r.allocation_id', 'a.id')
        .select('a.id')
        .where('a.invoice_id', '=', id)
        .where('a.receipt_id', 'is not', null)
        .where('r.allocation_id', 'is', null)
        .executeTakeFirst();
      if (row) await undoAllocation(tx, act, row.id, 'returned');
    }),
  (id, today) =>
    world.within((tx, act) =>
      recordCreditNote(tx, act, {
        customerId: world.customer.id,
        invoiceId: id,
        number: newId('cno'),
        amountMinor: 3_000n,
        currency: 'EUR',
        issuedOn: today,
      }),
    ),
  (_, today) =>
    world.within((tx, act) =>
      setHold(tx, act, {
        customerId: world.customer.id,
        invoiceId: null,
        kind: 'customer',
        untilOn: addDays(today, 3),
      }),
    ),
  () =>
    world.within(async (tx, act) => {
      const row = await tx
        .selectFrom('holds')
        .select('id')
        .where('kind', '=', 'customer')
        .where('lifted_on', 'is', null)
        .executeTakeFirst();
      if (row) await liftHold(tx, act, row.id);
    }),
];

/** What a person does beyond the ladder. */
const BRANCH_DEEDS: typeof DEEDS = [
  (id) => command(id, 'stepNow', {}),
  (id) => command(id, 'sendFormalNotice', { role: 'approver' }),
  (id, _, pick) => command(id, 'place', { role: pick(2) === 0 ? 'approver' : 'operator' }),
  (id) => command(id, 'recall', {}),
  (id, _, pick) => (pick(3) === 0 ? command(id, 'writeOff', {}) : Promise.resolve()),
  (id, today) =>
    world.within(async (tx, act) => {
      await undoWriteOff(tx, act, id, today);
      await reopenCase(tx, act, id);
    }),
  (id) => world.pay(id, 10_000n),
];

const promise = (invoiceId: string, what: { payOn: string; amountMinor: bigint | null }) =>
  world.within((tx, act) => makePromise(tx, act, world.creditor.id, { invoiceId, by: null, ...what }));

async function balanceOf(id: string): Promise<bigint> {
  const row = await world.db
    .selectFrom('invoices')
    .select('balance_minor')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return row.balance_minor;
}

async function command(invoiceId: string, kind: CommandName | 'stepNow', args: Record<string, string>) {
  const id = newId('cmd');
  await world.within((tx, act) => insertCommand(tx, act, { id, invoiceId, kind, args }));
  await turn(invoiceId, [id]);
}

async function turn(invoiceId: string, commands: string[] = []): Promise<void> {
  const { run } = await world.db
    .selectFrom('invoices')
    .select('run')
    .where('id', '=', invoiceId)
    .executeTakeFirstOrThrow();
  await world.activities.turn({ invoiceId, run, commands, known: null });
}

/** What waits for a person is approved or refused. */
async function answer(pick: (below: number) => number): Promise<void> {
  const tasks = await world.db
    .selectFrom('tasks')
    .select(['id', 'invoice_id'])
    .where('kind', '=', 'approve')
    .where('status', '=', 'open')
    .execute();
  for (const task of tasks) {
    if (pick(3) === 0) continue;
    await command(task.invoice_id!, 'approve', { taskId: task.id, decision: pick(3) === 0 ? 'refused' : 'approved' });
  }
}

/** Months of a customer's invoices, day by day, with something happening to one of them now and then. */
async function live(seed: number, invoices: number, days: number, deeds: typeof DEEDS): Promise<string[]> {
  const pick = chance(seed);
  const begin = Date.parse('2026-03-05T09:00:00Z');
  const ids: string[] = [];
  for (let day = 0; day < days; day += 1) {
    const now = begin + day * DAY;
    world.goTo(isoInstant(now));
    const today = localDate(now, 'Europe/Paris');
    if (ids.length < invoices && day % 3 === 0) {
      ids.push(
        await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
          issuedOn: addDays(today, -40),
          dueOn: addDays(today, pick(20) - 12),
          amountMinor: pick(4) === 0 ? 300_000n : 120_000n,
        }),
      );
    }
    if (pick(2) === 0 && ids.length > 0) {
      const deed = deeds[pick(deeds.length)]!;
      await deed(ids[pick(ids.length)]!, today, pick).catch((error: unknown) => {
        if ((error as { code?: string }).code === undefined) throw error;
      });
    }
    await answer(pick);
    world.provider.next.push(...(pick(15) === 0 ? [{ kind: 'refused' as const, code: 'invalid', message: 'no' }] : []));
    for (const id of ids) await turn(id);
    await world.plan();
    if (pick(6) > 0) await world.send();
  }
  return ids;
}

describe('a case is derived again from its record', () => {
  afterEach(() => world.close());

  test.each([
    [1, 'on its ladder', POLICY, DEEDS],
    [2, 'on its ladder', POLICY, DEEDS],
    [3, 'to its legal end', BRANCHES, [...DEEDS.slice(0, 6), ...BRANCH_DEEDS]],
    [5, 'to its legal end', BRANCHES, [...DEEDS.slice(0, 6), ...BRANCH_DEEDS]],
  ])('whatever happens to it: life %d, %s', async (seed, _, policy, deeds) => {
    world = await openWorld(policy);
    await addAgency(world);
    const ids = await live(seed, 4, LIFE_DAYS, deeds);
    const sum = { decisions: 0, messages: 0 };
    const differences: ReplayDifference[] = [];
    for (const id of ids) {
      const one = await replay(id);
      differences.push(...one.differences);
      sum.decisions += one.decisions;
      sum.messages += one.messages;
      expect(one.unrecorded).toBe(0);
    }
    expect(differences.slice(0, 5)).toEqual([]);
    // Something was proved.
    expect(sum.decisions).toBeGreaterThan(15);
    expect(sum.messages).toBeGreaterThan(4);
  });
});

describe('what was tampered with differs', () => {
  let id: string;
  beforeAll(async () => {
    world = await openWorld(POLICY);
    world.goTo('2026-03-05T09:00:00Z');
    id = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-02-01',
      dueOn: '2026-03-10',
    });
    for (const day of ['2026-03-05', '2026-03-09', '2026-03-16', '2026-03-17']) {
      world.goTo(`${day}T09:00:00Z`);
      await turn(id);
      await world.plan();
      await world.send();
    }
    await world.pay(id, 20_000n);
    await promise(id, { payOn: '2026-03-20', amountMinor: null });
    world.goTo('2026-03-24T09:00:00Z');
    await turn(id);
    expect(await replay(id)).toMatchObject({ equal: true, differences: [] });
  });
  afterAll(() => world.close());

  /** Does it, replays, and does it back. */
  async function tampered(change: ReturnType<typeof sql>, back: ReturnType<typeof sql>) {
    const run = async (statement: ReturnType<typeof sql>): Promise<void> => {
      await world.db.transaction().execute(async (tx) => {
        await sql`set local session_replication_role = replica`.execute(tx);
        await statement.execute(tx);
      });
    };
    await run(change);
    const found = await replay(id);
    await run(back);
    expect((await replay(id)).equal).toBe(true);
    return found.differences.map((d) => `${d.of}: ${d.what}`);
  }

  test('a recorded decision, recorded facts, an event', async () => {
    expect(
      await tampered(
        sql`update case_decisions set decisions = jsonb_set(decisions, '{0,acts,0,step}', '"two"') where invoice_id = ${id} and n = 1`,
        sql`update case_decisions set decisions = jsonb_set(decisions, '{0,acts,0,step}', '"note"') where invoice_id = ${id} and n = 1`,
      ),
    ).toEqual(expect.arrayContaining(['record: turn 1', 'decision: turn 1, decision 1, acts.0.step']));
    const facts = await tampered(
      sql`update case_decisions set facts = jsonb_set(facts, '{balanceMinor}', '"#5"') where invoice_id = ${id} and n = 3`,
      sql`update case_decisions set facts = jsonb_set(facts, '{balanceMinor}', '"#100000"') where invoice_id = ${id} and n = 3`,
    );
    expect(facts).toEqual(expect.arrayContaining(['record: turn 3', 'facts: turn 3, balanceMinor']));
    expect(
      await tampered(
        sql`update events set data = data || '{"amount": "100.00"}' where invoice_id = ${id} and kind = 'paymentAllocated'`,
        sql`update events set data = data || '{"amount": "200.00"}' where invoice_id = ${id} and kind = 'paymentAllocated'`,
      ),
    ).toContain('facts: turn 3, balanceMinor');
  });

  test('a text, an amount, a plan', async () => {
    const contact = await world.db.selectFrom('contacts').selectAll().orderBy('seq').limit(1).executeTakeFirstOrThrow();
    expect(
      await tampered(
        sql`update contacts set subject = 'Pay at once' where id = ${contact.id}`,
        sql`update contacts set subject = ${contact.subject} where id = ${contact.id}`,
      ),
    ).toEqual([`message: ${contact.id}, words.subject`]);
    expect(
      await tampered(
        sql`update contact_items set amount_minor = 130000 where contact_id = ${contact.id}`,
        sql`update contact_items set amount_minor = 120000 where contact_id = ${contact.id}`,
      ),
    ).toEqual([`message: ${contact.id}, amounts.${id} note`, `message: ${contact.id}, total.EUR`]);
    const [look] = await world.db.selectFrom('outreach_decisions').selectAll().orderBy('id').execute();
    expect(
      await tampered(
        sql`update outreach_decisions set plan = jsonb_set(plan, '{messages,0,tone}', '"final"') where id = ${look!.id}`,
        sql`update outreach_decisions set plan = ${json(look!.plan)}::jsonb where id = ${look!.id}`,
      ),
    ).toEqual([`record: look ${look!.id}`, `plan: look ${look!.id}, messages.0.tone`]);
  });

  test('an erased text is told apart from one that differs', async () => {
    await world.pay(id, 100_000n);
    await turn(id);
    await world.plan();
    await world.send();
    const before = await replay(id);
    expect(before).toMatchObject({ equal: true, erased: 0 });
    await world.within((tx, act) =>
      erasePersonalData(tx, { ...act, reason: 'asked' }, world.creditor.id, world.customer.id, { all: true }),
    );
    expect(await replay(id)).toMatchObject({ equal: true, messages: 0, erased: before.messages });
  });

  test('a turn that only waits leaves no record, and a row is small', async () => {
    const { rows } = await sql<{ turns: number; bytes: number }>`
      select count(*)::int as turns, max(pg_column_size(d.*))::int as bytes from case_decisions d`.execute(world.db);
    expect(rows[0]!.turns).toBeLessThan(8);
    expect(rows[0]!.bytes).toBeLessThan(4_000);
    const looks = await sql<{
      bytes: number;
    }>`select max(pg_column_size(d.*))::int as bytes from outreach_decisions d`.execute(world.db);
    expect(looks.rows[0]!.bytes).toBeLessThan(5_000);
    const names = await sql<{ count: number }>`
      select count(*)::int as count from case_decisions where (facts::text || customer::text) ~* 'Maison|@|customer\\.example'`.execute(
      world.db,
    );
    expect(names.rows[0]!.count).toBe(0);
  });
});
