import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { IntakeWriter } from '../../db/repositories/inbox.ts';
import { feedWorkflowId } from '../../workflows/ids.ts';
import { addInvoice, EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin, Life } from './life.ts';

const POLICY = {
  contact: EVERY_DAY,
  unappliedCash: { holdShare: '0.5', holdWorkingDays: 3 },
  steps: [{ key: 'one', day: 300, from: 'due', channel: 'email', template: 'reminder' }],
};

interface Booking {
  id: string;
  amount: string;
  currency?: string;
  remittance: string;
}

/** A payment's way: the inbox, the feed's workflow, the allocation, the case. */
describe('what a bank tells', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 86_400_000 });
  }, 60_000);
  afterAll(async () => service.stop());

  async function account(life: Life): Promise<string> {
    const feed = newId('fee');
    await inTransaction(service.db, (tx) =>
      tx
        .insertInto('feeds')
        .values({ id: feed, creditor_id: life.creditor.id, kind: 'standard', name: 'Account', created_at: new Date() })
        .execute(),
    );
    return feed;
  }

  const body = (data: object, type = 'transaction.booked') =>
    Buffer.from(JSON.stringify({ type, timestamp: '2026-03-02T09:00:00Z', data }));
  const booked = ({ id, amount, currency = 'EUR', remittance }: Booking) =>
    body({ id, bookedOn: '2026-03-02', amount, currency, direction: 'credit', remittance });

  /** Stores webhooks as the API does, each with its poke. */
  async function receive(
    life: Life,
    feed: string,
    webhooks: readonly { webhookId: string; dataKey: string | null; body: Buffer }[],
  ) {
    const writer = new IntakeWriter(service.db);
    return await Promise.all(
      webhooks.map((webhook) =>
        writer.write({ feedId: feed, creditorId: life.creditor.id, receivedAt: service.clock.now(), ...webhook }),
      ),
    );
  }
  const drained = (feed: string) =>
    until('an empty inbox', async () => {
      const pending = await service.db
        .selectFrom('inbox')
        .select('id')
        .where('feed_id', '=', feed)
        .where('status', '=', 'pending')
        .execute();
      return pending.length === 0;
    });
  const receipts = (feed: string) =>
    service.db.selectFrom('receipts').selectAll().where('feed_id', '=', feed).orderBy('seq').execute();

  it.concurrent('settles the invoice it quotes, and applies a thousand copies once', async () => {
    const life = await begin(service, POLICY, 30, { number: 'FEED-2026-0001' });
    await life.ready();
    const feed = await account(life);
    const one = booked({ id: 'b-1', amount: '1200.00', remittance: 'facture FEED-2026-0001 merci' });
    const copies = Array.from({ length: 1_000 }, (_, n) => ({
      webhookId: n % 2 ? 'w-1' : `w-${n}`,
      dataKey: 'b-1',
      body: one,
    }));
    const stored = await receive(life, feed, copies);
    expect(stored.filter((s) => s === 'stored')).toHaveLength(1);
    await life.closed();
    expect((await life.row()).stage).toBe('settled');
    expect(await receipts(feed)).toHaveLength(1);
    const details = await service.client.workflow
      .getHandle(feedWorkflowId(feed))
      .query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(details.currentDetails).toContain('**backlog** 0');
  });

  it.concurrent('puts money in another currency on the worklist and holds the invoice that is quoted', async () => {
    const life = await begin(service, POLICY, 30, { number: 'FEED-2026-0002' });
    await life.ready();
    const feed = await account(life);
    await receive(life, feed, [
      {
        webhookId: 'w-1',
        dataKey: 'b-1',
        body: booked({ id: 'b-1', amount: '1200.00', currency: 'USD', remittance: 'FEED-2026-0002' }),
      },
    ]);
    await drained(feed);
    const [receipt] = await receipts(feed);
    expect(receipt).toMatchObject({ unapplied_minor: 120_000n, currency: 'USD' });
    const task = await service.db
      .selectFrom('tasks')
      .select(['kind', 'status', 'data'])
      .where('receipt_id', '=', receipt!.id)
      .executeTakeFirst();
    expect(task).toMatchObject({ kind: 'unappliedCash', status: 'open', data: { reason: 'otherCurrency' } });
    await until('the hold', async () => (await life.state()).holds.includes('unappliedCash'));
    expect((await life.row()).balance_minor).toBe(120_000n);
  });

  it.concurrent('applies nothing where two invoices are quoted, and holds both', async () => {
    const life = await begin(service, POLICY, 30, { number: 'FEED-2026-0003' });
    const second = await addInvoice(service, life.creditor, life.customer, {
      issuedOn: '2026-01-02',
      dueOn: '2026-04-01',
      number: 'FEED-2026-0004',
    });
    const twin = new Life(service, life.creditor, life.customer, second);
    await twin.ready();
    await life.ready();
    const feed = await account(life);
    await receive(life, feed, [
      {
        webhookId: 'w-1',
        dataKey: 'b-1',
        body: booked({ id: 'b-1', amount: '2000.00', remittance: 'FEED-2026-0003 FEED-2026-0004' }),
      },
      { webhookId: 'w-2', dataKey: 'b-2', body: booked({ id: 'b-2', amount: '5.00', remittance: 'merci' }) },
    ]);
    await drained(feed);
    expect((await receipts(feed)).map((r) => r.unapplied_minor)).toEqual([200_000n, 500n]);
    for (const held of [life, twin]) {
      await until('the hold', async () => (await held.state()).holds.includes('unappliedCash'));
      expect((await held.row()).balance_minor).toBe(120_000n);
    }
  });

  it.concurrent('applies in the order in which it came, and undoes what was returned', async () => {
    const life = await begin(service, POLICY, 30, { number: 'FEED-2026-0005' });
    await life.ready();
    const feed = await account(life);
    await receive(life, feed, [
      { webhookId: 'w-1', dataKey: 'b-1', body: booked({ id: 'b-1', amount: '200.00', remittance: 'FEED-2026-0005' }) },
    ]);
    await until('the part', async () => (await life.state()).balance === '1000.00');
    const returned = {
      id: 'r-1',
      originalId: 'b-1',
      amount: '200.00',
      currency: 'EUR',
      bookedOn: '2026-03-02',
      reasonCode: 'AC04',
    };
    await receive(life, feed, [
      { webhookId: 'w-2', dataKey: 'b-2', body: booked({ id: 'b-2', amount: '100.00', remittance: 'FEED-2026-0005' }) },
      { webhookId: 'w-3', dataKey: 'r-1', body: body(returned, 'transaction.returned') },
      { webhookId: 'w-4', dataKey: null, body: Buffer.from('not json') },
    ]);
    await drained(feed);
    await until('what is owed now', async () => (await life.state()).balance === '1100.00');
    expect((await life.timeline()).filter((k) => /payment|allocation/.test(k))).toEqual([
      'paymentAllocated',
      'paymentAllocated',
      'allocationReversed',
    ]);
    const odd = await service.db
      .selectFrom('inbox')
      .select('status')
      .where('feed_id', '=', feed)
      .where('webhook_id', '=', 'w-4')
      .executeTakeFirst();
    expect(odd).toEqual({ status: 'unreadable' });
  });
});
