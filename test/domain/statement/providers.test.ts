import { describe, expect, test } from 'vitest';
import { DomainError } from '../../../domain/errors.ts';
import type { BankMessage } from '../../../domain/statement/bank-message.ts';
import { readBridge, transactionOfBridge } from '../../../domain/statement/providers/bridge.ts';
import {
  eventOfGoCardless,
  readGoCardless,
  transactionOfPayment,
  transactionOfRefund,
} from '../../../domain/statement/providers/gocardless.ts';
import { readQonto } from '../../../domain/statement/providers/qonto.ts';
import { readProvider } from '../../../domain/statement/providers/read.ts';
import { readStandard } from '../../../domain/statement/providers/standard.ts';
import { readStripe } from '../../../domain/statement/providers/stripe.ts';
import type { Transaction } from '../../../domain/statement/transaction.ts';
import {
  ALL_BODIES,
  bridgeAccountUpdated,
  bridgeTransaction,
  bytes,
  gocardlessEvent,
  gocardlessPayment,
  gocardlessRefund,
  qontoTransaction,
  standardBooked,
  standardReturned,
  stripeCash,
  stripeCharge,
  stripeDispute,
  stripeEvent,
  stripeRefund,
} from '../../support/webhook-bodies.ts';

/** The one transaction of a message. */
function transactionIn(messages: BankMessage | BankMessage[]): Transaction {
  const [message, ...others] = [messages].flat();
  expect(others).toEqual([]);
  if (message?.kind !== 'transaction') throw new Error(`no transaction but ${JSON.stringify(message)}`);
  return message.transaction;
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'none';
}

const nothing = (why: string): BankMessage[] => [{ kind: 'nothing', why }];

test.each(['standard', 'qonto', 'bridge', 'stripe', 'gocardless'] as const)(
  '%s: what is unreadable says why',
  (kind) => {
    const read = (text: string | Buffer) => codeOf(() => readProvider(kind, Buffer.from(text as string)));
    expect(read('not { json')).toBe('notJson');
    expect(read(Buffer.from([0xff, 0xfe]))).toBe('notJson');
    const untyped = kind === 'gocardless' ? 'messageInvalid' : 'unknownMessage';
    expect([read('null'), read('[]'), read('{}'), read('{"type":1}')]).toEqual(Array(4).fill(untyped));
  },
);

test('every shape is read', () => {
  expect(ALL_BODIES.map(([kind, body]) => readProvider(kind, bytes(body)).map((message) => message.kind))).toEqual([
    ['transaction'],
    ['transaction'],
    ['transaction'],
    ['fetch'],
    ['transaction'],
    ['collectionFailed'],
    ['transaction'],
    ['transaction'],
    ['transaction'],
    ['transaction'],
    ['fetch'],
    ['collectionFailed'],
  ]);
});

describe('standard', () => {
  test('a credit is booked, a debit too, below zero', () => {
    const credit = transactionIn(readStandard(bytes(standardBooked({ remittance: ' RF18 5390 0754 7034 ' }))));
    expect(credit).toEqual({
      status: 'booked',
      bookedOn: '2026-11-20',
      valueOn: null,
      amountMinor: 120_000n,
      currency: 'EUR',
      counterparty: { name: 'Bouchard SARL', ultimateName: null, account: 'FR7630006000011234567890189' },
      structuredReferences: ['RF18539007547034'],
      remittance: 'RF18 5390 0754 7034',
      bankText: null,
      bankId: 't-1',
      endToEndId: null,
      mandateId: null,
      returns: null,
      feesMinor: null,
      bankCode: null,
      source: 'standard',
      position: 't-1',
    } satisfies Transaction);
    expect(transactionIn(readStandard(bytes(standardBooked({ direction: 'debit' })))).amountMinor).toBe(-120_000n);
  });

  test('a return names what it undoes', () => {
    expect(transactionIn(readStandard(bytes(standardReturned())))).toMatchObject({
      amountMinor: -120_000n,
      bankId: 't-2',
      returns: { reasonCode: 'AC04', originalBankId: 't-1', originalAmountMinor: null },
    });
  });
});

