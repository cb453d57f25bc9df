/** Bodies in the shapes that providers publish, with invented companies and accounts. */

type Change = Record<string, unknown>;

export const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value), 'utf8');

export const standardBooked = (change: Change = {}) => ({
  type: 'transaction.booked',
  timestamp: '2026-11-20T09:00:00Z',
  data: {
    id: 't-1',
    bookedOn: '2026-11-20',
    amount: '1200.00',
    currency: 'EUR',
    direction: 'credit',
    counterparty: { name: 'Bouchard SARL', iban: 'FR76 3000 6000 0112 3456 7890 189' },
    remittance: 'Facture  F-2026-0123',
    endToEndId: 'NOTPROVIDED',
    ...change,
  },
});

export const standardReturned = (change: Change = {}) => ({
  type: 'transaction.returned',
  data: {
    id: 't-2',
    originalId: 't-1',
    amount: '1200.00',
    currency: 'EUR',
    bookedOn: '2026-11-24',
    reasonCode: 'AC04',
    ...change,
  },
});

export const qontoTransaction = (change: Change = {}) => ({
  id: '8d2c5a4b-0000-4000-8000-000000000001',
  subscription_id: '8d2c5a4b-0000-4000-8000-000000000002',
  organization_id: '8d2c5a4b-0000-4000-8000-000000000003',
  membership_id: '8d2c5a4b-0000-4000-8000-000000000004',
  type: 'v1/transactions',
  created_at: '2026-11-20T23:31:00Z',
  data: {
    event: 'updated',
    id: '8d2c5a4b-0000-4000-8000-000000000005',
    transaction_id: 'duvallon-1-transaction-6576',
    amount: 1234567.89,
    currency: 'EUR',
    local_amount: 1234567.89,
    local_currency: 'EUR',
    side: 'credit',
    settled_balance: 2000000.02,
    operation_type: 'income',
    status: 'completed',
    label: 'BOUCHARD SARL',
    clean_counterparty_name: 'Bouchard',
    note: 'F-9999 is what we noted',
    reference: 'Facture F-2026-0123',
    settled_at: '2026-11-20T23:30:00Z',
    emitted_at: '2026-11-19T08:00:00Z',
    updated_at: '2026-11-20T23:30:01Z',
    attachment_ids: [],
    ...change,
  },
});

export const bridgeAccountUpdated = (change: Change = {}) => ({
  content: {
    account_id: 22_908_770,
    balance: 1678.12,
    item_id: 4_568_477,
    nb_deleted_transactions: 0,
    nb_new_transactions: 15,
    nb_updated_transactions: 0,
    user_uuid: '766b2f5d-0000-4000-8000-000000000001',
    ...change,
  },
  timestamp: 1_763_629_200_123,
  type: 'item.account.updated',
});

export const bridgeTransaction = (change: Change = {}) => ({
  id: 1_000_013_102_238,
  clean_description: 'Virement Bouchard',
  provider_description: 'VIR SEPA RECU /DE BOUCHARD SARL  /MOTIF FACTURE F-2026-0123',
  amount: 1200.5,
  date: '2026-11-19',
  booking_date: '2026-11-20',
  transaction_date: '2026-11-19',
  value_date: '2026-11-20',
  updated_at: '2026-11-20T13:27:53.000Z',
  currency_code: 'EUR',
  deleted: false,
  category_id: 230,
  account_id: 22_908_770,
  future: false,
  operation_type: 'transfer',
  ...change,
});

/** 20 November 2026, 23:30 UTC: the next day in Paris. */
export const STRIPE_CREATED = Date.UTC(2026, 10, 20, 23, 30) / 1000;

export const stripeEvent = (type: string, object: unknown, previous?: unknown) => ({
  id: 'evt_1QabcdEfGhIjKlMn',
  object: 'event',
  api_version: '2026-10-28.basil',
  created: STRIPE_CREATED,
  data: { object, ...(previous === undefined ? {} : { previous_attributes: previous }) },
  livemode: true,
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
  type,
});

export const stripeCharge = (change: Change = {}) => ({
  id: 'ch_3Qabcd',
  object: 'charge',
  amount: 120_000,
  amount_captured: 120_000,
  amount_refunded: 0,
  balance_transaction: 'txn_3Qabcd',
  billing_details: { name: 'Bouchard SARL', email: 'compta@bouchard.example' },
  captured: true,
  created: STRIPE_CREATED - 400_000,
  currency: 'eur',
  customer: 'cus_1',
  description: 'Subscription November',
  failure_code: null,
  metadata: { invoice_number: 'F-2026-0123', cart: '77' },
  paid: true,
  payment_intent: 'pi_3Qabcd',
  payment_method_details: { type: 'sepa_debit', sepa_debit: { last4: '0189', mandate: 'mandate_1' } },
  statement_descriptor: null,
  status: 'succeeded',
  ...change,
});

