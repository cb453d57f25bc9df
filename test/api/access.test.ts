import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { placeWithAgency } from '../../db/repositories/placements.ts';
import { invoiceBody, newInvoice, NOW, startApi, type Harness, type Method, type TestCreditor } from './harness.ts';
import { FRENCH_CHART } from '../../domain/books/chart.ts';

/**
 * Generated over the routes the app really has: a route that is not listed here makes a test fail, so no new one goes
 * without its keys, roles and tenant being tried.
 */

type Roles = 'operator' | 'approver' | 'admin' | 'keys' | 'agency' | 'open' | 'signed';
type Ids = Record<string, string>;

interface Case {
  access: Roles;
  /** Path with ids of the other creditor filled in; absent where the path has none. */
  foreign?: (ids: Ids) => string;
  /** A body that is valid but for whose the ids are. */
  body?: (ids: Ids) => unknown;
  headers?: Record<string, string>;
  /** Besides the id in the path: a foreign id in the body or query, and what it answers. */
  foreignInside?: (ids: Ids) => { url?: string; body?: unknown; status: number };
}

const reason = () => ({ reason: 'because' });

const CASES: Record<string, Case> = {
  'POST /v1/creditors': { access: 'admin', body: () => ({}) },
  'GET /v1/creditors': { access: 'admin' },
  'POST /v1/creditors/:id/keys': {
    access: 'keys',
    foreign: (ids) => `/v1/creditors/${ids['creditor']}/keys`,
    body: () => ({ name: 'x', role: 'operator' }),
  },
  'GET /v1/creditors/:id/keys': { access: 'keys', foreign: (ids) => `/v1/creditors/${ids['creditor']}/keys` },
  'DELETE /v1/creditors/:id/keys/:keyId': {
    access: 'keys',
    // A key of the other creditor under the id of this one.
    foreign: (ids) => `/v1/creditors/${ids['ownCreditor']}/keys/${ids['key']}`,
  },
  'GET /v1/creditor': { access: 'operator' },
  'PATCH /v1/creditor': { access: 'approver', body: () => ({ paymentDays: 30 }) },
  'PUT /v1/policies/:name': {
    access: 'approver',
    body: () => ({ name: 'p', steps: [{ key: 'a', day: 1, channel: 'email', template: 'reminder' }] }),
  },
  'GET /v1/policies': { access: 'operator' },
  'GET /v1/policies/:name': { access: 'operator', foreign: () => '/v1/policies/theirs-alone' },
  'POST /v1/policies/:name/preview': {
    access: 'operator',
    foreign: () => '/v1/policies/theirs-alone/preview',
    body: () => ({ invoice: { issuedOn: '2026-11-01', dueOn: '2026-12-01', amount: '1', currency: 'EUR' } }),
    foreignInside: (ids) => ({
      url: '/v1/policies/business/preview',
      body: {
        invoice: {
          issuedOn: '2026-11-01',
          dueOn: '2026-12-01',
          amount: '1',
          currency: 'EUR',
          customerId: ids['customer'],
        },
      },
      status: 404,
    }),
  },
  'GET /v1/templates': { access: 'operator' },
  'GET /v1/templates/:name': {
    access: 'operator',
    foreignInside: () => ({ url: '/v1/templates/reminder?language=en&version=1', status: 404 }),
  },
  'PUT /v1/templates/:name': {
    access: 'approver',
    body: () => ({ language: 'en', subject: '{{ numbers }}', lead: '{{ totals }}', close: 'Thank you.' }),
  },
  'POST /v1/templates/:name/preview': {
    access: 'operator',
    foreign: () => '/v1/templates/reminder/preview',
    body: () => ({ language: 'en', version: 1 }),
    foreignInside: (ids) => ({
      url: '/v1/templates/reminder/preview',
      body: { language: 'en', invoiceId: ids['invoice'] },
      status: 404,
    }),
  },
  'POST /v1/policies/:name/rollout': {
    access: 'approver',
    foreign: () => '/v1/policies/theirs-alone/rollout',
    body: () => ({ dryRun: true }),
    foreignInside: (ids) => ({
      url: '/v1/policies/business/rollout',
      body: { dryRun: true, filter: { customerId: ids['customer'] } },
      status: 404,
    }),
  },
  'GET /v1/rollouts/:id': { access: 'operator', foreign: (ids) => `/v1/rollouts/${ids['rollout']}` },
  'GET /v1/rollouts/:id/cases': { access: 'operator', foreign: (ids) => `/v1/rollouts/${ids['rollout']}/cases` },
  'POST /v1/customers': { access: 'operator', body: () => ({}) },
  'GET /v1/customers': { access: 'operator' },
  'GET /v1/customers/:id': { access: 'operator', foreign: (ids) => `/v1/customers/${ids['customer']}` },
  'PATCH /v1/customers/:id': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['customer']}`,
    body: () => ({ name: 'Mine now' }),
  },
  'POST /v1/customers/:id/holds': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['customer']}/holds`,
    body: reason,
  },
  'POST /v1/customers/:id/insolvency': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['customer']}/insolvency`,
    body: () => ({ kind: 'liquidation', judgmentOn: '2026-11-17' }),
  },
  'GET /v1/customers/:id/insolvency': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['insolventCustomer']}/insolvency`,
  },
  'PATCH /v1/customers/:id/insolvency': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['insolventCustomer']}/insolvency`,
    body: () => ({ publishedOn: '2026-11-19' }),
  },
  'POST /v1/customers/:id/insolvency/closing': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['insolventCustomer']}/insolvency/closing`,
    body: () => ({ outcome: 'withdrawn' }),
  },
  'POST /v1/customers/:id/inbound': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['customer']}/inbound`,
    body: () => ({ channel: 'email', receivedAt: '2026-11-20T08:00:00Z', text: 'Hello' }),
    // Their invoice in a reply of one's own customer.
    foreignInside: (ids) => ({
      url: `/v1/customers/${ids['ownCustomer']}/inbound`,
      body: { channel: 'email', receivedAt: '2026-11-20T08:00:00Z', text: 'Hello', invoiceIds: [ids['invoice']] },
      status: 404,
    }),
  },
  'GET /v1/customers/:id/inbound': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['customer']}/inbound`,
  },
  'POST /v1/customers/:id/erasure': {
    access: 'approver',
    foreign: (ids) => `/v1/customers/${ids['customer']}/erasure`,
    body: () => ({ all: true, reason: 'x' }),
  },
  'GET /v1/customers/:id/export': { access: 'approver', foreign: (ids) => `/v1/customers/${ids['customer']}/export` },
  'POST /v1/customers/:id/credit-notes': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['customer']}/credit-notes`,
    body: () => ({ number: 'F-1', amount: '1', currency: 'EUR', issuedOn: '2026-11-01' }),
  },
  'DELETE /v1/holds/:id': { access: 'operator', foreign: (ids) => `/v1/holds/${ids['hold']}` },
  'POST /v1/invoices': {
    access: 'operator',
    body: () => ({}),
    foreignInside: (ids) => ({
      body: { ...invoiceBody(), customer: undefined, customerId: ids['customer'] },
      status: 422,
    }),
  },
  'GET /v1/invoices': {
    access: 'operator',
    foreignInside: (ids) => ({ url: `/v1/invoices?customerId=${ids['customer']}`, status: 200 }),
  },
  'GET /v1/invoices/:id': { access: 'operator', foreign: (ids) => `/v1/invoices/${ids['invoice']}` },
  'PATCH /v1/invoices/:id': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}`,
    body: () => ({ dueOn: '2027-01-01', reason: 'x' }),
  },
  'GET /v1/invoices/:id/calendar': { access: 'operator', foreign: (ids) => `/v1/invoices/${ids['invoice']}/calendar` },
  'GET /v1/invoices/:id/replay': { access: 'operator', foreign: (ids) => `/v1/invoices/${ids['invoice']}/replay` },
  'GET /v1/invoices/:id/timeline': { access: 'operator', foreign: (ids) => `/v1/invoices/${ids['invoice']}/timeline` },
  'PUT /v1/invoices/:id/file': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/file`,
    body: () => Buffer.from('%PDF-1.7'),
    headers: { 'content-type': 'application/pdf' },
  },
  'POST /v1/invoices/:id/payments': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/payments`,
    body: () => ({ amount: '1', currency: 'EUR', receivedOn: '2026-11-01' }),
  },
  'POST /v1/invoices/:id/credit-notes': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/credit-notes`,
    body: () => ({ number: 'F-2', amount: '1', issuedOn: '2026-11-01' }),
  },
  'GET /v1/receipts': {
    access: 'operator',
    foreignInside: (ids) => ({ url: `/v1/receipts?customerId=${ids['customer']}`, status: 200 }),
  },
  'GET /v1/receipts/:id': { access: 'operator', foreign: (ids) => `/v1/receipts/${ids['receipt']}` },
  'GET /v1/receipts/:id/candidates': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/candidates`,
  },
  'POST /v1/receipts/:id/accept': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/accept`,
    body: () => ({ candidate: 'A'.repeat(16) }),
  },
  'POST /v1/receipts/:id/split': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/split`,
    body: (ids) => ({ allocations: [{ invoiceId: ids['invoice'], amount: '1' }] }),
    foreignInside: (ids) => ({
      url: `/v1/receipts/${ids['ownReceipt']}/split`,
      body: { allocations: [{ invoiceId: ids['invoice'], amount: '1' }] },
      status: 404,
    }),
  },
  'POST /v1/receipts/:id/assign': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/assign`,
    body: (ids) => ({ customerId: ids['customer'] }),
    foreignInside: (ids) => ({
      url: `/v1/receipts/${ids['ownReceipt']}/assign`,
      body: { customerId: ids['customer'] },
      status: 404,
    }),
  },
  'POST /v1/receipts/:id/refund': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/refund`,
    body: reason,
  },
  'POST /v1/receipts/:id/ignore': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/ignore`,
    body: reason,
  },
  'DELETE /v1/receipts/:id/ignore': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/ignore`,
  },
  'GET /v1/matching': { access: 'operator' },
  'PUT /v1/matching': { access: 'approver', body: () => ({ modes: {}, bankFees: {} }) },
  'POST /v1/matching/preview': {
    access: 'operator',
    body: () => ({ modes: {}, from: '2026-11-01', to: '2026-11-20' }),
  },
  'POST /v1/remittances': {
    access: 'operator',
    body: () => ({ currency: 'EUR', lines: [{ number: 'X-1', amount: '1' }] }),
    foreignInside: (ids) => ({
      body: { customerId: ids['customer'], currency: 'EUR', lines: [{ number: 'X-1', amount: '1' }] },
      status: 422,
    }),
  },
  'GET /v1/remittances': {
    access: 'operator',
    foreignInside: (ids) => ({ url: `/v1/remittances?customerId=${ids['customer']}`, status: 200 }),
  },
  'GET /v1/remittances/:id': { access: 'operator', foreign: (ids) => `/v1/remittances/${ids['remittance']}` },
  'DELETE /v1/remittances/:id': { access: 'operator', foreign: (ids) => `/v1/remittances/${ids['remittance']}` },
  'GET /v1/transactions': {
    access: 'operator',
    foreignInside: (ids) => ({ url: `/v1/transactions?feedId=${ids['feed']}`, status: 200 }),
  },
  'POST /v1/receipts/:id/allocations': {
    access: 'operator',
    foreign: (ids) => `/v1/receipts/${ids['receipt']}/allocations`,
    body: (ids) => ({ invoiceId: ids['invoice'], amount: '1' }),
    foreignInside: (ids) => ({
      url: `/v1/receipts/${ids['ownReceipt']}/allocations`,
      body: { invoiceId: ids['invoice'], amount: '1' },
      status: 404,
    }),
  },
  'DELETE /v1/allocations/:id': { access: 'operator', foreign: (ids) => `/v1/allocations/${ids['allocation']}` },
  'POST /v1/invoices/:id/promises': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/promises`,
    body: () => ({ payOn: '2026-12-01' }),
  },
  'DELETE /v1/promises/:id': { access: 'operator', foreign: (ids) => `/v1/promises/${ids['promise']}` },
  'GET /v1/invoices/:id/limitation': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/limitation`,
  },
  'POST /v1/invoices/:id/limitation-events': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/limitation-events`,
    body: () => ({ kind: 'courtClaim', on: '2026-11-19' }),
  },
  'GET /v1/invoices/:id/lifecycle': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/lifecycle`,
  },
  'POST /v1/invoices/:id/lifecycle': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/lifecycle`,
    body: () => ({ status: '200', at: '2026-11-19T08:00:00Z' }),
  },
  'POST /v1/invoices/:id/disputes': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/disputes`,
    body: () => ({ category: 'price' }),
  },
  'POST /v1/disputes/:id/resolution': {
    access: 'operator',
    foreign: (ids) => `/v1/disputes/${ids['dispute']}/resolution`,
    body: () => ({ outcome: 'rejected' }),
  },
  'GET /v1/invoices/:id/claim': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/claim`,
  },
  'POST /v1/invoices/:id/interest-waiver': {
    access: 'approver',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/interest-waiver`,
    body: reason,
  },
  'POST /v1/invoices/:id/costs': {
    access: 'approver',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/costs`,
    body: () => ({ amount: '1', on: '2026-11-01', basis: 'title' }),
  },
  'GET /v1/customers/:id/statement': {
    access: 'operator',
    foreign: (ids) => `/v1/customers/${ids['customer']}/statement`,
  },
  'GET /v1/reports/aged-balance': { access: 'operator' },
  'GET /v1/reports/dso': { access: 'operator' },
  'GET /v1/reports/collections': { access: 'operator' },
  'GET /v1/accounts': { access: 'operator' },
  'PUT /v1/accounts': { access: 'operator', body: () => FRENCH_CHART },
  'GET /v1/exports': { access: 'operator' },
  'GET /v1/exports/fec': { access: 'operator' },
  'GET /v1/exports/journal': { access: 'operator' },
  'GET /v1/exports/subledger': { access: 'operator' },
  'GET /v1/exports/:id/file': { access: 'operator', foreign: (ids) => `/v1/exports/${ids['export']}/file` },
  'POST /v1/invoices/:id/vat-correction': {
    access: 'approver',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/vat-correction`,
    body: reason,
  },
  'POST /v1/invoices/:id/doubtful': {
    access: 'approver',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/doubtful`,
    body: () => ({ percent: '50', reason: 'because' }),
  },
  'DELETE /v1/invoices/:id/doubtful': {
    access: 'approver',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/doubtful`,
  },
  'GET /v1/rates': { access: 'keys' },
  'PUT /v1/rates': { access: 'admin', body: () => ({ rates: [] }) },
  'POST /v1/plans': {
    access: 'operator',
    body: () => ({}),
    foreignInside: (ids) => ({
      body: { invoiceIds: [ids['invoice']], instalments: [{ dueOn: '2026-12-01', amount: '1190.00' }] },
      status: 404,
    }),
  },
  'GET /v1/plans': {
    access: 'operator',
    foreignInside: (ids) => ({ url: `/v1/plans?customerId=${ids['customer']}`, status: 200 }),
  },
  'GET /v1/plans/:id': { access: 'operator', foreign: (ids) => `/v1/plans/${ids['plan']}` },
  'POST /v1/plans/:id/cancel': {
    access: 'operator',
    foreign: (ids) => `/v1/plans/${ids['plan']}/cancel`,
    body: reason,
  },
  'POST /v1/plans/:id/change': {
    access: 'operator',
    foreign: (ids) => `/v1/plans/${ids['plan']}/change`,
    body: () => ({ instalments: [{ dueOn: '2026-12-01', amount: '1' }], reason: 'because' }),
  },
  'POST /v1/invoices/:id/pause': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/pause`,
    body: reason,
  },
  'POST /v1/invoices/:id/resume': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/resume`,
    body: reason,
  },
  'POST /v1/invoices/:id/skip': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/skip`,
    body: reason,
  },
  'POST /v1/invoices/:id/step-now': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/step-now`,
    body: reason,
  },
  'POST /v1/invoices/:id/formal-notice': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/formal-notice`,
    body: reason,
  },
  'POST /v1/invoices/:id/placement': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/placement`,
    body: reason,
  },
  'POST /v1/invoices/:id/recall': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/recall`,
    body: reason,
  },
  'POST /v1/invoices/:id/write-off': {
    access: 'approver',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/write-off`,
    body: reason,
  },
  'POST /v1/contacts/:id/delivery': {
    access: 'operator',
    foreign: (ids) => `/v1/contacts/${ids['contact']}/delivery`,
    body: () => ({ status: 'dispatched', on: '2026-11-20' }),
  },
  'POST /v1/print-batches': { access: 'operator', body: () => ({}) },
  'GET /v1/print-batches': { access: 'operator' },
  'GET /v1/print-batches/:id': {
    access: 'operator',
    foreign: (ids) => `/v1/print-batches/${ids['printBatch']}`,
  },
  'GET /v1/print-batches/:id/pdf': {
    access: 'operator',
    foreign: (ids) => `/v1/print-batches/${ids['printBatch']}/pdf`,
  },
  'GET /v1/print-batches/:id/manifest': {
    access: 'operator',
    foreign: (ids) => `/v1/print-batches/${ids['printBatch']}/manifest`,
  },
  'POST /v1/print-batches/:id/dispatch': {
    access: 'operator',
    foreign: (ids) => `/v1/print-batches/${ids['printBatch']}/dispatch`,
    body: () => ({ on: '2026-11-20' }),
  },
  'POST /v1/invoices/:id/reopen': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/reopen`,
    body: reason,
  },
  'POST /v1/invoices/bulk': {
    access: 'operator',
    body: () => ({ filter: {}, command: { kind: 'pause', reason: 'because' } }),
    foreignInside: (ids) => ({
      body: { filter: { customerId: ids['customer'] }, command: { kind: 'pause', reason: 'because' } },
      status: 404,
    }),
  },
  'GET /v1/bulk-commands/:id': { access: 'operator', foreign: (ids) => `/v1/bulk-commands/${ids['bulk']}` },
  'GET /v1/bulk-commands/:id/cases': { access: 'operator', foreign: (ids) => `/v1/bulk-commands/${ids['bulk']}/cases` },
  'GET /v1/tasks': {
    access: 'operator',
    foreignInside: (ids) => ({ url: `/v1/tasks?invoiceId=${ids['invoice']}`, status: 200 }),
  },
  'GET /v1/tasks/:id': { access: 'operator', foreign: (ids) => `/v1/tasks/${ids['task']}` },
  'POST /v1/tasks/:id/completion': {
    access: 'operator',
    foreign: (ids) => `/v1/tasks/${ids['task']}/completion`,
    body: () => ({}),
  },
  'GET /v1/contacts': {
    access: 'operator',
    foreignInside: (ids) => ({ url: `/v1/contacts?customerId=${ids['customer']}`, status: 200 }),
  },
  'GET /v1/contacts/:id': { access: 'operator', foreign: (ids) => `/v1/contacts/${ids['contact']}` },
  'GET /v1/invoices/:id/documents': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/documents`,
  },
  'GET /v1/invoices/:id/documents/:docId': {
    access: 'operator',
    foreign: (ids) => `/v1/invoices/${ids['invoice']}/documents/${ids['document']}`,
    // Their document under an invoice of one's own.
    foreignInside: (ids) => ({ url: `/v1/invoices/${ids['ownInvoice']}/documents/${ids['document']}`, status: 404 }),
  },
  'POST /v1/agencies': { access: 'approver', body: () => ({ name: 'x', deliverBy: 'download' }) },
  'GET /v1/agencies': { access: 'operator' },
  'GET /v1/agencies/:id': { access: 'operator', foreign: (ids) => `/v1/agencies/${ids['agency']}` },
  'PATCH /v1/agencies/:id': {
    access: 'approver',
    foreign: (ids) => `/v1/agencies/${ids['agency']}`,
    body: () => ({ name: 'Mine now' }),
  },
  'POST /v1/agencies/:id/rotate': {
    access: 'approver',
    foreign: (ids) => `/v1/agencies/${ids['agency']}/rotate`,
  },
  'POST /v1/agencies/:id/remittances': {
    access: 'operator',
    foreign: (ids) => `/v1/agencies/${ids['agency']}/remittances`,
    body: (ids) => ({ receiptId: ids['ownReceipt'], amount: '1' }),
    foreignInside: (ids) => ({
      url: `/v1/agencies/${ids['ownAgency']}/remittances`,
      body: { receiptId: ids['receipt'], amount: '1' },
      status: 404,
    }),
  },
  'GET /v1/placements': {
    access: 'agency',
    foreignInside: (ids) => ({ url: `/v1/placements?invoiceId=${ids['invoice']}`, status: 200 }),
  },
  'GET /v1/placements/:id': { access: 'agency', foreign: (ids) => `/v1/placements/${ids['placement']}` },
  'GET /v1/placements/:id/file': { access: 'agency', foreign: (ids) => `/v1/placements/${ids['placement']}/file` },
  'POST /v1/placements/:id/files': {
    access: 'operator',
    foreign: (ids) => `/v1/placements/${ids['placement']}/files`,
  },
  'POST /v1/placements/:id/reports': {
    access: 'agency',
    foreign: (ids) => `/v1/placements/${ids['placement']}/reports`,
    body: () => ({ kind: 'note', note: 'mine now' }),
  },
  'POST /v1/imports': { access: 'operator', body: () => Buffer.from('a;b'), headers: { 'content-type': 'text/csv' } },
  'GET /v1/imports/:id': { access: 'operator', foreign: (ids) => `/v1/imports/${ids['import']}` },
  'POST /v1/feeds': { access: 'approver', body: () => ({ kind: 'standard', name: 'x' }) },
  'GET /v1/feeds': { access: 'approver' },
  'POST /v1/feeds/:id/statements': {
    access: 'operator',
    foreign: (ids) => `/v1/feeds/${ids['feed']}/statements`,
    body: () => Buffer.from('Date;Montant\n2026-11-20;1,00\n'),
    headers: { 'content-type': 'text/csv' },
  },
  'GET /v1/statements': { access: 'operator' },
  'GET /v1/statements/:id': { access: 'operator', foreign: (ids) => `/v1/statements/${ids['statement']}` },
  'GET /v1/statements/:id/file': { access: 'operator', foreign: (ids) => `/v1/statements/${ids['statement']}/file` },
  'GET /v1/feeds/:id': { access: 'approver', foreign: (ids) => `/v1/feeds/${ids['feed']}` },
  'PATCH /v1/feeds/:id': {
    access: 'approver',
    foreign: (ids) => `/v1/feeds/${ids['feed']}`,
    body: () => ({ name: 'mine now' }),
  },
  'DELETE /v1/feeds/:id': { access: 'approver', foreign: (ids) => `/v1/feeds/${ids['feed']}` },
  'POST /v1/feeds/:id/rotate': { access: 'approver', foreign: (ids) => `/v1/feeds/${ids['feed']}/rotate` },
  'GET /v1/verification': { access: 'operator' },
  'GET /v1/clock': { access: 'operator' },
  'POST /v1/webhooks/feeds/:feedId': { access: 'signed', foreign: (ids) => `/v1/webhooks/feeds/${ids['feed']}` },
  'POST /v1/webhooks/resend': { access: 'signed' },
  'GET /healthz': { access: 'open' },
  'GET /readyz': { access: 'open' },
  'GET /metrics': { access: 'open' },
  'GET /openapi.json': { access: 'open' },
  'GET /errors': { access: 'open' },
};