describe('Qonto', () => {
  const read = (change = {}) => readQonto(bytes(qontoTransaction(change)));

  test('a settled credit is booked on the day it settled in France, to the cent', () => {
    expect(transactionIn(read())).toEqual({
      status: 'booked',
      bookedOn: '2026-11-21',
      valueOn: null,
      amountMinor: 123_456_789n,
      currency: 'EUR',
      counterparty: { name: 'Bouchard', ultimateName: null, account: null },
      structuredReferences: [],
      remittance: 'Facture F-2026-0123',
      bankText: 'BOUCHARD SARL',
      bankId: 'duvallon-1-transaction-6576',
      endToEndId: null,
      mandateId: null,
      returns: null,
      feesMinor: null,
      bankCode: 'income',
      source: 'qonto',
      position: 'duvallon-1-transaction-6576',
    } satisfies Transaction);
    expect(transactionIn(readQonto(bytes(qontoTransaction()), 'UTC')).bookedOn).toBe('2026-11-20');
  });

  test('what is under way is pending under the same id; a completed one that has not settled, too', () => {
    const pending = { status: 'pending', bookedOn: '2026-11-19', bankId: 'duvallon-1-transaction-6576' };
    expect(transactionIn(read({ status: 'pending', settled_at: null }))).toMatchObject(pending);
    expect(transactionIn(read({ settled_at: null }))).toMatchObject(pending);
  });

  test('nothing that left, was declined or is of another kind', () => {
    expect(read({ side: 'debit' })).toEqual(nothing('moneyLeft'));
    for (const status of ['declined', 'canceled', 'reversed'])
      expect(read({ status })).toEqual(nothing('notCompleted'));
    expect(readQonto(bytes({ ...qontoTransaction(), type: 'v1/accounts' }))).toEqual(nothing('otherEvent'));
  });

  test('amounts that are not exact are refused, never rounded', () => {
    const code = (amount: unknown, currency = 'EUR') => codeOf(() => read({ amount, currency }));
    expect(code(50.010_000_000_000_005)).toBe('amountInvalid');
    expect(code(50.001)).toBe('tooManyDecimals');
    expect(code(1e21)).toBe('amountInvalid');
    expect(code(1e-7)).toBe('amountInvalid');
    expect(code(0)).toBe('amountInvalid');
    expect(code(-1)).toBe('messageInvalid');
    expect(code('50.01')).toBe('messageInvalid');
    expect(code(1, 'XXX')).toBe('unknownCurrency');
    expect(code(1.5, 'JPY')).toBe('tooManyDecimals');
    for (const [amount, minor] of [
      [9_999_999.99, 999_999_999n],
      [4.35, 435n],
      [1e3, 100_000n],
    ] as const) {
      expect(transactionIn(read({ amount })).amountMinor).toBe(minor);
    }
  });
});

