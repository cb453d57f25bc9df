import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { liftHold, setHold } from '../../db/repositories/holds.ts';
import { changeDueOn } from '../../db/repositories/invoices.ts';
import { signalCase } from '../../db/repositories/outbox.ts';
import { makePromise, withdrawPromise } from '../../db/repositories/promises.ts';
import { stateQuery } from '../../workflows/messages.ts';
import { searchAttributes } from '../../workflows/search-attributes.ts';
import { EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin } from './life.ts';

const LADDER = {
  contact: EVERY_DAY,
  promise: { graceDays: 1, maxDays: 30, maxBroken: 2 },
  steps: [
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 8, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
  ],
};
/** One step that left long ago as far as a test is concerned, and one that is far away. */
const SLOW = { ...LADDER, steps: [LADDER.steps[0]!, { ...LADDER.steps[1]!, day: 300 }] };

/** Facts reach a case in compressed time: eight seconds are ten days, so no test depends on how fast it runs. */
describe('what a case hears of', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 800 });
  }, 60_000);
  afterAll(async () => service.stop());

  it.concurrent('asks for what is left after a part payment, on the same ladder', async () => {
    const life = await begin(service, LADDER, -1);
    await life.happened('stepTaken:one');
    await life.pay(20_000n);
    await until('the new balance', async () => (await life.state()).balance === '1000.00');
    await life.happened('contactSent:two');
    expect(life.mails()).toHaveLength(2);
    expect(life.mails()[1]).toContain('1 000,00');
    expect((await life.timeline()).filter((k) => k.startsWith('stepTaken'))).toEqual([
      'stepTaken:one',
      'stepTaken:two',
    ]);
  });

  it.concurrent('keeps silent while a promise holds, and is closed when it is kept', async () => {
    const life = await begin(service, SLOW, -1);
    await life.happened('stepTaken:one');
    await life.within((tx, act) =>
      makePromise(tx, act, life.creditor.id, { invoiceId: life.id, payOn: life.day(20), amountMinor: null, by: null }),
    );
    await until('the hold', async () => (await life.state()).holds.includes('promise'));
    await life.pay(120_000n);
    await life.closed();
    expect(await life.timeline()).toEqual(expect.arrayContaining(['promised', 'promiseKept', 'settled']));
    expect((await life.row()).stage).toBe('settled');
  });

  it.concurrent('goes on the day after a promise broke', async () => {
    const life = await begin(service, LADDER, -1);
    await life.happened('stepTaken:one');
    await life.within((tx, act) =>
      makePromise(tx, act, life.creditor.id, { invoiceId: life.id, payOn: life.day(2), amountMinor: null, by: null }),
    );
    await life.happened('promiseBroken');
    await life.happened('stepTaken:two');
    const line = await life.timeline();
    expect(line.indexOf('stepTaken:two')).toBeGreaterThan(line.indexOf('promiseBroken'));
  });

  it.concurrent('goes on at once when a promise is withdrawn', async () => {
    const life = await begin(service, SLOW, -1);
    await life.ready();
    const promise = await life.within((tx, act) =>
      makePromise(tx, act, life.creditor.id, { invoiceId: life.id, payOn: life.day(25), amountMinor: null, by: null }),
    );
    await until('the hold', async () => (await life.state()).holds.includes('promise'));
    await life.within((tx, act) => withdrawPromise(tx, act, life.creditor.id, promise.id));
    await until('no hold', async () => (await life.state()).holds.length === 0);
    expect((await life.state()).next).not.toBeNull();
  });

  it.concurrent('asks for the rest where only a part is promised', async () => {
    const life = await begin(service, LADDER, 1);
    await life.ready();
    await life.within((tx, act) =>
      makePromise(tx, act, life.creditor.id, {
        invoiceId: life.id,
        payOn: life.day(28),
        amountMinor: 50_000n,
        by: null,
      }),
    );
    await life.happened('contactSent:one');
    expect(life.mails()[0]).toContain('700,00');
    expect(life.mails()[0]).not.toContain('Total : 1 200,00');
  });

  it.concurrent('leaves a contested part out, and asks for it again once it was rejected', async () => {
    const life = await begin(service, LADDER, 1);
    await life.ready();
    const dispute = await life.within((tx, act) =>
      openDispute(tx, act, life.creditor.id, {
        invoiceId: life.id,
        amountMinor: 30_000n,
        category: 'price',
        note: null,
      }),
    );
    await life.happened('contactSent:one');
    expect(life.mails()[0]).toContain('900,00');
    await life.within((tx, act) =>
      resolveDispute(tx, act, life.creditor.id, dispute.id, { outcome: 'rejected', creditMinor: null, note: null }),
    );
    await life.happened('contactSent:two');
    expect(life.mails()[1]).toContain('1 200,00');
  });

  it.concurrent('is held by a dispute of the whole, and cancelled when that is upheld', async () => {
    const life = await begin(service, SLOW, 3);
    await life.ready();
    const dispute = await life.within((tx, act) =>
      openDispute(tx, act, life.creditor.id, {
        invoiceId: life.id,
        amountMinor: null,
        category: 'quality',
        note: null,
      }),
    );
    await until('the hold', async () => (await life.state()).holds.includes('dispute'));
    expect((await life.state()).next).toBeNull();
    await life.within((tx, act) =>
      resolveDispute(tx, act, life.creditor.id, dispute.id, { outcome: 'upheld', creditMinor: null, note: null }),
    );
    await life.closed();
    expect((await life.row()).stage).toBe('cancelled');
    expect(life.mails()).toEqual([]);
  });

  it.concurrent('asks for the rest of a dispute that was settled in part', async () => {
    const life = await begin(service, LADDER, 1);
    await life.ready();
    const dispute = await life.within((tx, act) =>
      openDispute(tx, act, life.creditor.id, { invoiceId: life.id, amountMinor: null, category: 'price', note: null }),
    );
    await until('the hold', async () => (await life.state()).holds.includes('dispute'));
    await life.within((tx, act) =>
      resolveDispute(tx, act, life.creditor.id, dispute.id, { outcome: 'partly', creditMinor: 40_000n, note: null }),
    );
    await life.happened('contactSent:one');
    expect(life.mails()[0]).toContain('800,00');
    expect(await life.timeline()).toEqual(expect.arrayContaining(['creditNoted', 'disputeResolved']));
  });

  it.concurrent('obeys a hold of the customer, and goes on when it is lifted', async () => {
    const life = await begin(service, SLOW, 4);
    await life.ready();
    const hold = await life.within((tx, act) =>
      setHold(tx, act, { customerId: life.customer.id, invoiceId: null, kind: 'customer', untilOn: null }),
    );
    await until('the hold', async () => (await life.state()).holds.includes('customer'));
    expect((await life.state()).next?.step ?? null).toBeNull();
    await life.within((tx, act) => liftHold(tx, act, hold));
    await life.happened('stepTaken:one');
  });

  it.concurrent('moves with its due date', async () => {
    const life = await begin(service, SLOW, 2);
    await life.ready();
    await life.within((tx, act) => changeDueOn(tx, act, life.creditor.id, life.id, life.day(200)));
    await until('the later wake-up', async () => (await life.state()).next!.at.slice(0, 10) > life.day(150));
    await life.within((tx, act) => changeDueOn(tx, act, life.creditor.id, life.id, life.day(0)));
    await life.happened('stepTaken:one');
  });

  it.concurrent('takes no second turn for a fact it has heard, and no new timer for a date that stays', async () => {
    const life = await begin(service, SLOW, 100);
    await life.ready();
    await life.quiet();
    for (let i = 0; i < 3; i++) await life.within((tx) => signalCase(tx, life.id, 'promised', 'pro_same'));
    await life.within((tx) => signalCase(tx, life.id, 'disputed', 'dis_other'));
    await life.quiet();
    await life.state();
    const events = await until('all of it in the history', async () => {
      const all = await life.events();
      return all.filter((e) => e.workflowExecutionSignaledEventAttributes).length === 4 ? all : null;
    });
    expect(events.filter((e) => e.timerStartedEventAttributes)).toHaveLength(1);
    expect(events.filter((e) => e.timerCanceledEventAttributes)).toHaveLength(0);
    // The first turn, and one for each of the two facts at most.
    const turns = events.filter((e) => e.markerRecordedEventAttributes).length;
    expect(turns).toBeGreaterThan(1);
    expect(turns).toBeLessThan(4);
  });

  it.concurrent('explains itself in the Temporal UI, with few writes', async () => {
    const life = await begin(service, SLOW, 100);
    await life.ready();
    const before = await life.handle.describe();
    expect(before.typedSearchAttributes.get(searchAttributes.customerId)).toBe(life.customer.id);
    expect(before.typedSearchAttributes.get(searchAttributes.caseStage)).toBe('upcoming');
    expect(before.typedSearchAttributes.get(searchAttributes.balanceMinor)).toBe(120_000);
    // Set at the start, so that a case is found by what is next before anything has changed in it.
    const { next } = await life.handle.query(stateQuery);
    expect(before.typedSearchAttributes.get(searchAttributes.nextAction)).toBe(next?.action);
    expect(before.typedSearchAttributes.get(searchAttributes.nextActionAt)).toEqual(new Date(next!.at));
    expect(before.staticSummary?.()).toBeDefined();
    expect(await before.staticSummary()).toMatch(/^1200\.00 EUR, due \d{4}-\d\d-\d\d, run 1$/);
    await life.quiet();
    const upserts = async () =>
      (await life.events()).filter((e) => e.upsertWorkflowSearchAttributesEventAttributes).length;
    expect(await upserts()).toBeLessThan(2);
    await life.pay(20_000n);
    await until('the new balance', async () => {
      const { typedSearchAttributes } = await life.handle.describe();
      return typedSearchAttributes.get(searchAttributes.balanceMinor) === 100_000;
    });
    const after = await upserts();
    await life.within((tx) => signalCase(tx, life.id, 'promised', 'pro_nothing'));
    await life.quiet();
    await life.state();
    expect(await upserts()).toBe(after);

    const metadata = await life.handle.query<{
      currentDetails: string;
      definition: Record<'signalDefinitions' | 'updateDefinitions' | 'queryDefinitions', { description: string }[]>;
    }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain('**balance** 1000.00 EUR');
    expect(metadata.currentDetails).toMatch(/\| day\s+\| step\s+\| channel\s+\|/);
    const { signalDefinitions, updateDefinitions, queryDefinitions } = metadata.definition;
    expect(signalDefinitions).toHaveLength(11);
    for (const handler of [...signalDefinitions, ...updateDefinitions]) expect(handler.description).toMatch(/\.$/);
    expect(queryDefinitions.length).toBeGreaterThan(1);
    const timer = (await life.events()).find((e) => e.timerStartedEventAttributes);
    expect(timer?.userMetadata?.summary).toBeDefined();
  });

  it.concurrent('closes once, whatever comes while it does, and reopens at its rung', async () => {
    const life = await begin(service, SLOW, -1);
    await life.happened('stepTaken:one');
    const { receiptId } = await life.pay(120_000n);
    // Facts told at the same time neither keep it open nor fail.
    await Promise.all([
      ...Array.from({ length: 5 }, (_, i) => life.within((tx) => signalCase(tx, life.id, 'creditNoted', `evt_${i}`))),
      life.closed(),
    ]);
    await life.undo(receiptId);
    await until('run 2', async () => (await life.handle.describe()).memo?.['run'] === 2);
    const state = await until('its turn', async () => {
      const seen = await life.state();
      return seen.balance === '1200.00' ? seen : null;
    });
    expect(state).toMatchObject({ run: 2, stage: 'reminding' });
    expect(state.done.map((d) => d.step)).toEqual(['one']);
    expect(state.next).toMatchObject({ step: 'two' });
    await life.quiet();
    expect((await life.timeline()).filter((k) => k === 'settled' || k === 'reopened')).toEqual(['settled', 'reopened']);
  });
});