let h: Harness;
let own: TestCreditor;
let ids: Ids;

beforeAll(async () => {
  h = await startApi();
  own = await h.creditor();
  ids = await everythingOf(await h.creditor({ name: 'The other one' }));
  const invoice = await newInvoice(h, own.operator);
  const paid = await h.call(own.operator, 'POST', `/v1/invoices/${invoice.id}/payments`, {
    amount: '1300.00',
    currency: 'EUR',
    receivedOn: '2026-11-20',
  });
  ids = {
    ...ids,
    ownCreditor: own.id,
    ownInvoice: invoice.id,
    ownCustomer: invoice.customerId,
    ownReceipt: paid.body.id,
    ownAgency: own.agencyId,
  };
});
afterAll(() => h.stop());

/** One of each thing, all the other creditor's. */
async function everythingOf(other: TestCreditor): Promise<Ids> {
  const key = other.approver;
  const invoice = await newInvoice(h, key);
  const post = async (url: string, body: object): Promise<Ids> => (await h.call(key, 'POST', url, body)).body;
  const receipt = await h.call(key, 'POST', `/v1/invoices/${invoice.id}/payments`, {
    amount: '10.00',
    currency: 'EUR',
    receivedOn: '2026-11-20',
  });
  await h.call(key, 'PUT', '/v1/policies/theirs-alone', {
    name: 'theirs-alone',
    steps: [{ key: 'a', day: 1, channel: 'email', template: 'reminder' }],
  });
  const words = { language: 'en', subject: 'Theirs', lead: 'Theirs alone.', close: 'Bye.' };
  const template = await h.call(key, 'PUT', '/v1/templates/reminder', words);
  if (template.body.version !== 1) throw new Error('the owner has no text');
  const dispute = await post(`/v1/invoices/${invoice.id}/disputes`, { amount: '1.00', category: 'price' });
  const covered = await newInvoice(h, key);
  const plan = await post('/v1/plans', {
    invoiceIds: [covered.id],
    instalments: [{ dueOn: '2026-12-01', amount: '1200.00' }],
  });
  const tasks = await h.call(key, 'GET', '/v1/tasks');
  const contact = newId('con');
  await h.db
    .insertInto('contacts')
    .values({
      id: contact,
      creditor_id: other.id,
      customer_id: invoice.customerId,
      kind: 'reminder',
      channel: 'email',
      status: 'sent',
      sender: 'Atelier <a@atelier.example>',
      reference: 'R-THEIRS',
      recipients: ['x@example.com'],
      recipient_key: 'k',
      day: '2026-11-20',
      planned_at: new Date(NOW),
      queued_at: new Date(NOW),
      template: 'reminder',
      tone: 'neutral',
      locale: 'fr',
    })
    .execute();
  const document = newId('doc');
  await h.db
    .insertInto('documents')
    .values({
      id: document,
      creditor_id: other.id,
      customer_id: invoice.customerId,
      contact_id: contact,
      kind: 'email',
      content_type: 'message/rfc822',
      bytes: Buffer.from('theirs'),
      at: new Date(NOW),
    })
    .execute();
  await h.db.insertInto('document_invoices').values({ document_id: document, invoice_id: invoice.id }).execute();
  const got = await h.call(key, 'GET', `/v1/invoices/${invoice.id}/documents/${document}`);
  if (got.raw.body !== 'theirs') throw new Error('the owner does not get the document');
  const feed = (await post('/v1/feeds', { kind: 'standard', name: 'theirs' }))['id']!;
  const statement = await h.app.inject({
    method: 'POST',
    url: `/v1/feeds/${feed}/statements`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' },
    payload: 'Date;Montant;Devise\n2026-11-20;1,00;EUR\n',
  });
  const upload = await h.app.inject({
    method: 'POST',
    url: '/v1/imports',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' },
    payload: 'number\n1\n',
  });
  const placement = await inTransaction(h.db, (tx) =>
    placeWithAgency(
      tx,
      systemAct(NOW),
      { creditorId: other.id, customerId: invoice.customerId, invoiceId: invoice.id, run: 1, currency: 'EUR' },
      { agencyId: other.agencyId, amountMinor: 120_000n, on: '2026-11-20' },
    ),
  );
  const keys = await h.call(h.adminKey, 'GET', `/v1/creditors/${other.id}/keys`);
  const insolvent = await newInvoice(h, key);
  await post(`/v1/customers/${insolvent.customerId}/insolvency`, { kind: 'liquidation', judgmentOn: '2026-11-17' });
  await post(`/v1/customers/${insolvent.customerId}/inbound`, {
    channel: 'letter',
    receivedAt: '2026-11-19T08:00:00Z',
    text: 'Theirs',
  });
  return {
    creditor: other.id,
    invoice: invoice.id,
    customer: invoice.customerId,
    insolventCustomer: insolvent.customerId,
    receipt: receipt.body.id,
    allocation: receipt.body.allocations[0].id,
    promise: (await post(`/v1/invoices/${invoice.id}/promises`, { payOn: '2026-12-01', amount: '5.00' }))['id']!,
    dispute: dispute['id']!,
    plan: plan['id']!,
    hold: (await post(`/v1/customers/${invoice.customerId}/holds`, { reason: 'x' }))['id']!,
    task: tasks.body.data[0].id,
    contact,
    printBatch: await aBatch(other.id),
    document,
    statement: statement.json().id,
    import: upload.json().id,
    export: String((await h.call(key, 'GET', '/v1/exports/journal')).headers['export-id']),
    rollout: (await post('/v1/policies/theirs-alone/rollout', { dryRun: true }))['id']!,
    bulk: (await post('/v1/invoices/bulk', { filter: {}, command: { kind: 'pause', reason: 'x' } }))['id']!,
    remittance: (await post('/v1/remittances', { currency: 'EUR', lines: [{ number: 'THEIRS-1', amount: '1.00' }] }))[
      'id'
    ]!,
    feed,
    key: keys.body.data[0].id,
    agency: other.agencyId,
    placement,
  };
}

