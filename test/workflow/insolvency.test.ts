import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeByHand } from '../../api/task-completion.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { closeInsolvency, declareInsolvency, findInsolvency } from '../../db/repositories/insolvencies.ts';
import { recordInbound } from '../../db/repositories/inbound.ts';
import { findTask } from '../../db/repositories/task-list.ts';
import { addInvoice, EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin, Life } from './life.ts';

const POLICY = {
  contact: EVERY_DAY,
  steps: [
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 10, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
  ],
  writeOff: { approval: 'approver' },
};

describe('proceedings and replies on the engine', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 800 });
  }, 60_000);
  afterAll(async () => service.stop());

  const declare = (life: Life, judgmentOn: string) =>
    life.within((tx, act) =>
      declareInsolvency(
        tx,
        act,
        life.creditor.id,
        life.customer.id,
        { kind: 'receivership', judgmentOn, publishedOn: null, trustee: null },
        service.deps.holidays,
      ),
    );
  const close = (life: Life, outcome: 'withdrawn' | 'noAssets') =>
    life.within((tx, act) => closeInsolvency(tx, act, life.creditor.id, life.customer.id, { outcome, on: null }));

  it.concurrent(
    'holds the old invoice, writes its form, and lets a later one be reminded in its own lane',
    async () => {
      const life = await begin(service, POLICY, -2);
      await life.happened('contactSent:one');
      await declare(life, life.day(-1));
      await until('the hold', async () => (await life.state()).holds.includes('insolvency'));
      expect((await life.state()).next).toBeNull();
      const known = () => findInsolvency(service.db, life.creditor.id, life.customer.id);
      await until('the form', async () => (await known())?.documentId);

      const issuedOn = life.day();
      const later = new Life(
        service,
        life.creditor,
        life.customer,
        await addInvoice(service, life.creditor, life.customer, { issuedOn, dueOn: issuedOn }),
      );
      await later.happened('contactSent:two');
      expect((await life.timeline()).filter((kind) => kind.startsWith('contactSent'))).toEqual(['contactSent:one']);

      await close(life, 'withdrawn');
      await life.happened('contactSent:two');
      expect((await life.state()).holds).toEqual([]);
    },
  );

  it.concurrent('proposes the write-off where there are no assets', async () => {
    const life = await begin(service, POLICY, -2);
    await life.happened('contactSent:one');
    await declare(life, life.day(-1));
    await close(life, 'noAssets');
    await until('the question', async () => (await life.tasks('approve')).length > 0);
    const [task] = await life.tasks('approve');
    const answered = await life.command('approve', { taskId: task!.id, decision: 'approved' });
    expect(answered).toEqual({ accepted: true, code: null });
    await life.closed();
    expect((await life.row()).stage).toBe('writtenOff');
  });

  it.concurrent('waits for a reply to be read, and goes on by itself when nobody reads it', async () => {
    const life = await begin(service, POLICY, 100);
    await life.ready();
    const reply = () =>
      life.within((tx, act) =>
        recordInbound(
          tx,
          act,
          life.creditor.id,
          { customerId: life.customer.id, channel: 'email', receivedAt: act.at, text: 'CANARY', invoiceIds: [] },
          service.deps.holidaySet,
        ),
      );
    await reply();
    await until('the hold', async () => (await life.state()).holds.includes('customer'));
    const task = await service.db
      .selectFrom('tasks')
      .select('id')
      .where('customer_id', '=', life.customer.id)
      .where('kind', '=', 'readReply')
      .executeTakeFirstOrThrow();
    await life.within(async (tx, act) =>
      completeByHand(
        { holidays: service.deps.holidays } as unknown as ApiDeps,
        tx,
        act,
        life.creditor.id,
        (await findTask(tx, life.creditor.id, task.id))!,
        { invoiceId: life.id, promise: { payOn: life.day(5) } },
      ),
    );
    await until('the promise', async () => (await life.state()).holds.join() === 'promise');
    await reply();
    await until('both holds', async () => (await life.state()).holds.length === 2);
    await life.happened('released', 2);
    expect(JSON.stringify(await life.events())).not.toContain('CANARY');
  });
});
