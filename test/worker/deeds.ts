import { newId } from '../../db/ids.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import { recordCreditNote } from '../../db/repositories/credit-notes.ts';
import type { CreditorRow } from '../../db/repositories/creditors.ts';
import type { CustomerRow } from '../../db/repositories/customers.ts';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { liftHold, setHold } from '../../db/repositories/holds.ts';
import { closeInsolvency, declareInsolvency } from '../../db/repositories/insolvencies.ts';
import { changeDueOn } from '../../db/repositories/invoices.ts';
import { recordPost } from '../../db/repositories/letters.ts';
import { claimOutbox, finishOutbox } from '../../db/repositories/outbox.ts';
import { agreePlan, cancelPlan } from '../../db/repositories/plan-agreement.ts';
import { putPolicy } from '../../db/repositories/policies.ts';
import { makePromise, withdrawPromise } from '../../db/repositories/promises.ts';
import { reopenByHand } from '../../db/repositories/reopening.ts';
import { createRollout } from '../../db/repositories/rollouts.ts';
import { formatAmount } from '../../domain/money.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import { isoInstant, localDate } from '../../domain/time/zones.ts';
import type { CommandName } from '../../workflows/messages.ts';
import { addInvoice } from '../support/book.ts';
import type { World } from './world.ts';

/** A ladder of two steps that goes on to its legal end. */
const LADDER = {
  name: 'test',
  steps: [
    { key: 'one', day: 3, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 10, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'final' },
  ],
  plan: { maxInstalments: 4, graceDays: 2 },
  thankYou: 'thank-you',
  minimumAmount: { EUR: '5.00' },
};
const BEYOND = {
  formalNotice: { from: 'due', channel: 'registeredLetter', deadlineDays: 8, dispatchDays: 2, approval: 'operator' },
  placement: { daysAfterNotice: 10, approval: 'operator' },
  writeOff: { afterPlacementDays: 20, below: { EUR: '20.00' }, approval: 'operator' },
};
export const LIFE_POLICY = { ...LADDER, ...BEYOND, formalNotice: { ...BEYOND.formalNotice, day: 16 } };

export interface Args {
  whom: number;
  amount: bigint;
  part: boolean;
  days: number;
}

/** A customer's life in the database, driven without Temporal: timers, pokes and signals are handed over here. */
export class Life {
  readonly world: World;
  readonly creditor: CreditorRow;
  readonly customer: CustomerRow;
  readonly ids: string[] = [];
  now: number;
  /** Nothing runs: neither turns nor relays. */
  isDown = false;

  constructor(world: World, creditor: CreditorRow, customer: CustomerRow, now: number) {
    this.world = world;
    this.creditor = creditor;
    this.customer = customer;
    this.now = now;
    world.goTo(isoInstant(now));
  }

  get today(): LocalDate {
    return localDate(this.now, 'Europe/Paris');
  }

  async bill(dueIn: number, amountMinor: bigint): Promise<void> {
    const { db, deps } = this.world;
    const dueOn = addDays(this.today, dueIn);
    const terms = { issuedOn: addDays(this.today, -40), dueOn, amountMinor };
    this.ids.push(await addInvoice({ db, clock: deps.clock }, this.creditor, this.customer, terms));
  }

  rows() {
    const { db } = this.world;
    return db.selectFrom('invoices').selectAll().where('customer_id', '=', this.customer.id).orderBy('seq').execute();
  }

  async command(invoiceId: string, kind: CommandName, args: Record<string, string> = {}): Promise<void> {
    if (this.isDown) return;
    const id = newId('cmd');
    await this.world.within((tx, act) => insertCommand(tx, act, { id, invoiceId, kind, args }));
    await this.turn(invoiceId, [id]);
  }

  async turn(invoiceId: string, commands: string[] = []): Promise<void> {
    const row = (await this.rows()).find((one) => one.id === invoiceId);
    if (row) await this.world.activities.turn({ invoiceId, run: row.run, commands, known: null });
  }

  /** Hands over what waits in the outbox, until nothing does. */
  async deliver(): Promise<void> {
    for (;;) {
      const messages = await claimOutbox(this.world.db, 100);
      if (messages.length === 0) return;
      for (const { kind, target } of messages) {
        if (kind === 'startCase' || kind === 'signalCase') await this.turn(target);
        else if (kind === 'pokeOutreach') await this.look(target);
      }
      await finishOutbox(
        this.world.db,
        messages.map(({ id }) => id),
      );
    }
  }

  async look(customerId: string): Promise<void> {
    await this.world.activities.planOutreach({ customerId });
  }

  /** Everything that is due by now is done, and what follows from it. */
  async settle(sends = true): Promise<void> {
    if (this.isDown) return;
    await this.deliver();
    if (!sends) return;
    while ((await this.world.send()) > 0) await this.deliver();
    await this.deliver();
  }

