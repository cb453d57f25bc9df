import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderAgain } from '../../activities/render-again.ts';
import { replayCase } from '../../api/replay-case.ts';
import { isOpenStage } from '../../db/repositories/runs.ts';
import { verifyCase } from '../../db/repositories/heads.ts';
import { verifyChain } from '../../db/repositories/events.ts';
import { check } from '../../db/repositories/ledger.ts';
import { openPlacement } from '../../db/repositories/placements.ts';
import { addCustomer, openBook } from '../support/book.ts';
import { DEEDS, Life, LIFE_POLICY, type Args } from './deeds.ts';
import { addAgency, openWorld, type World } from './world.ts';

/**
 * The model-based test in the database: the same kind of commands as `test/domain/case/deeds.ts`, through the real
 * activities and repositories on PostgreSQL. A life takes seconds, so there are fewer: the 100th part of `CASE_RUNS`.
 */
const NIGHTLY = Number(process.env['CASE_RUNS'] ?? 0);
const RUNS = { numRuns: NIGHTLY > 0 ? Math.max(1, Math.floor(NIGHTLY / 100)) : 8 };
const BEGIN = Date.parse('2026-03-05T09:00:00Z');

let world: World;
beforeAll(async () => {
  world = await openWorld(LIFE_POLICY);
});
afterAll(() => world.close());

/** What each invoice should owe, kept by hand. */
type Owed = Map<string, bigint>;

/** Deeds after which a balance may be another; only a write-off may change it besides. */
const MONEY = ['pay', 'payAll', 'undo', 'credit', 'resolve', 'reopen'];

class Command implements fc.AsyncCommand<Owed, Life> {
  readonly kind: string;
  readonly args: Args;

  constructor(kind: string, args: Args) {
    this.kind = kind;
    this.args = args;
  }

  check = (): boolean => true;

  async run(owed: Owed, life: Life): Promise<void> {
    const id = life.ids[this.args.whom % life.ids.length]!;
    await DEEDS[this.kind]!(life, id, this.args).catch((error: unknown) => {
      // What is refused has a code, and nothing of it has happened.
      if (!(error instanceof Error) || error.constructor.name !== 'DomainError') throw error;
    });
    await life.settle(this.args.days % 4 !== 3);
    for (const row of await life.rows()) {
      const before = owed.get(row.id)!;
      const due =
        this.kind === 'pay' && row.id === id ? (before > this.args.amount ? before - this.args.amount : 0n) : before;
      const kept = row.stage === 'writtenOff' || (MONEY.slice(1).includes(this.kind) && row.id === id);
      if (!kept) expect(row.balance_minor, `${row.id} owes`).toBe(due);
      owed.set(row.id, row.balance_minor);
    }
    await holds(life);
  }

  toString = (): string => {
    const { whom, amount, part, days } = this.args;
    return `['${this.kind}', { whom: ${whom}, amount: ${amount}n, part: ${part}, days: ${days} }]`;
  };
}

/** What must be true after every command. */
async function holds(life: Life): Promise<void> {
  const { db } = world;
  expect(await check(db, life.creditor.id)).toEqual([]);
  expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
  for (const row of await life.rows()) {
    expect(await verifyChain(db, row.id)).toEqual([]);
    const open = isOpenStage(row.stage);
    expect([row.stage, open ? row.balance_minor > 0n : row.balance_minor === 0n], row.id).toEqual([row.stage, true]);
    const steps = await db.selectFrom('case_steps').selectAll().where('invoice_id', '=', row.id).execute();
    const waiting = steps.filter(
      (s) => ['requested', 'awaitingApproval', 'queued'].includes(s.status) && !/^~(thank|plan)/.test(s.step),
    );
    expect(waiting.length, `open steps of ${row.id}`).toBeLessThanOrEqual(open ? 1 : 0);
    const asked = await db
      .selectFrom('tasks')
      .select('id')
      .where('invoice_id', '=', row.id)
      .where('kind', '=', 'approve')
      .where('status', '=', 'open')
      .execute();
    expect(asked.length, `questions about ${row.id}`).toBe(
      waiting.filter((s) => s.status === 'awaitingApproval').length,
    );
    const placed = await db.transaction().execute((tx) => openPlacement(tx, row.id));
    expect(placed !== undefined, `${row.id} is placed`).toBe(row.stage === 'placed');
    // Somebody looks again, or something holds it, or a person was asked.
    if (open && row.wake_at === null) {
      const tasks = await db
        .selectFrom('tasks')
        .select('id')
        .where('invoice_id', '=', row.id)
        .where('status', '=', 'open')
        .execute();
      const held = await db
        .selectFrom('holds')
        .select('id')
        .where('lifted_on', 'is', null)
        .where((eb) => eb.or([eb('invoice_id', '=', row.id), eb('customer_id', '=', life.customer.id)]))
        .execute();
      const disputes = await db
        .selectFrom('disputes')
        .select('id')
        .where('invoice_id', '=', row.id)
        .where('status', '=', 'open')
        .execute();
      const plans = await db
        .selectFrom('tasks')
        .select('id')
        .where('kind', 'in', ['ladderEnded', 'timeBarred', 'letter'])
        .where('invoice_id', '=', row.id)
        .execute();
      expect(tasks.length + held.length + disputes.length + plans.length, `${row.id} sleeps`).toBeGreaterThan(0);
    }
  }
  const rest = await db.selectFrom('outbox').selectAll().where('kind', '<>', 'pokeAgency').execute();
  expect(rest).toEqual([]);
}

