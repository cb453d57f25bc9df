import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAgency, newAgencyId } from '../../db/repositories/agencies.ts';
import { contactCounters } from '../../db/repositories/counters.ts';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { declareInsolvency } from '../../db/repositories/insolvencies.ts';
import { recordPost, type PostStatus } from '../../db/repositories/letters.ts';
import { makePromise, withdrawPromise } from '../../db/repositories/promises.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { reopenByHand } from '../../db/repositories/reopening.ts';
import { EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin, type Life } from './life.ts';

const NOTICE = {
  day: 4,
  from: 'due',
  channel: 'registeredLetter',
  deadlineDays: 8,
  dispatchDays: 1,
  approval: null as string | null,
};
const POLICY = {
  contact: EVERY_DAY,
  thankYou: null,
  steps: [{ key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' }],
  formalNotice: NOTICE,
  placement: { daysAfterNotice: 0, approval: 'approver' },
  writeOff: { afterPlacementDays: 400, below: {}, approval: 'approver' },
};

/** What leads back from a branch, and what must not happen on the way. */
describe('the ways back', { timeout: 180_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 800 });
  }, 60_000);
  afterAll(async () => service.stop());

  it.concurrent('a promise and its withdrawal, a dispute and its decision are each heard at once', async () => {
    const steps = [{ ...POLICY.steps[0]!, day: 300 }];
    const life = await begin(service, { ...POLICY, steps, formalNotice: null }, -1);
    await life.ready();
    const { creditor, id: invoiceId } = life;
    const holds = (wanted: string) =>
      until(`holds "${wanted}"`, async () => (await life.state()).holds.join() === wanted);
    const promise = await life.within((tx, act) =>
      makePromise(tx, act, creditor.id, { invoiceId, payOn: life.day(20), amountMinor: null, by: null }),
    );
    await holds('promise');
    await life.within((tx, act) => withdrawPromise(tx, act, creditor.id, promise.id));
    await holds('');
    const dispute = await life.within((tx, act) =>
      openDispute(tx, act, creditor.id, { invoiceId, amountMinor: null, category: 'price', note: null }),
    );
    await holds('dispute');
    await life.within((tx, act) =>
      resolveDispute(tx, act, creditor.id, dispute.id, { outcome: 'rejected', creditMinor: null, note: null }),
    );
    await holds('');
  });

  it.concurrent(
    'a copy of the notice leaves by e-mail once its letter is posted, and is no notice itself',
    async () => {
      const life = await begin(service, { ...POLICY, formalNotice: { ...NOTICE, emailCopy: true } }, 1);
      await life.happened('stepTaken:~formalNotice');
      expect(await life.timeline()).not.toContain('contactQueued:~noticeCopy');
      await post(life, 'dispatched');
      await life.happened('contactSent:~noticeCopy');
      await post(life, 'delivered');
      const mail = life.mails().at(-1)!;
      expect(mail).toContain('Copie par courriel');
      expect(mail).toContain('1 200,00');
      await life.happened('approvalAsked:placement');
      const told = await life.timeline();
      expect(told.filter((kind) => kind === 'contactQueued:~noticeCopy')).toHaveLength(1);
      expect(told.filter((kind) => kind === 'formalNoticeSent')).toHaveLength(1);
      expect(await contactCounters(service.db)).toEqual({ duplicate: 0, afterPayment: 0 });
    },
  );

  it.concurrent('no copy leaves of a notice whose amount is no longer owed', async () => {
    const life = await begin(service, { ...POLICY, formalNotice: { ...NOTICE, emailCopy: true } }, 1);
    await life.happened('stepTaken:~formalNotice');
    await life.within(async (tx, act) => {
      const [letter] = await noticesOf(life);
      await recordPost(tx, act, life.creditor.id, letter!.id, { status: 'dispatched', on: life.day(0, act.at) });
      // Before the case could look: in the same moment part of it is paid.
      const payment = { invoiceId: life.id, amountMinor: 20_000n, currency: 'EUR', receivedOn: life.day(0, act.at) };
      await recordPayment(tx, act, payment, service.deps.holidaySet);
    });
    await life.happened('approvalAsked:placement');
    expect((await life.timeline()).filter((kind) => kind.endsWith(':~noticeCopy'))).toEqual([]);
  });

  it.concurrent('a notice that comes back is a person’s business, who can send it again', async () => {
    const life = await begin(service, POLICY, 1);
    await life.happened('stepTaken:~formalNotice');
    await post(life, 'dispatched');
    await until('the stage', async () => (await life.row()).stage === 'formalNotice');
    await post(life, 'returned');
    await until('the stage', async () => (await life.row()).stage === 'reminding');
    const { customer } = life;
    const returned = await service.db
      .selectFrom('tasks')
      .select('status')
      .where('customer_id', '=', customer.id)
      .where('kind', '=', 'returnedMail')
      .execute();
    expect(returned).toEqual([{ status: 'open' }]);
    await until('a person goes on', async () => (await life.tasks('ladderEnded')).length === 1);
    expect(await life.command('sendFormalNotice', { role: 'approver' })).toEqual({ accepted: true, code: null });
    await until('another letter', async () => (await noticesOf(life)).length === 2);
    await post(life, 'dispatched');
    await until('the stage', async () => (await life.row()).stage === 'formalNotice');
  });

  it.concurrent('what was approved once is asked again after the case came back from where it led', async () => {
    const life = await begin(service, POLICY, 1);
    const agencyId = await addAgency(life);
    await life.happened('stepTaken:~formalNotice');
    await post(life, 'dispatched');
    await life.happened('approvalAsked:placement');
    const [task] = await life.tasks('approve');
    const answer = { taskId: task!.id, decision: 'approved', agencyId };
    expect(await life.command('approve', answer)).toEqual({ accepted: true, code: null });
    await until('the stage', async () => (await life.row()).stage === 'placed');
    const { receiptId } = await life.pay(120_000n);
    await life.closed();
    await life.undo(receiptId);
    expect(await life.row()).toMatchObject({ stage: 'formalNotice', run: 2 });
    await life.happened('approvalAsked:placement', 2);
    expect((await life.row()).stage).toBe('formalNotice');
    const asked = await life.tasks('approve');
    expect(asked.map((t) => t.status)).toEqual(['done', 'open']);

    // Given up twice at once, it is given up once.
    // The second meets a case that is closing, or one that has closed.
    const both = await Promise.allSettled([life.command('writeOff'), life.command('writeOff')]);
    expect(both.filter((one) => one.status === 'fulfilled' && one.value.accepted)).toHaveLength(1);
    await life.closed();
    expect((await life.timeline()).filter((kind) => kind === 'writtenOff')).toHaveLength(1);
    expect(await life.within((tx, act) => reopenByHand(tx, act, life.creditor.id, life.id))).toBeNull();
    await until('a new turn', async () => (await life.row()).next !== null);
    expect(await life.row()).toMatchObject({ stage: 'formalNotice', balance_minor: 120_000n });
  });

  it.concurrent('proceedings over the customer take the notice back that nobody has posted', async () => {
    const life = await begin(service, POLICY, 1);
    await life.happened('stepTaken:~formalNotice');
    const { creditor, customer } = life;
    const proceedings = { kind: 'liquidation' as const, judgmentOn: life.day(), publishedOn: null, trustee: null };
    await life.within((tx, act) =>
      declareInsolvency(tx, act, creditor.id, customer.id, proceedings, service.deps.holidays),
    );
    expect(await noticesOf(life)).toMatchObject([{ status: 'withdrawn', error_code: 'insolvency' }]);
    expect(await life.tasks('letter')).toMatchObject([{ status: 'cancelled' }]);
    await until('the stage', async () => (await life.row()).stage === 'reminding');
    expect((await life.state()).holds).toEqual(['insolvency']);
  });

  const noticesOf = (life: Life) =>
    service.db
      .selectFrom('contacts as c')
      .innerJoin('contact_items as i', 'i.contact_id', 'c.id')
      .select(['c.id', 'c.status', 'c.error_code'])
      .where('i.invoice_id', '=', life.id)
      .where('i.step', '=', '~formalNotice')
      .orderBy('c.seq')
      .execute();

  const post = async (life: Life, status: PostStatus): Promise<void> => {
    await until('a letter', async () => (await noticesOf(life)).length > 0);
    const letter = (await noticesOf(life)).at(-1)!;
    await life.within((tx, act) =>
      recordPost(tx, act, life.creditor.id, letter.id, { status, on: life.day(0, act.at) }),
    );
  };

  const addAgency = async (life: Life): Promise<string> => {
    const id = newAgencyId();
    const agency = { id, creditorId: life.creditor.id, name: 'Recouvrement Exemple', deliverBy: 'download' as const };
    const nothing = {
      reference: null,
      feeText: null,
      email: null,
      address: null,
      webhookUrl: null,
      sealedSecret: null,
    };
    await life.within((tx, act) => createAgency(tx, act, { ...agency, ...nothing }));
    return id;
  };
});