/** `METHOD /path` of every route the router has; the pages of the documentation apart. */
function routesOf(): string[] {
  return [...h.app.routeTable]
    .filter(([path]) => path !== '/docs' && !path.startsWith('/docs/'))
    .flatMap(([path, methods]) => [...methods].map((method) => `${method} ${path}`))
    .sort();
}

const fill = (pattern: string, name = 'business'): string =>
  pattern
    .replace(':name', name)
    .replace(/:(\w+)/g, (_, name: string) => ({ keyId: newId('key'), docId: newId('doc') })[name] ?? idFor(pattern));

/** A print batch as it is kept; its letters do not matter here. */
async function aBatch(creditorId: string): Promise<string> {
  const id = newId('prb');
  const kept = { letters: 1, pages: 1, pdf: Buffer.from('%PDF'), manifest: '', actor: 'system', at: new Date(NOW) };
  await h.db
    .insertInto('print_batches')
    .values({ id, creditor_id: creditorId, ...kept })
    .execute();
  return id;
}

const idFor = (pattern: string): string => {
  const [, , resource = ''] = pattern.split('/');
  const prefixes: Record<string, Parameters<typeof newId>[0]> = {
    creditors: 'cre',
    customers: 'cus',
    holds: 'hol',
    invoices: 'inv',
    receipts: 'rec',
    allocations: 'all',
    promises: 'pro',
    disputes: 'dis',
    plans: 'pla',
    tasks: 'tsk',
    contacts: 'con',
    imports: 'imp',
    exports: 'exp',
    'print-batches': 'prb',
    rollouts: 'rol',
    'bulk-commands': 'blk',
    feeds: 'fee',
    remittances: 'adv',
    agencies: 'agy',
    placements: 'plc',
    webhooks: 'fee',
  };
  return newId(prefixes[resource]!);
};