  /** Time goes on, from one moment of a timer to the next. */
  async wait(days: number): Promise<void> {
    const to = this.now + days * 86_400_000;
    while (!this.isDown) {
      const rows = await this.rows();
      const customer = await this.world.db
        .selectFrom('customers')
        .select('outreach_wake_at')
        .where('id', '=', this.customer.id)
        .executeTakeFirstOrThrow();
      const moments = [...rows.map((row) => row.wake_at), customer.outreach_wake_at].filter((at) => at !== null);
      const next = Math.min(...moments);
      if (moments.length === 0 || next > to) break;
      this.#goTo(Math.max(next, this.now));
      for (const row of rows) if (row.wake_at !== null && row.wake_at <= this.now) await this.turn(row.id);
      if (customer.outreach_wake_at !== null && customer.outreach_wake_at <= this.now)
        await this.look(this.customer.id);
      await this.settle();
    }
    this.#goTo(to);
  }

  #goTo(now: number): void {
    this.now = now;
    this.world.goTo(isoInstant(now));
  }
}

type Deed = (life: Life, id: string, args: Args) => Promise<unknown>;

/** The first row of these that a deed is about, if there is one. */
const about = async <T>(rows: Promise<T | undefined>, work: (row: T) => Promise<unknown>): Promise<void> => {
  const row = await rows;
  if (row !== undefined) await work(row);
};

