import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderAgain } from '../../activities/render-again.ts';
import { replayCase } from '../../api/replay-case.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { loadCase } from '../../db/repositories/facts.ts';
import { agreePlan, cancelPlan, changePlan, type NewInstalments } from '../../db/repositories/plan-agreement.ts';
import { findPlan } from '../../db/repositories/plans.ts';
import { makePromise } from '../../db/repositories/promises.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { codeOf } from '../db/book.ts';
import { addCustomer, addInvoice } from '../support/book.ts';
import { openWorld, REMINDERS, type World } from './world.ts';

const PLANS = { ...REMINDERS, plan: { maxInstalments: 4, graceDays: 3 }, thankYou: null };

/** Instalment plans in the database: agreed under the locks, told by notes, kept, broken, changed. */
describe('an instalment plan', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(PLANS);
  });
  afterEach(async () => {
    await world.close();
  });

  const invoice = (amountMinor = 120_000n, over = {}) =>
    addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-02-01',
      dueOn: '2026-02-28',
      amountMinor,
      ...over,
    });
  const agree = (invoiceIds: string[], instalments: NewInstalments) =>
    world.within((tx, act) => agreePlan(tx, act, world.creditor.id, { invoiceIds, instalments }));
  const planOf = async (id: string) => (await findPlan(world.db, world.creditor.id, id))!;
  const stageOf = async (id: string) =>
    (await world.db.selectFrom('invoices').select('stage').where('id', '=', id).executeTakeFirstOrThrow()).stage;
  const kinds = async (id: string) => {
    const events = await world.db
      .selectFrom('events')
      .select('kind')
      .where('invoice_id', '=', id)
      .orderBy('n')
      .execute();
    return events.map((e) => e.kind);
  };
  const signals = async (id: string) => {
    const rows = await world.db.selectFrom('outbox').select('payload').where('target', '=', id).orderBy('id').execute();
    return rows.flatMap((r) => (typeof r.payload['signal'] === 'string' ? [r.payload['signal']] : []));
  };
  const texts = () => world.provider.sent.map((mail) => mail.message.text.replace(/\s/g, ' '));
  const zero = { duplicate: 0, afterPayment: 0 };
  /** Case turns, then what waits leaves. */
  async function moment(iso: string, ...cases: string[]): Promise<void> {
    world.goTo(iso);
    for (const id of cases) await world.turn(id);
    await world.plan();
    await world.send();
  }

  it('takes back a reminder that is queued, confirms the plan, tells before and after a date, and breaks', async () => {
    const first = await invoice();
    const second = await invoice(80_000n);
    await world.turn(first);
    await world.turn(second);
    await world.plan();
    const [queued] = await world.contacts();
    const plan = await agree(
      [first, second],
      [
        { dueOn: '2026-03-20', amount: '1500.00' },
        { dueOn: '2026-04-20', amount: '500.00' },
      ],
    );
    await world.send();
    expect(await world.contactOf(queued!.id)).toMatchObject({ status: 'withdrawn', error_code: 'held' });
    expect((await signals(first)).filter((s) => s === 'planAgreed')).toHaveLength(1);

    await moment('2026-03-05T09:01:00Z', first, second);
    expect(texts()).toHaveLength(1);
    expect(texts()[0]).toContain('soit 2 000,00 € au total');
    expect(texts()[0]).toContain('- 20 mars 2026 : 1 500,00 € - 20 avril 2026 : 500,00 €');
    expect(await world.stepsOf(first)).toEqual(['one:withdrawn', `~plan:${plan}:agreed:left`]);
    expect(await world.stepsOf(second)).toEqual(['one:withdrawn']);
    const { next } = await world.db
      .selectFrom('invoices')
      .select('next')
      .where('id', '=', first)
      .executeTakeFirstOrThrow();
    expect(next).toMatchObject({ action: 'contact', reason: 'plan', at: '2026-03-17T07:30:00.000Z' });
    const other = await world.db
      .selectFrom('invoices')
      .select('next')
      .where('id', '=', second)
      .executeTakeFirstOrThrow();
    expect(other.next).toMatchObject({ action: 'planEnds', reason: 'plan', at: '2026-03-23T23:00:00.000Z' });

    await moment('2026-03-17T07:30:00Z', first, second);
    expect(texts()[1]).toContain('votre versement n° 1 sur 2, soit 1 500,00 €, est attendu pour le 20 mars 2026');
    await world.pay(second, 30_000n);
    await moment('2026-03-23T07:30:00Z', first, second);
    // The 21st is a Saturday: it is told on Monday, the last day of the three.
    expect(texts()[2]).toContain('il manque 1 200,00 €');
    expect(texts()[2]).toContain('au plus tard le 23 mars 2026');
    const [late] = await world.db.selectFrom('contacts').selectAll().where('template', '=', 'plan-late').execute();
    expect(late).toMatchObject({ kind: 'plan', status: 'sent' });

    await moment('2026-03-23T23:00:00Z', first);
    expect(await planOf(plan)).toMatchObject({ status: 'broken', ended_on: '2026-03-23', paid: 30_000n });
    expect((await kinds(second)).at(-1)).toBe('planBroken');
    await moment('2026-03-26T07:30:00Z', first, second);
    // One rung for both, together, for all that is owed; the gap of three days after the late note was kept.
    expect(texts()).toHaveLength(4);
    expect(texts()[3]).toContain('Total : 1 700,00 €');
    expect(await world.counters()).toEqual(zero);
    // Each note is derived again, with the instalment it was about.
    for (const id of [first, second]) {
      const row = await world.db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      expect((await replayCase(world.db, row, renderAgain)).differences).toEqual([]);
    }
  });

  it('counts what is paid on any invoice, passes on the lead, and is kept with the last cent', async () => {
    const first = await invoice(40_000n);
    const second = await invoice(60_000n);
    const plan = await agree(
      [first, second],
      [
        { dueOn: '2026-03-20', amount: '500' },
        { dueOn: '2026-04-20', amount: '500' },
      ],
    );
    await moment('2026-03-05T09:01:00Z', first, second);
    await world.pay(first, 40_000n);
    expect(await signals(second)).toContain('wake');
    expect((await world.turn(first)).closed).toBe(true);
    expect((await planOf(plan)).paid).toBe(40_000n);
    const loaded = await loadCase(world.db, second, world.deps.holidays, parseInstant('2026-03-05T09:05:00Z'));
    expect(loaded!.facts.plans[0]).toMatchObject({
      leads: true,
      paidMinor: 40_000n,
      notesElsewhere: [`~plan:${plan}:agreed`],
    });
    await moment('2026-03-17T07:30:00Z', second);
    expect(texts().at(-1)).toContain('soit 100,00 €, est attendu pour le 20 mars 2026');
    // Its money goes back: the plan holds the case that is opened again.
    await world.within(async (tx, act) => {
      const { id } = await tx
        .selectFrom('allocations')
        .select('id')
        .where('invoice_id', '=', first)
        .executeTakeFirstOrThrow();
      await undoAllocation(tx, act, id, 'returned');
    });
    expect(await world.turn(first)).toMatchObject({ balance: '400.00', holds: ['plan'] });
    expect((await planOf(plan)).paid).toBe(0n);
    await world.pay(first, 40_000n);
    await world.pay(second, 60_000n);
    await world.turn(first);
    expect(await planOf(plan)).toMatchObject({ status: 'kept', paid: 100_000n });
    await world.turn(second);
    expect([await stageOf(first), await stageOf(second)]).toEqual(['settled', 'settled']);
    expect(await kinds(second)).toEqual(expect.arrayContaining(['planKept', 'settled']));
    const held = await world.db.selectFrom('holds').select('id').where('lifted_on', 'is', null).execute();
    expect(held).toEqual([]);
  });

  it('takes back a note that waits when its instalment is paid, and one that is queued', async () => {
    const id = await invoice();
    const plan = await agree(
      [id],
      [
        { dueOn: '2026-03-19', amount: '600' },
        { dueOn: '2026-04-20', amount: '600' },
      ],
    );
    await moment('2026-03-05T09:01:00Z', id);
    world.goTo('2026-03-16T07:30:00Z');
    await world.turn(id);
    expect(await world.stepsOf(id)).toContain(`~plan:${plan}:before1:requested`);
    await world.pay(id, 60_000n);
    expect(await world.plan()).toMatchObject({ queued: 0, waiting: 0 });
    expect(await world.stepsOf(id)).toContain(`~plan:${plan}:before1:withdrawn`);

    world.goTo('2026-04-21T07:30:00Z');
    await world.turn(id);
    await world.plan();
    await world.pay(id, 1n);
    await world.send();
    expect((await world.contacts()).at(-1)).toMatchObject({ status: 'withdrawn', error_code: 'amountChanged' });
    await world.plan();
    await world.pay(id, 59_999n);
    await world.send();
    expect(texts()).toHaveLength(1);
    await world.plan();
    expect((await world.stepsOf(id)).at(-1)).toBe(`~plan:${plan}:after2:withdrawn`);
    expect(await world.counters()).toEqual(zero);
  });

  it('takes back a letter about an instalment that nobody has posted when money comes for another invoice', async () => {
    const steps = REMINDERS.steps.map((step) => ({ ...step }));
    await world.close();
    world = await openWorld({ ...PLANS, steps, noAddress: 'letter' });
    await world.db
      .updateTable('customers')
      .set({ contacts: JSON.stringify([]) as never })
      .execute();
    const first = await invoice(40_000n);
    const second = await invoice(60_000n);
    const plan = await agree([first, second], [{ dueOn: '2026-03-20', amount: '1000' }]);
    await moment('2026-03-05T09:01:00Z', first, second);
    await moment('2026-03-17T07:30:00Z', first, second);
    expect((await world.stepsOf(first)).slice(-2)).toEqual([`~plan:${plan}:agreed:left`, `~plan:${plan}:before1:left`]);
    const letters = () => world.db.selectFrom('contacts').select(['template', 'status']).orderBy('seq').execute();
    await world.pay(second, 10_000n);
    expect(await letters()).toEqual([
      { template: 'plan-note', status: 'queued' },
      { template: 'plan-due', status: 'withdrawn' },
    ]);
    await moment('2026-03-18T07:30:00Z', first, second);
    const { body_text: body } = await world.db
      .selectFrom('contacts')
      .select('body_text')
      .where('template', '=', 'plan-due')
      .where('status', '=', 'queued')
      .executeTakeFirstOrThrow();
    expect(body!.replace(/\s/g, ' ')).toContain('soit 900,00 €, est attendu');
    await world.within((tx, act) => cancelPlan(tx, act, world.creditor.id, plan));
    expect((await letters()).map((l) => l.status)).toEqual(['withdrawn', 'withdrawn', 'withdrawn']);
    expect((await world.stepsOf(first)).filter((s) => !s.endsWith('withdrawn'))).toEqual([]);
  });

  it('replaces promises, refuses new ones and another plan, and cannot be lifted away', async () => {
    const id = await invoice();
    const promised = { invoiceId: id, payOn: '2026-03-12', amountMinor: null, by: null };
    await world.within((tx, act) => makePromise(tx, act, world.creditor.id, promised));
    await agree([id], [{ dueOn: '2026-03-20', amount: '1200' }]);
    expect(await kinds(id)).toEqual(['invoiceRegistered', 'promised', 'promiseWithdrawn', 'planAgreed']);
    expect(await codeOf(world.within((tx, act) => makePromise(tx, act, world.creditor.id, promised)))).toBe(
      'planExists',
    );
    expect(await codeOf(agree([id], [{ dueOn: '2026-03-20', amount: '1200' }]))).toBe('planExists');
  });

  it('is reviewed by a person while it is disputed, and silent', async () => {
    const first = await invoice(40_000n);
    const second = await invoice(60_000n);
    await agree([first, second], [{ dueOn: '2026-03-20', amount: '1000' }]);
    await moment('2026-03-05T09:01:00Z', first, second);
    const dispute = await world.within((tx, act) =>
      openDispute(tx, act, world.creditor.id, {
        invoiceId: second,
        amountMinor: 10_000n,
        category: 'price',
        note: null,
      }),
    );
    const review = () =>
      world.db.selectFrom('tasks').select(['status', 'invoice_id']).where('kind', '=', 'reviewPlan').execute();
    expect(await review()).toEqual([{ status: 'open', invoice_id: second }]);
    await moment('2026-03-17T07:30:00Z', first, second);
    expect(texts()).toHaveLength(1);
    await world.within((tx, act) =>
      resolveDispute(tx, act, world.creditor.id, dispute.id, { outcome: 'upheld', creditMinor: null, note: null }),
    );
    expect((await review())[0]!.status).toBe('done');
    expect(await signals(first)).toContain('wake');
    await moment('2026-03-18T07:30:00Z', first, second);
    expect(texts()[1]).toContain('soit 900,00 €, est attendu');
  });

  it('is changed in one transaction over what is still owed, and the old one is kept', async () => {
    const first = await invoice(40_000n);
    const second = await invoice(60_000n);
    const plan = await agree([first, second], [{ dueOn: '2026-03-20', amount: '1000' }]);
    await moment('2026-03-05T09:01:00Z', first, second);
    await world.pay(first, 40_000n);
    await world.turn(first);
    await world.pay(second, 10_000n);
    world.goTo('2026-03-10T09:00:00Z');
    const change = (instalments: NewInstalments) =>
      world.within((tx, act) => changePlan(tx, { ...act, reason: 'later' }, world.creditor.id, plan, instalments));
    expect(await codeOf(change([{ dueOn: '2026-05-20', amount: '1000' }]))).toBe('planDoesNotAddUp');
    expect((await planOf(plan)).status).toBe('active');
    const renewed = await change([{ dueOn: '2026-05-20', amount: '500' }]);
    expect(await planOf(plan)).toMatchObject({ status: 'cancelled', paid: 50_000n, ended_on: '2026-03-10' });
    expect(await planOf(renewed)).toMatchObject({ status: 'active', replaces: plan, invoiceIds: [second], paid: 0n });
    expect(await codeOf(change([{ dueOn: '2026-05-20', amount: '500' }]))).toBe('planEnded');
    expect((await signals(second)).filter((s) => s.startsWith('plan'))).toEqual([
      'planAgreed',
      'planCancelled',
      'planAgreed',
    ]);
    await moment('2026-03-10T09:01:00Z', second);
    expect(texts().at(-1)).toContain('- 20 mai 2026 : 500,00 €');

    await world.within((tx, act) => cancelPlan(tx, act, world.creditor.id, renewed));
    expect(await codeOf(world.within((tx, act) => cancelPlan(tx, act, world.creditor.id, renewed)))).toBe('planEnded');
    expect((await world.turn(second)).holds ?? []).toEqual([]);
    const held = await world.db.selectFrom('holds').select('id').where('lifted_on', 'is', null).execute();
    expect(held).toEqual([]);
  });

  it('is never agreed twice, whoever is first', async () => {
    const ids = [await invoice(40_000n), await invoice(60_000n)];
    const wishes = [ids, ids.toReversed(), [ids[0]!], [ids[1]!]].map((invoiceIds) =>
      codeOf(
        agree(invoiceIds, [
          { dueOn: '2026-03-20', amount: invoiceIds.length === 2 ? '1000' : invoiceIds[0] === ids[0] ? '400' : '600' },
        ]),
      ),
    );
    const answers = await Promise.all(wishes);
    const active = await world.db
      .selectFrom('plan_invoices as i')
      .innerJoin('plans as p', 'p.id', 'i.plan_id')
      .select('i.invoice_id')
      .where('p.status', '=', 'active')
      .execute();
    expect(new Set(active.map((a) => a.invoice_id)).size).toBe(active.length);
    expect(answers.filter((a) => a !== 'accepted').every((a) => a === 'planExists')).toBe(true);
  });

  it('refuses invoices of two customers and of another creditor', async () => {
    const mine = await invoice();
    const other = await addCustomer({ db: world.db, clock: world.deps.clock }, world.creditor);
    const theirs = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, other, {
      issuedOn: '2026-02-01',
      dueOn: '2026-02-28',
    });
    expect(await codeOf(agree([mine, theirs], [{ dueOn: '2026-03-20', amount: '2400' }]))).toBe('planSeveralCustomers');
    expect(
      await codeOf(
        world.within((tx, act) =>
          agreePlan(tx, act, 'cre_other', {
            invoiceIds: [mine],
            instalments: [{ dueOn: '2026-03-20', amount: '1200' }],
          }),
        ),
      ),
    ).toBe('notFound');
  });
});