const parts = (route: string): [Method, string] => route.split(' ', 2) as [Method, string];
const under = (access: Roles) => Object.entries(CASES).filter(([, one]) => one.access === access);
const keyed = Object.entries(CASES).filter(([, one]) => !['open', 'signed'].includes(one.access));

test('every route of the app is in the table above, and the other way round', () => {
  expect(routesOf()).toEqual(Object.keys(CASES).sort());
});

describe.each(keyed)('%s', (route, one) => {
  const [method, pattern] = parts(route);
  const send = (key: string | null, url = fill(pattern), body = one.body?.(ids)) =>
    h.call(key, method, url, body, one.headers ?? {});

  test('refuses no key, a wrong key, a key in the wrong place', async () => {
    for (const key of [null, 'wrong', `rel_${'A'.repeat(43)}`, `${own.approver}x`]) {
      const reply = await send(key);
      expect([reply.status, reply.body.code]).toEqual([401, 'unauthorized']);
      expect(reply.headers['www-authenticate']).toBe('Bearer');
    }
    const inQuery = await send(null, `${fill(pattern)}?key=${own.approver}`);
    expect(inQuery.status).toBe(401);
  });

  test('refuses every role that may not', async () => {
    const wrong =
      one.access === 'admin'
        ? [own.operator, own.approver, own.agency]
        : one.access === 'keys'
          ? [own.operator, own.agency]
          : [
              h.adminKey,
              ...(one.access === 'agency' ? [] : [own.agency]),
              ...(one.access === 'approver' ? [own.operator] : []),
            ];
    for (const key of wrong) {
      const reply = await send(key);
      expect([reply.status, reply.body.code]).toEqual([403, 'forbidden']);
    }
  });

  test('lets the right role in', async () => {
    const key = one.access === 'admin' ? h.adminKey : one.access === 'operator' ? own.operator : own.approver;
    expect([401, 403]).not.toContain((await send(key)).status);
    if (one.access === 'agency') expect([401, 403]).not.toContain((await send(own.agency)).status);
  });

  if (one.foreign || /:id|:feedId/.test(pattern)) {
    test('does not know what belongs to another creditor', async () => {
      for (const key of one.access === 'agency'
        ? [own.approver, own.agency]
        : [one.access === 'admin' ? h.adminKey : own.approver]) {
        const before = await snapshot();
        const reply = await send(key, one.foreign!(ids));
        expect([reply.status, reply.body.code]).toEqual([404, 'notFound']);
        // The very words of a thing that does not exist.
        expect((await send(key, fill(pattern, 'nowhere'))).body).toEqual(reply.body);
        expect(await snapshot()).toEqual(before);
      }
    });
  }

  if (one.foreignInside) {
    test('does not reach another creditor’s things from within', async () => {
      const inside = one.foreignInside!(ids);
      const before = await snapshot();
      const reply = await send(own.approver, inside.url ?? fill(pattern), inside.body ?? one.body?.(ids));
      expect(reply.status).toBe(inside.status);
      if (inside.status === 200) expect(reply.body.data).toEqual([]);
      expect(await snapshot()).toEqual(before);
    });
  }
});

