import { drainFeed } from '../../db/repositories/bank-transactions.ts';
import { NOW, signed, type Harness } from './harness.ts';

/** A bank account of a creditor that tells of money, and the drain that takes it in. */
export interface TestFeed {
  id: string;
  /** Money comes in and is matched; the receipt's id. */
  pays(money: Money): Promise<string>;
  /** A message as it is, without a drain. */
  tells(type: string, data: object): Promise<void>;
  drain(): Promise<void>;
}

export interface Money {
  amount: string;
  currency?: string;
  bookedOn?: string;
  remittance?: string;
  counterparty?: { name?: string; iban?: string };
  endToEndId?: string;
  id?: string;
}

let serial = 0;

export async function newFeed(h: Harness, approver: string, iban?: string): Promise<TestFeed> {
  const made = await h.call(approver, 'POST', '/v1/feeds', {
    kind: 'standard',
    name: 'Account',
    ...(iban ? { iban } : {}),
  });
  const { id, secret } = made.body as { id: string; secret: string };
  const tells = async (type: string, data: object) => {
    serial += 1;
    const body = JSON.stringify({ type, data });
    const headers = signed(secret, `msg_feed_${serial}`, body);
    const reply = await h.call(null, 'POST', `/v1/webhooks/feeds/${id}`, body, headers);
    if (reply.status >= 300) throw new Error(`not taken: ${JSON.stringify(reply.body)}`);
  };
  const drain = async () => {
    await drainFeed(h.db, id, { now: NOW, holidays: () => new Set<string>() });
  };
  return {
    id,
    tells,
    drain,
    pays: async (money) => {
      serial += 1;
      const bankId = money.id ?? `btx_${serial}`;
      await tells('transaction.booked', {
        currency: 'EUR',
        bookedOn: '2026-11-18',
        direction: 'credit',
        ...money,
        id: bankId,
      });
      await drain();
      const row = await h.db
        .selectFrom('bank_transactions')
        .select('receipt_id')
        .where('feed_id', '=', id)
        .where('bank_id', '=', bankId)
        .executeTakeFirstOrThrow();
      return row.receipt_id!;
    },
  };
}