export const stripeRefund = (change: Change = {}) => ({
  id: 're_3Qabcd',
  object: 'refund',
  amount: 20_000,
  charge: 'ch_3Qabcd',
  currency: 'eur',
  created: STRIPE_CREATED,
  failure_reason: 'lost_or_stolen_card',
  metadata: { invoice: 'F-2026-0123' },
  payment_intent: 'pi_3Qabcd',
  status: 'failed',
  destination_details: { type: 'card' },
  ...change,
});

export const stripeDispute = (change: Change = {}) => ({
  id: 'dp_1Qabcd',
  object: 'dispute',
  amount: 120_000,
  balance_transactions: [{ id: 'txn_1', amount: -120_000, fee: 750, net: -120_750, currency: 'eur' }],
  charge: 'ch_3Qabcd',
  currency: 'eur',
  created: STRIPE_CREATED,
  payment_intent: 'pi_3Qabcd',
  network_reason_code: null,
  reason: 'debit_not_authorized',
  status: 'needs_response',
  ...change,
});

export const stripeCash = (change: Change = {}) => ({
  id: 'ccsbtxn_1Qabcd',
  object: 'customer_cash_balance_transaction',
  created: STRIPE_CREATED,
  currency: 'eur',
  customer: 'cus_1',
  ending_balance: 120_000,
  funded: {
    bank_transfer: {
      eu_bank_transfer: { bic: 'BNPAFRPPXXX', iban_last4: '0189', sender_name: 'Bouchard SARL' },
      reference: 'Facture F-2026-0123',
      type: 'eu_bank_transfer',
    },
  },
  livemode: true,
  net_amount: 120_000,
  type: 'funded',
  ...change,
});

export const gocardlessEvent = (action: string, change: Change = {}) => ({
  id: 'EV0001',
  created_at: '2026-11-25T04:00:00.000Z',
  resource_type: 'payments',
  action,
  links: { payment: 'PM0001', organisation: 'OR0001' },
  details: { origin: 'bank', cause: 'insufficient_funds', scheme: 'sepa_core', reason_code: 'AM04' },
  metadata: {},
  resource_metadata: { invoice: 'F-2026-0123' },
  ...change,
});

export const gocardlessPayment = (change: Change = {}) => ({
  id: 'PM0001',
  created_at: '2026-11-15T10:00:00.000Z',
  charge_date: '2026-11-20',
  amount: 120_000,
  amount_refunded: 0,
  currency: 'EUR',
  description: 'November',
  reference: 'DUVALLON-1',
  status: 'confirmed',
  metadata: { invoice: 'F-2026-0123' },
  fx: { fx_currency: 'EUR', fx_amount: null, exchange_rate: null, estimated_exchange_rate: null },
  links: { mandate: 'MD0001', creditor: 'CR0001' },
  ...change,
});

export const gocardlessRefund = (change: Change = {}) => ({
  id: 'RF0001',
  created_at: '2026-11-25T10:00:00.000Z',
  amount: 20_000,
  currency: 'EUR',
  reference: 'Partial',
  status: 'paid',
  metadata: {},
  links: { payment: 'PM0001', mandate: 'MD0001' },
  ...change,
});

/** One body of each event that is read, by provider; what mutations start from. */
export const ALL_BODIES: readonly [kind: 'standard' | 'qonto' | 'bridge' | 'stripe' | 'gocardless', body: unknown][] = [
  ['standard', standardBooked()],
  ['standard', standardReturned()],
  ['qonto', qontoTransaction()],
  ['bridge', bridgeAccountUpdated()],
  ['stripe', stripeEvent('charge.succeeded', stripeCharge())],
  ['stripe', stripeEvent('charge.failed', stripeCharge({ failure_code: 'insufficient_funds' }))],
  ['stripe', stripeEvent('charge.refunded', stripeCharge({ amount_refunded: 50_000 }), { amount_refunded: 30_000 })],
  ['stripe', stripeEvent('refund.failed', stripeRefund())],
  ['stripe', stripeEvent('charge.dispute.funds_withdrawn', stripeDispute())],
  ['stripe', stripeEvent('customer_cash_balance_transaction.created', stripeCash())],
  ['gocardless', gocardlessEvent('confirmed')],
  ['gocardless', gocardlessEvent('failed')],
];