/** What the service refuses does not happen: its error has a code. */
export const DEEDS: Record<string, Deed> = {
  wait: (life, _, { days }) => life.wait(days),
  pay: ({ world }, id, { amount }) => world.pay(id, amount),
  payAll: ({ world }, id) => about(balance(world, id), async (minor) => minor > 0n && world.pay(id, minor)),
  undo: ({ world }, id) =>
    about(
      world.db
        .selectFrom('allocations as a')
        .leftJoin('allocation_reversals as r', 'r.allocation_id', 'a.id')
        .select('a.id')
        .where('a.invoice_id', '=', id)
        .where('a.receipt_id', 'is not', null)
        .where('r.allocation_id', 'is', null)
        .executeTakeFirst(),
      (row) => world.within((tx, act) => undoAllocation(tx, act, row.id, 'returned')),
    ),
  credit: ({ world, customer, today }, id, { amount }) =>
    world.within((tx, act) =>
      recordCreditNote(tx, act, {
        customerId: customer.id,
        invoiceId: id,
        number: newId('cno'),
        amountMinor: amount,
        currency: 'EUR',
        issuedOn: today,
      }),
    ),
  promise: ({ world, creditor, today }, id, { part, amount, days }) =>
    world.within((tx, act) =>
      makePromise(tx, act, creditor.id, {
        invoiceId: id,
        by: null,
        payOn: addDays(today, days),
        amountMinor: part ? amount : null,
      }),
    ),
  withdrawPromise: ({ world, creditor }, id) =>
    about(
      world.db
        .selectFrom('promises')
        .select('id')
        .where('invoice_id', '=', id)
        .where('status', '=', 'active')
        .executeTakeFirst(),
      (row) => world.within((tx, act) => withdrawPromise(tx, act, creditor.id, row.id)),
    ),
  dispute: ({ world, creditor }, id, { part, amount }) =>
    world.within((tx, act) =>
      openDispute(tx, act, creditor.id, {
        invoiceId: id,
        amountMinor: part ? amount : null,
        category: 'price',
        note: 'too dear',
      }),
    ),
  resolve: ({ world, creditor }, id, { part }) =>
    about(
      world.db
        .selectFrom('disputes')
        .select('id')
        .where('invoice_id', '=', id)
        .where('status', '=', 'open')
        .executeTakeFirst(),
      (row) =>
        world.within((tx, act) =>
          resolveDispute(tx, act, creditor.id, row.id, {
            outcome: part ? 'upheld' : 'rejected',
            creditMinor: null,
            note: null,
          }),
        ),
    ),
  hold: ({ world, customer, today }, _, { days }) =>
    world.within((tx, act) =>
      setHold(tx, act, { customerId: customer.id, invoiceId: null, kind: 'customer', untilOn: addDays(today, days) }),
    ),
  lift: ({ world, customer }) =>
    about(
      world.db
        .selectFrom('holds')
        .select('id')
        .where('customer_id', '=', customer.id)
        .where('kind', '=', 'customer')
        .where('lifted_on', 'is', null)
        .executeTakeFirst(),
      (row) => world.within((tx, act) => liftHold(tx, act, row.id)),
    ),
  moveDue: ({ world, creditor, today }, id, { days }) =>
    world.within((tx, act) => changeDueOn(tx, act, creditor.id, id, addDays(today, days - 10))),
  agree: ({ world, creditor, today }, id, { days, part }) =>
    world.within(async (tx, act) => {
      const owed = part ? [] : (await rowsOf(world, id)).filter((row) => row.balance_minor > 0n);
      const invoiceIds = part ? [id] : owed.map((row) => row.id);
      if (invoiceIds.length === 0) return;
      const total = part ? await balance(world, id) : owed.reduce((sum, row) => sum + row.balance_minor, 0n);
      const half = total / 2n;
      const instalments = [total - half, half].map((minor, n) => ({
        dueOn: addDays(today, days + n * 12),
        amount: formatAmount(minor, 'EUR'),
      }));
      await agreePlan(tx, act, creditor.id, { invoiceIds, instalments });
    }),
  cancelPlan: ({ world, creditor, customer }) =>
    about(
      world.db
        .selectFrom('plans')
        .select('id')
        .where('customer_id', '=', customer.id)
        .where('status', '=', 'active')
        .executeTakeFirst(),
      (row) => world.within((tx, act) => cancelPlan(tx, act, creditor.id, row.id)),
    ),
  /** Whatever waits for a person is approved, or refused. */
  answer: (life, id, { part }) =>
    about(
      life.world.db
        .selectFrom('tasks')
        .select('id')
        .where('invoice_id', '=', id)
        .where('kind', '=', 'approve')
        .where('status', '=', 'open')
        .executeTakeFirst(),
      (row) => life.command(id, 'approve', { taskId: row.id, decision: part ? 'refused' : 'approved' }),
    ),
  /** The post says of a letter that it was posted, delivered or has come back. */
  post: ({ world, creditor, customer, today }, _, { days }) =>
    about(
      world.db
        .selectFrom('contacts')
        .select('id')
        .where('customer_id', '=', customer.id)
        .where('channel', 'in', ['letter', 'registeredLetter'])
        .where('status', 'in', ['queued', 'sent'])
        .orderBy('seq', 'desc')
        .executeTakeFirst(),
      ({ id }) => {
        const status = (['dispatched', 'delivered', 'dispatched', 'returned'] as const)[days % 4]!;
        return world.within((tx, act) => recordPost(tx, act, creditor.id, id, { status, on: today }));
      },
    ),
  pause: (life, id, { part, days }) => life.command(id, 'pause', part ? { until: addDays(life.today, days) } : {}),
  resume: (life, id) => life.command(id, 'resume'),
  skip: (life, id) => life.command(id, 'skipStep'),
  stepNow: (life, id) => life.command(id, 'stepNow'),
  notice: (life, id) => life.command(id, 'sendFormalNotice', { role: 'approver' }),
  place: (life, id) => life.command(id, 'place', { role: 'approver' }),
  recall: (life, id) => life.command(id, 'recall'),
  writeOff: (life, id) => life.command(id, 'writeOff'),
  reopen: ({ world, creditor }, id) => world.within((tx, act) => reopenByHand(tx, act, creditor.id, id)),
  insolvency: ({ world, creditor, customer, today }) =>
    world.within((tx, act) => {
      const terms = { kind: 'liquidation' as const, judgmentOn: today, publishedOn: null, trustee: null };
      return declareInsolvency(tx, act, creditor.id, customer.id, terms, world.deps.holidays);
    }),
  insolvencyEnds: ({ world, creditor, customer }, _, { part }) =>
    world.within((tx, act) =>
      closeInsolvency(tx, act, creditor.id, customer.id, { outcome: part ? 'noAssets' : 'withdrawn', on: null }),
    ),
  /** The provider does not answer, or refuses, the next time. */
  mailTrouble: async ({ world }, _, { part }) => {
    world.provider.next = [part ? 'lost' : { kind: 'refused', code: 'invalid', message: 'no' }];
  },
  /** Nothing runs for some days; then everything that was due is. */
  outage: async (life, _, { days }) => {
    life.isDown = true;
    await life.wait(days);
    life.isDown = false;
    await life.wait(0);
  },
  /** The policy moves on, and its open cases with it. */
  rollOut: async (life, _, { days }) => {
    if (life.isDown) return;
    const { world, creditor } = life;
    const day = 10 + (days % 5);
    const steps = LADDER.steps.map((step) => (step.key === 'two' ? { ...step, day } : step));
    const rolloutId = await world.within(async (tx, act) => {
      const policy = parsePolicy({ ...LIFE_POLICY, steps });
      const { version } = await putPolicy(tx, act, creditor.id, policy);
      const asked = { creditorId: creditor.id, policy: 'test', version, dryRun: false, dryRunId: null, filter: {} };
      return await createRollout(tx, act, asked);
    });
    await world.activities.planRollout({ rolloutId });
    await world.activities.moveCases({ rolloutId, isLastRound: true });
  },
};

const rowsOf = async (world: World, invoiceId: string) =>
  await world.db
    .selectFrom('invoices')
    .selectAll()
    .where('customer_id', '=', (eb) =>
      eb.selectFrom('invoices').select('customer_id').where('id', '=', invoiceId).$asScalar(),
    )
    .orderBy('id')
    .execute();

export async function balance(world: World, invoiceId: string): Promise<bigint> {
  const row = await world.db
    .selectFrom('invoices')
    .select('balance_minor')
    .where('id', '=', invoiceId)
    .executeTakeFirstOrThrow();
  return row.balance_minor;
}