test.each(under('open'))('%s needs no key', async (route) => {
  const [method, url] = parts(route);
  const reply = await h.call(null, method, url);
  expect(reply.status).toBe(200);
});

test.each(under('signed'))('%s takes a signature, no key', async (route, one) => {
  const [method, pattern] = parts(route);
  for (const key of [null, own.approver, h.adminKey]) {
    const reply = await h.call(key, method, one.foreign?.(ids) ?? pattern, { some: 'thing' });
    expect([reply.status, reply.body.code]).toEqual([401, 'signatureInvalid']);
  }
});

test('a task for approvers refuses an operator', async () => {
  const id = newId('tsk');
  await h.db
    .insertInto('tasks')
    .values({
      id,
      creditor_id: own.id,
      kind: 'approve',
      key: 'approve:x',
      role: 'approver',
      invoice_id: ids['ownInvoice']!,
      subject: 'x',
      due_at: new Date(NOW),
      opened_at: new Date(NOW),
    })
    .execute();
  const body = { decision: 'approved' };
  expect((await h.call(own.operator, 'POST', `/v1/tasks/${id}/completion`, body)).status).toBe(403);
  expect((await h.call(own.approver, 'POST', `/v1/tasks/${id}/completion`, body)).status).toBe(200);
});

/** Everything a foreign request might have changed. */
async function snapshot(): Promise<unknown> {
  const tables = [
    'invoices',
    'customers',
    'holds',
    'promises',
    'disputes',
    'plans',
    'tasks',
    'allocation_reversals',
    'feeds',
    'insolvencies',
    'inbound_messages',
    'placements',
    'agency_reports',
    'rollouts',
    'bulk_commands',
  ] as const;
  const rows = await Promise.all([
    ...tables.map((table) => h.db.selectFrom(table).selectAll().execute()),
    h.db.selectFrom('events').select('id').execute(),
    h.db.selectFrom('receipts').selectAll().execute(),
    h.db.selectFrom('commands').selectAll().execute(),
    h.db.selectFrom('api_keys').selectAll().execute(),
    h.db.selectFrom('agencies').selectAll().execute(),
    h.db.selectFrom('agency_messages').selectAll().execute(),
  ]);
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