describe('Bridge', () => {
  const read = (change = {}) => readBridge(bytes(bridgeAccountUpdated(change)));

  test('tells only which account to ask', () => {
    expect(read()).toEqual([{ kind: 'fetch', resource: 'account', id: '22908770', event: 'item.account.updated' }]);
    expect(read({ nb_new_transactions: undefined })).toHaveLength(1);
    expect(read({ nb_new_transactions: 0 })).toEqual(nothing('balanceOnly'));
    expect(readBridge(bytes({ type: 'item.refreshed', content: {} }))).toEqual(nothing('otherEvent'));
    expect(readBridge(bytes({ type: 'TEST_EVENT', content: {} }))).toEqual(nothing('otherEvent'));
    expect(codeOf(() => read({ account_id: null }))).toBe('messageInvalid');
  });

  test('a transaction that was asked for', () => {
    expect(transactionIn(transactionOfBridge(bridgeTransaction()))).toEqual({
      status: 'booked',
      bookedOn: '2026-11-20',
      valueOn: '2026-11-20',
      amountMinor: 120_050n,
      currency: 'EUR',
      counterparty: { name: null, ultimateName: null, account: null },
      structuredReferences: [],
      remittance: 'VIR SEPA RECU /DE BOUCHARD SARL /MOTIF FACTURE F-2026-0123',
      bankText: 'Virement Bouchard',
      bankId: '1000013102238',
      endToEndId: null,
      mandateId: null,
      returns: null,
      feesMinor: null,
      bankCode: 'transfer',
      source: 'bridge',
      position: '1000013102238',
    } satisfies Transaction);
  });

  test('a debit, one to come, one deleted, and the names of older versions', () => {
    expect(transactionIn(transactionOfBridge(bridgeTransaction({ amount: -9.39 }))).amountMinor).toBe(-939n);
    expect(transactionIn(transactionOfBridge(bridgeTransaction({ future: true }))).status).toBe('pending');
    expect(transactionOfBridge({ id: 1, deleted: true })).toEqual({ kind: 'nothing', why: 'deleted' });
    const old = { ...bridgeTransaction(), provider_description: undefined, future: undefined, booking_date: undefined };
    expect(transactionIn(transactionOfBridge({ ...old, bank_description: 'VIR', is_future: true }))).toMatchObject({
      remittance: 'VIR',
      status: 'pending',
      bookedOn: '2026-11-19',
    });
    expect(codeOf(() => transactionOfBridge(null))).toBe('messageInvalid');
  });
});

describe('GoCardless', () => {
  const read = (action: string, change = {}) => readGoCardless(bytes(gocardlessEvent(action, change)));
  const withPayment = (action: string, payment = {}) =>
    transactionIn(transactionOfPayment(eventOfGoCardless(bytes(gocardlessEvent(action))), gocardlessPayment(payment)));

  test('what moves money must be fetched', () => {
    for (const action of ['confirmed', 'late_failure_settled', 'charged_back', 'chargeback_cancelled']) {
      expect(read(action)).toEqual([{ kind: 'fetch', resource: 'payment', id: 'PM0001', event: `payments.${action}` }]);
    }
    const links = { refund: 'RF0001' };
    for (const action of ['paid', 'funds_returned']) {
      expect(read(action, { resource_type: 'refunds', links })).toEqual([
        { kind: 'fetch', resource: 'refund', id: 'RF0001', event: `refunds.${action}` },
      ]);
    }
    expect(codeOf(() => read('confirmed', { links: {} }))).toBe('messageInvalid');
  });

  test('a collection failed, unless it is tried again', () => {
    for (const action of ['failed', 'cancelled', 'customer_approval_denied']) {
      expect(read(action)).toEqual([
        { kind: 'collectionFailed', paymentId: 'PM0001', reasonCode: 'AM04', references: ['F-2026-0123'] },
      ]);
    }
    expect(read('failed', { details: { will_attempt_retry: true } })).toEqual(nothing('triedAgain'));
    expect(read('failed', { details: { cause: 'mandate_cancelled' } })).toMatchObject([
      { reasonCode: 'mandate_cancelled' },
    ]);
  });

  test('the same money on its way, mandates and payouts are nothing', () => {
    for (const action of ['created', 'submitted', 'paid_out', 'chargeback_settled', 'resubmission_requested']) {
      expect(read(action)).toEqual(nothing('otherEvent'));
    }
    expect(read('cancelled', { resource_type: 'mandates' })).toEqual(nothing('otherEvent'));
    expect(read('paid', { resource_type: 'payouts' })).toEqual(nothing('otherEvent'));
  });

  test('a confirmed payment is a credit of the day the customer was debited', () => {
    expect(withPayment('confirmed')).toEqual({
      status: 'booked',
      bookedOn: '2026-11-20',
      valueOn: null,
      amountMinor: 120_000n,
      currency: 'EUR',
      counterparty: { name: null, ultimateName: null, account: null },
      structuredReferences: [],
      remittance: 'F-2026-0123 DUVALLON-1 November',
      bankText: null,
      bankId: 'PM0001',
      endToEndId: null,
      mandateId: 'MD0001',
      returns: null,
      feesMinor: null,
      bankCode: null,
      source: 'gocardless',
      position: 'PM0001',
    } satisfies Transaction);
  });

  test('a chargeback undoes the payment, and its cancellation the chargeback', () => {
    const back = withPayment('charged_back');
    expect(back).toMatchObject({
      bookedOn: '2026-11-25',
      amountMinor: -120_000n,
      returns: { reasonCode: 'AM04', originalBankId: 'PM0001', originalAmountMinor: 120_000n },
    });
    expect(withPayment('chargeback_cancelled')).toMatchObject({
      amountMinor: 120_000n,
      returns: { originalBankId: back.bankId },
    });
  });

  test('a late failure is one, told before and after it was settled', () => {
    const [failed, settled] = [withPayment('failed'), withPayment('late_failure_settled')];
    expect(failed).toMatchObject({ amountMinor: -120_000n, returns: { originalBankId: 'PM0001' } });
    expect(settled.bankId).toBe(failed.bankId);
  });

  test('a refund is a part that goes back', () => {
    const about = (action: string) =>
      eventOfGoCardless(bytes(gocardlessEvent(action, { resource_type: 'refunds', links: { refund: 'RF0001' } })));
    expect(transactionIn(transactionOfRefund(about('paid'), gocardlessRefund()))).toMatchObject({
      amountMinor: -20_000n,
      bankId: 'RF0001',
      returns: { originalBankId: 'PM0001', originalAmountMinor: 20_000n, refund: true },
    });
    expect(transactionIn(transactionOfRefund(about('funds_returned'), gocardlessRefund()))).toMatchObject({
      amountMinor: 20_000n,
      bankId: 'RF0001:returned',
      returns: { originalBankId: 'RF0001' },
    });
  });

  test('an answer that is another payment’s, or in a currency that is not collected in, is refused', () => {
    expect(codeOf(() => withPayment('confirmed', { id: 'PM0002' }))).toBe('messageInvalid');
    expect(codeOf(() => withPayment('confirmed', { currency: 'JPY' }))).toBe('unknownCurrency');
    expect(codeOf(() => withPayment('confirmed', { amount: 12.5 }))).toBe('messageInvalid');
  });
});