/** At the end of a life its record proves itself. */
async function proves(life: Life): Promise<void> {
  for (const row of await life.rows()) {
    const again = await replayCase(world.db, row, renderAgain);
    expect(again.differences.slice(0, 3)).toEqual([]);
    expect(again.unrecorded).toBe(0);
    expect(await verifyCase(world.db, life.creditor.id, row.id)).toMatchObject({ problems: [] });
  }
}

async function begin(): Promise<Life> {
  world.goTo('2026-03-05T09:00:00Z');
  const service = { db: world.db, clock: world.deps.clock };
  const creditor = await openBook(service, LIFE_POLICY);
  await addAgency({ ...world, creditor });
  const customer = await addCustomer(service, creditor, {
    address: { lines: ['1 rue de la Paix'], postalCode: '75002', city: 'Paris', country: 'FR' },
  });
  const life = new Life(world, creditor, customer, BEGIN);
  await life.bill(-3, 120_000n);
  await life.bill(4, 60_000n);
  await life.settle();
  return life;
}

/** What an earlier life left unsent is no business of the next one, whose time begins where that one's did. */
async function end(): Promise<void> {
  await world.db.deleteFrom('outbox').execute();
  await world.db
    .updateTable('contacts')
    .set({ next_attempt_real: new Date('2100-01-01') })
    .where('status', 'in', ['queued', 'sending'])
    .execute();
  world.provider.next = [];
}

const args: fc.Arbitrary<Args> = fc.record({
  whom: fc.nat({ max: 1 }),
  amount: fc.constantFrom(1_000n, 20_000n, 59_000n, 60_000n, 120_000n),
  part: fc.boolean(),
  days: fc.nat({ max: 30 }),
});
const WEIGHTS: Record<string, number> = { wait: 14, answer: 8, post: 5 };
const lives = fc.commands(
  Object.keys(DEEDS).flatMap((kind) =>
    Array.from({ length: WEIGHTS[kind] ?? 1 }, () => args.map((a) => new Command(kind, a))),
  ),
  { maxCommands: NIGHTLY > 0 ? 40 : 16, size: 'max' },
);

/** Histories that once went wrong, as the property above all printed them. */
const plain: Args = { whom: 0, amount: 1_000n, part: false, days: 0 };
test.each<[string, [string, Partial<Args>][]]>([
  [
    'a reminder that was printed and is taken back before it was posted is derived again',
    [
      ['wait', { days: 7 }],
      ['promise', {}],
    ],
  ],
  [
    'a promise is taken while the last reminder waits for the post and the notice for its approval',
    [
      ['wait', { days: 5 }],
      ['wait', { days: 8 }],
      ['promise', {}],
    ],
  ],
  [
    'a balance is given up while the last reminder waits for the post and the notice for its approval',
    [
      ['wait', { days: 13 }],
      ['writeOff', {}],
      ['post', {}],
    ],
  ],
  [
    'a reminder that was printed counts as never sent when proceedings take it back',
    [
      ['wait', { days: 10 }],
      ['insolvency', {}],
      ['wait', { days: 4 }],
      ['insolvencyEnds', {}],
      ['wait', { days: 2 }],
    ],
  ],
])('%s', { timeout: 60_000 }, async (_, history) => {
  const life = await begin();
  const owed: Owed = new Map((await life.rows()).map((row) => [row.id, row.balance_minor]));
  try {
    for (const [kind, over] of history) await new Command(kind, { ...plain, ...over }).run(owed, life);
    await proves(life);
  } finally {
    await end();
  }
});

test('whatever happens, books, chains, counters and record hold after every command', { timeout: 3_600_000 }, () =>
  fc.assert(
    fc.asyncProperty(lives, async (history) => {
      const life = await begin();
      const owed: Owed = new Map((await life.rows()).map((row) => [row.id, row.balance_minor]));
      try {
        await fc.asyncModelRun(() => ({ model: owed, real: life }), history);
        await proves(life);
      } finally {
        await end();
      }
    }),
    RUNS,
  ),
);
