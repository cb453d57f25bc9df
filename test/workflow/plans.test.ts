import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contactCounters } from '../../db/repositories/counters.ts';
import { agreePlan, cancelPlan } from '../../db/repositories/plan-agreement.ts';
import { findPlan } from '../../db/repositories/plans.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { addInvoice, EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin, Life } from './life.ts';

const LADDER = {
  contact: EVERY_DAY,
  plan: { maxInstalments: 4, graceDays: 2 },
  thankYou: 'thank-you',
  steps: [
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 40, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
  ],
};

/** Instalment plans in compressed time: eight seconds are ten days. */
describe('a plan on the real engine', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 800 });
  }, 60_000);
  afterAll(async () => service.stop());

  const agree = (life: Life, instalments: [inDays: number, amount: string][], more: string[] = []) =>
    life.within((tx, act) =>
      agreePlan(tx, act, life.creditor.id, {
        invoiceIds: [life.id, ...more],
        instalments: instalments.map(([inDays, amount]) => ({ dueOn: life.day(inDays), amount })),
      }),
    );
  const statusOf = async (life: Life, plan: string) => (await findPlan(service.db, life.creditor.id, plan))!.status;
  const note = (plan: string, which: string): string => `contactSent:~plan:${plan}:${which}`;

  it.concurrent('agreed it holds, paid too little it breaks after its grace, and the next rung leaves', async () => {
    const life = await begin(service, LADDER, -1);
    await life.happened('stepTaken:one');
    const plan = await agree(life, [
      [5, '700.00'],
      [60, '500.00'],
    ]);
    await until('the hold', async () => (await life.state()).holds.includes('plan'));
    await life.happened(note(plan, 'agreed'));
    await life.happened(note(plan, 'before1'));
    await life.pay(60_000n);
    await life.happened(note(plan, 'after1'));
    await life.happened('planBroken');
    await life.happened('contactSent:two');
    expect(await statusOf(life, plan)).toBe('broken');
    const mails = life.mails();
    expect(mails).toHaveLength(5);
    expect(mails[3]).toContain('il manque 100,00 €');
    expect(mails[4]).toContain('600,00');
    const kinds = await service.db
      .selectFrom('contacts')
      .select('kind')
      .where('customer_id', '=', life.customer.id)
      .orderBy('seq')
      .execute();
    expect(kinds.map((c) => c.kind)).toEqual(['reminder', 'plan', 'plan', 'plan', 'reminder']);
    expect(await contactCounters(service.db)).toEqual({ duplicate: 0, afterPayment: 0 });
  });

  it.concurrent('paid in time over two invoices it is kept, and both are settled', async () => {
    const life = await begin(service, LADDER, -1);
    const other = await addInvoice(service, life.creditor, life.customer, {
      issuedOn: life.day(-40),
      dueOn: life.day(-1),
    });
    const second = new Life(service, life.creditor, life.customer, other);
    await life.happened('stepTaken:one');
    await second.happened('stepTaken:one');
    const plan = await agree(
      life,
      [
        [20, '1200.00'],
        [40, '1200.00'],
      ],
      [other],
    );
    await life.happened(note(plan, 'agreed'));
    await life.pay(120_000n);
    await life.closed();
    expect(await statusOf(life, plan)).toBe('active');
    await until('the next date', async () => (await second.state()).next?.action === 'contact');
    await second.within((tx, act) =>
      recordPayment(
        tx,
        act,
        { invoiceId: other, amountMinor: 120_000n, currency: 'EUR', receivedOn: life.day(0, act.at) },
        service.deps.holidaySet,
      ),
    );
    await second.closed();
    expect(await statusOf(life, plan)).toBe('kept');
    expect(await second.timeline()).toEqual(expect.arrayContaining(['planAgreed', 'planKept', 'settled']));
  });

  it.concurrent('cancelled, the ladder goes on, later by the days it held', async () => {
    const life = await begin(service, { ...LADDER, steps: [LADDER.steps[0]!, { ...LADDER.steps[1]!, day: 8 }] }, -1);
    await life.happened('stepTaken:one');
    const agreedOn = life.day();
    const plan = await agree(life, [[50, '1200.00']]);
    await until('the hold', async () => (await life.state()).holds.includes('plan'));
    await until('some days', async () => life.day() >= life.day(0) && life.day(-4) >= agreedOn);
    const cancelledOn = life.day();
    await life.within((tx, act) => cancelPlan(tx, act, life.creditor.id, plan));
    await until('no hold', async () => !(await life.state()).holds.includes('plan'));
    await life.happened('stepTaken:two');
    const { left_on: leftOn } = await service.db
      .selectFrom('case_steps')
      .select('left_on')
      .where('invoice_id', '=', life.id)
      .where('step', '=', 'two')
      .executeTakeFirstOrThrow();
    const { due_on: dueOn } = await life.row();
    const days = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000;
    expect(days(dueOn, leftOn!)).toBe(8 + days(agreedOn, cancelledOn));
  });
});