describe('Stripe', () => {
  const read = (type: string, object: unknown, previous?: unknown) =>
    readStripe(bytes(stripeEvent(type, object, previous)));

  test('a charge is a credit of the whole amount, with what the creditor wrote on it', () => {
    expect(transactionIn(read('charge.succeeded', stripeCharge()))).toEqual({
      status: 'booked',
      bookedOn: '2026-11-20',
      valueOn: null,
      amountMinor: 120_000n,
      currency: 'EUR',
      counterparty: { name: 'Bouchard SARL', ultimateName: null, account: null },
      structuredReferences: [],
      remittance: 'F-2026-0123 Subscription November',
      bankText: null,
      bankId: 'ch_3Qabcd',
      endToEndId: 'pi_3Qabcd',
      mandateId: 'mandate_1',
      returns: null,
      feesMinor: null,
      bankCode: 'sepa_debit',
      source: 'stripe',
      position: 'ch_3Qabcd',
    } satisfies Transaction);
    const inParis = readStripe(bytes(stripeEvent('charge.succeeded', stripeCharge())), 'Europe/Paris');
    expect(transactionIn(inParis).bookedOn).toBe('2026-11-21');
  });

  test('a payment is told once, by its charge', () => {
    for (const type of ['payment_intent.succeeded', 'payment_intent.payment_failed', 'payment_intent.processing']) {
      expect(read(type, { id: 'pi_3Qabcd', amount_received: 120_000 })).toEqual(nothing('toldByCharge'));
    }
    for (const type of [
      'refund.created',
      'charge.updated',
      'payout.paid',
      'invoice.paid',
      'checkout.session.completed',
    ]) {
      expect(read(type, {})).toEqual(nothing('otherEvent'));
    }
  });

  test('a debit under way is pending under the same id; an authorisation is none', () => {
    expect(transactionIn(read('charge.pending', stripeCharge({ captured: true })))).toMatchObject({
      status: 'pending',
      bankId: 'ch_3Qabcd',
    });
    const authorised = stripeCharge({ captured: false, amount_captured: 0 });
    expect(read('charge.succeeded', authorised)).toEqual(nothing('notCaptured'));
    const captured = transactionIn(read('charge.captured', stripeCharge({ amount_captured: 100_000 })));
    expect(captured.amountMinor).toBe(100_000n);
  });

  test('fees stand beside the amount, where they are told in its currency', () => {
    const feesOf = (balance_transaction: unknown) =>
      transactionIn(read('charge.succeeded', stripeCharge({ balance_transaction }))).feesMinor;
    expect(feesOf({ id: 'txn', amount: 120_000, fee: 1_840, currency: 'eur' })).toBe(1_840n);
    expect(feesOf({ id: 'txn', amount: 130_000, fee: 2_000, currency: 'usd' })).toBeNull();
    expect(feesOf(null)).toBeNull();
  });

  test('a failed debit is a failed collection, a declined card a try', () => {
    expect(read('charge.failed', stripeCharge({ failure_code: 'insufficient_funds' }))).toEqual([
      {
        kind: 'collectionFailed',
        paymentId: 'pi_3Qabcd',
        reasonCode: 'insufficient_funds',
        references: ['F-2026-0123'],
      },
    ]);
    const card = stripeCharge({ payment_method_details: { type: 'card' } });
    expect(read('charge.failed', card)).toEqual(nothing('attemptFailed'));
  });

  test('each refund is what came on top of those before', () => {
    const refunded = (sum: number, before: number, change = {}) =>
      transactionIn(
        read('charge.refunded', stripeCharge({ amount_refunded: sum, ...change }), { amount_refunded: before }),
      );
    const [first, second] = [refunded(30_000, 0), refunded(50_000, 30_000)];
    expect([first.amountMinor, second.amountMinor]).toEqual([-30_000n, -20_000n]);
    expect(first.bankId).not.toBe(second.bankId);
    expect(second.returns).toEqual({
      reasonCode: null,
      originalBankId: 'ch_3Qabcd',
      originalEndToEndId: 'pi_3Qabcd',
      originalAmountMinor: 20_000n,
      refund: true,
    });
    const listed = {
      refunds: {
        data: [
          { id: 're_2', amount: 20_000 },
          { id: 're_1', amount: 30_000 },
        ],
      },
    };
    expect(refunded(50_000, 30_000, listed).bankId).toBe('re_2');
    // Without the sum before, the part cannot be known.
    expect(codeOf(() => read('charge.refunded', stripeCharge({ amount_refunded: 1 })))).toBe('messageInvalid');
    expect(codeOf(() => refunded(30_000, 30_000))).toBe('amountInvalid');
  });

  test('a refund that the bank did not take comes back, once', () => {
    const [failed, updated] = ['refund.failed', 'charge.refund.updated'].map((type) =>
      transactionIn(read(type, stripeRefund())),
    );
    expect(failed).toMatchObject({
      amountMinor: 20_000n,
      bankId: 're_3Qabcd:failed',
      remittance: 'F-2026-0123',
      returns: { originalBankId: 're_3Qabcd', reasonCode: 'lost_or_stolen_card' },
    });
    expect(updated).toEqual(failed);
    expect(read('charge.refund.updated', stripeRefund({ status: 'succeeded' }))).toEqual(nothing('toldByCharge'));
  });

  test('a dispute is announced, takes the money, and may give it back', () => {
    const created = transactionIn(read('charge.dispute.created', stripeDispute()));
    const withdrawn = transactionIn(read('charge.dispute.funds_withdrawn', stripeDispute()));
    expect(created).toMatchObject({ status: 'pending', bankId: withdrawn.bankId });
    expect(withdrawn).toMatchObject({
      status: 'booked',
      amountMinor: -120_000n,
      feesMinor: 750n,
      returns: {
        reasonCode: 'debit_not_authorized',
        originalBankId: 'ch_3Qabcd',
        originalEndToEndId: 'pi_3Qabcd',
        originalAmountMinor: 120_000n,
      },
    });
    const won = stripeDispute({
      status: 'won',
      balance_transactions: [
        { amount: -120_000, fee: 750, currency: 'eur' },
        { amount: 119_000, fee: -750, currency: 'eur' },
      ],
    });
    expect(transactionIn(read('charge.dispute.funds_reinstated', won))).toMatchObject({
      amountMinor: 119_000n,
      returns: { originalBankId: withdrawn.bankId },
    });
    expect(read('charge.dispute.closed', won)).toEqual(nothing('noMoneyMoved'));
    const inquiry = stripeDispute({ status: 'warning_needs_response', balance_transactions: [] });
    expect(transactionIn(read('charge.dispute.created', inquiry)).status).toBe('information');
  });

  test('a bank transfer counts when it funds the balance, not again when it pays', () => {
    const cash = (change: object) => read('customer_cash_balance_transaction.created', stripeCash({ ...change }));
    expect(transactionIn(cash({}))).toMatchObject({
      amountMinor: 120_000n,
      counterparty: { name: 'Bouchard SARL', account: null },
      remittance: 'Facture F-2026-0123',
      bankText: 'BNPAFRPPXXX …0189',
      bankId: 'ccsbtxn_1Qabcd',
      returns: null,
    });
    const moves = ['applied_to_payment', 'unapplied_from_payment', 'refunded_from_payment', 'transferred_to_balance'];
    for (const type of moves) expect(cash({ type, net_amount: -120_000 })).toEqual(nothing('withinBalance'));
    const fromBalance = stripeCharge({ payment_method_details: { type: 'customer_balance' } });
    expect(read('charge.succeeded', fromBalance)).toEqual(nothing('withinBalance'));
    const toBalance = stripeRefund({ destination_details: { type: 'customer_cash_balance' } });
    expect(read('refund.failed', toBalance)).toEqual(nothing('withinBalance'));
    for (const type of ['funding_reversed', 'return_initiated']) {
      expect(transactionIn(cash({ type, net_amount: -120_000, funded: undefined }))).toMatchObject({
        amountMinor: -120_000n,
        returns: { originalBankId: null },
      });
    }
    expect(codeOf(() => cash({ net_amount: -1 }))).toBe('amountInvalid');
  });

  test('amounts are counted as Stripe counts them', () => {
    const minor = (amount: number, currency: string) =>
      transactionIn(read('charge.succeeded', stripeCharge({ amount, amount_captured: amount, currency }))).amountMinor;
    expect(minor(500, 'jpy')).toBe(500n);
    expect(minor(5_120, 'kwd')).toBe(5_120n);
    expect(minor(50_000, 'isk')).toBe(500n);
    expect(minor(500, 'mga')).toBe(50_000n);
    expect(codeOf(() => minor(50_001, 'ugx'))).toBe('tooManyDecimals');
    expect(codeOf(() => minor(1, 'btc'))).toBe('unknownCurrency');
  });

  test('common keys are references, others are not', () => {
    const remittance = (metadata: unknown) =>
      transactionIn(read('charge.succeeded', stripeCharge({ metadata, description: null })));
    expect(remittance({ 'Invoice-Number': 123, Facture: 'F-1', user: 'u-9', nested: {} }).remittance).toBe('123 F-1');
    expect(remittance({ reference: 'RF18 5390 0754 7034' }).structuredReferences).toEqual(['RF18539007547034']);
    expect(remittance(null).remittance).toBeNull();
  });
});
