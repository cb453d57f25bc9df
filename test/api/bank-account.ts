import { afterAll, beforeAll, expect } from 'vitest';
import { verifyChain } from '../../db/repositories/events.ts';
import { check } from '../../db/repositories/ledger.ts';
import { newFeed, type TestFeed } from './feed.ts';
import { startApi, type Harness, type Reply, type TestCreditor } from './harness.ts';

/** What the tests of one file share: an API, a creditor of its own and the bank account that tells it of money. */
export interface BankAccount {
  h: Harness;
  c: TestCreditor;
  feed: TestFeed;
}

/**
 * Opens it before the tests of the file that calls this, and hands it to `opened`. After them, whatever they did, the books
 * must balance and every case's chain of events must hold. Returns requests with the operator's key.
 */
export function withBankAccount(opened: (account: BankAccount) => void) {
  let h: Harness;
  let c: TestCreditor;
  beforeAll(async () => {
    h = await startApi();
    c = await h.creditor();
    opened({ h, c, feed: await newFeed(h, c.approver) });
  });
  afterAll(async () => {
    expect(await check(h.db)).toEqual([]);
    for (const { id } of await h.db.selectFrom('invoices').select('id').execute()) {
      expect(await verifyChain(h.db, id)).toEqual([]);
    }
    await h.stop();
  });
  return {
    /** The body of what is there. */
    get: async (url: string): Promise<Reply['body']> => (await h.call(c.operator, 'GET', url)).body,
    post: (url: string, body: object): Promise<Reply> => h.call(c.operator, 'POST', url, body),
  };
}
