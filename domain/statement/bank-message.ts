import type { Transaction } from './transaction.ts';

/**
 * What one webhook of a bank or payment provider says, once its signature is proven. Order is nobody's promise: a return
 * may come before what it undoes.
 */
export type BankMessage =
  /** Money moved on the account, or goes back: `transaction.returns` names what it undoes by the provider's id. */
  | { kind: 'transaction'; transaction: Transaction }
  /** A collection that was asked for did not work and no money had come: the invoice is chased again (api.md, `collection`). */
  | { kind: 'collectionFailed'; paymentId: string; reasonCode: string | null; references: string[] }
  /** Only that something changed: the provider must be asked. `id` is what to ask for, in the provider's own words. */
  | { kind: 'fetch'; resource: 'account' | 'payment' | 'refund'; id: string; event: string }
  /** Understood, and nothing of ours: a payout, money that left, a state on the way. `why` is a stable code. */
  | { kind: 'nothing'; why: string };
