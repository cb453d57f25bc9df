import type { z } from 'zod';
import { instalmentRests, instalmentStatus } from '../domain/case/plan-course.ts';
import type { Standing } from '../domain/case/standing.ts';
import { shownStep } from '../domain/case/requests.ts';
import type { LawWarning } from '../domain/law/payment-terms.ts';
import { formatAmount } from '../domain/money.ts';
import type { LocalDate } from '../domain/time/dates.ts';
import { isoInstant, localDate, type Instant } from '../domain/time/zones.ts';
import type { Db, Tx } from '../db/database.ts';
import type { ContactItemRow, ContactRow } from '../db/repositories/contact-list.ts';
import { findCreditor, type CreditorRow } from '../db/repositories/creditors.ts';
import type { CustomerRow } from '../db/repositories/customers.ts';
import type { DisputeRow } from '../db/repositories/disputes.ts';
import type { InboundRow } from '../db/repositories/inbound.ts';
import { insolvenciesOf, type InsolvencyRow, type KnownInsolvency } from '../db/repositories/insolvencies.ts';
import { findInvoice, type InvoiceRow } from '../db/repositories/invoices.ts';
import type { CreditNoteRow } from '../db/repositories/money-list.ts';
import type { PlanRow } from '../db/repositories/plans.ts';
import type { PromiseRow } from '../db/repositories/promises.ts';
import type { AllocationRow, ReceiptRow } from '../db/repositories/receipt-list.ts';
import { retentionOf } from '../db/repositories/retention.ts';
import { standingsOf } from '../db/repositories/standings.ts';
import { warningsOf } from '../db/repositories/invoice-warnings.ts';
import type { TaskRow } from '../db/repositories/task-list.ts';
import { caseWorkflowId } from '../workflows/ids.ts';
import { notFound } from './problem.ts';
import type * as shape from './schemas/resources.ts';

/** Rows as resources: the one place where column names become the names of the API. */

type Of<T extends z.ZodType> = z.input<T>;

const isoOrNull = (at: Instant | null): string | null => (at === null ? null : isoInstant(at));

export const presentCreditor = (row: CreditorRow): Of<typeof shape.creditor> => ({
  id: row.id,
  name: row.name,
  country: row.country,
  timeZone: row.time_zone,
  locale: row.locale,
  senderEmail: row.sender_email,
  replyTo: row.reply_to,
  address: row.address,
  registrationId: row.registration_id,
  vatId: row.vat_id,
  iban: row.iban,
  defaultPolicy: row.default_policy,
  paymentDays: row.payment_days,
  closedWeeks: row.closed_weeks,
  replyHoldWorkingDays: row.reply_hold_working_days,
  defaultAgency: row.default_agency,
  paymentSentDays: row.payment_sent_days,
  collectsFor: row.collects_for,
  retention: retentionOf(row.retention),
  createdAt: isoInstant(row.created_at),
});

/** Customers with the proceedings over them. */
export async function presentCustomers(
  db: Db | Tx,
  rows: readonly CustomerRow[],
): Promise<Of<typeof shape.customer>[]> {
  const insolvencies = await insolvenciesOf(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => presentCustomer(row, insolvencies.get(row.id)));
}

const presentCustomer = (row: CustomerRow, insolvency: InsolvencyRow | undefined): Of<typeof shape.customer> => ({
  id: row.id,
  reference: row.reference,
  name: row.name,
  kind: row.kind,
  country: row.country,
  locale: row.locale,
  timeZone: row.time_zone,
  registrationId: row.registration_id,
  vatId: row.vat_id,
  address: row.address,
  contacts: row.contacts,
  policy: row.policy,
  parentId: row.parent_id,
  insolvency: insolvency
    ? {
        id: insolvency.id,
        status: insolvency.status,
        kind: insolvency.kind,
        judgmentOn: insolvency.judgment_on,
        outcome: insolvency.outcome,
      }
    : null,
  createdAt: isoInstant(row.created_at),
});

export const presentInsolvency = ({
  row,
  invoiceIds,
  taskId,
  documentId,
}: KnownInsolvency): Of<typeof shape.insolvency> => ({
  id: row.id,
  customerId: row.customer_id,
  status: row.status,
  kind: row.kind,
  judgmentOn: row.judgment_on,
  publishedOn: row.published_on,
  declareBy: row.declare_by,
  trustee: row.trustee,
  outcome: row.outcome,
  closedOn: row.closed_on,
  invoiceIds,
  taskId,
  documentId,
});

export const presentInbound = (row: InboundRow): Of<typeof shape.inbound> => ({
  id: row.id,
  customerId: row.customer_id,
  channel: row.channel,
  receivedAt: isoInstant(row.received_at),
  text: row.text,
  invoiceIds: row.invoice_ids,
  holdId: row.hold_id,
  taskId: row.task_id,
  until: row.until_on,
  readAt: isoOrNull(row.read_at),
});

/** Invoices with where they stand at this moment. */
export async function presentInvoices(
  db: Db | Tx,
  rows: readonly InvoiceRow[],
  creditorZone: string,
  now: Instant,
): Promise<Of<typeof shape.invoice>[]> {
  const standings = await standingsOf(db, rows, localDate(now, creditorZone));
  const warnings = await warningsOf(db, rows);
  return rows.map((row) => presentInvoice(row, standings.get(row.id)!, warnings.get(row.id) ?? []));
}

/** One invoice of a creditor as it is now. Throws `notFound`. */
export async function invoiceAnswer(
  db: Db | Tx,
  creditorId: string,
  invoiceId: string,
  now: Instant,
): Promise<Of<typeof shape.invoice>> {
  const row = await findInvoice(db, creditorId, invoiceId);
  if (!row) throw notFound();
  const creditor = await findCreditor(db, creditorId);
  if (!creditor) throw notFound();
  const [answer] = await presentInvoices(db, [row], creditor.time_zone, now);
  return answer!;
}

function presentInvoice(row: InvoiceRow, standing: Standing, warnings: LawWarning[]): Of<typeof shape.invoice> {
  const amount = (minor: bigint): string => formatAmount(minor, row.currency);
  return {
    id: row.id,
    number: row.number,
    customerId: row.customer_id,
    workflowId: caseWorkflowId(row.id),
    stage: row.stage,
    holds: standing.holds.map((hold) => ({
      id: hold.id,
      kind: hold.kind,
      until: hold.until,
      amount: hold.amountMinor === null ? null : amount(hold.amountMinor),
    })),
    issuedOn: row.issued_on,
    dueOn: row.due_on,
    amount: amount(row.amount_minor),
    balance: amount(row.balance_minor),
    accessories: amount(row.accessories_minor),
    disputed: amount(standing.disputedMinor),
    promised: amount(standing.promisedMinor),
    writtenOff: amount(row.written_off_minor),
    recovered: amount(row.recovered_minor),
    currency: row.currency,
    references: row.refs,
    orderReference: row.order_reference,
    vat: row.vat,
    collection: { method: row.collection_method, on: row.collection_on },
    chaseFrom: row.chase_from,
    lastStepSent: row.last_step_sent,
    discount:
      row.discount_minor === null || row.discount_until === null
        ? null
        : { until: row.discount_until, amount: amount(row.discount_minor) },
    terms: row.terms,
    limitationOn: row.limitation_on,
    limitationYears: row.limitation_years,
    warnings,
    policy: { name: row.policy_name, version: row.policy_version },
    next: row.next && presentNext(row.next),
    createdAt: isoInstant(row.registered_at),
  };
}

const presentNext = (next: NonNullable<InvoiceRow['next']>): Of<typeof shape.nextAction> => ({
  at: next.at,
  action: next.action as Of<typeof shape.nextAction>['action'],
  step: next.step,
  reason: next.reason,
});

export const presentReceipt = (row: ReceiptRow, allocations: readonly AllocationRow[]): Of<typeof shape.receipt> => ({
  id: row.id,
  customerId: row.customer_id,
  feedId: row.feed_id,
  externalId: row.external_id,
  bookedOn: row.booked_on,
  amount: formatAmount(row.amount_minor, row.currency),
  unapplied: formatAmount(row.unapplied_minor, row.currency),
  returned: formatAmount(row.returned_minor, row.currency),
  setAside: formatAmount(row.set_aside_minor, row.currency),
  currency: row.currency,
  payerName: row.payer_name,
  payerIban: row.payer_iban,
  remittance: row.remittance,
  endToEndId: row.end_to_end_id,
  method: row.method,
  byPerson: row.by_person,
  allocations: allocations.map((allocation) => presentAllocation(allocation, row.currency)),
  createdAt: isoInstant(row.at),
});

export const presentCreditNote = (row: CreditNoteRow): Of<typeof shape.creditNote> => ({
  id: row.id,
  number: row.number,
  customerId: row.customer_id,
  invoiceId: row.invoice_id,
  amount: formatAmount(row.amount_minor, row.currency),
  unapplied: formatAmount(row.unapplied_minor, row.currency),
  currency: row.currency,
  issuedOn: row.issued_on,
  reason: row.reason,
});

export const presentAllocation = (row: AllocationRow, currency: string): Of<typeof shape.allocation> => ({
  id: row.id,
  receiptId: row.receipt_id,
  creditNoteId: row.credit_note_id,
  invoiceId: row.invoice_id,
  amount: formatAmount(row.amount_minor, currency),
  principal: formatAmount(row.amount_minor - row.accessories_minor, currency),
  currency,
  on: row.on_date,
  rule: row.rule,
  actor: row.actor,
  reversedOn: row.reversed_on,
});

export const presentPromise = (row: PromiseRow, currency: string): Of<typeof shape.promise> => ({
  id: row.id,
  invoiceId: row.invoice_id,
  payOn: row.pay_on,
  amount: row.amount_minor === null ? null : formatAmount(row.amount_minor, currency),
  currency,
  by: row.promised_by,
  holds: row.holds,
  graceDays: row.grace_days,
  status: row.status,
  madeOn: row.made_on,
  endedOn: row.ended_on,
});

/** `today`: the creditor's date, by which instalments of an active plan are due or late. */
export const presentPlan = (row: PlanRow, today: LocalDate): Of<typeof shape.plan> => ({
  id: row.id,
  status: row.status,
  customerId: row.customer_id,
  invoiceIds: row.invoiceIds,
  currency: row.currency,
  total: formatAmount(row.total_minor, row.currency),
  paid: formatAmount(row.paid, row.currency),
  graceDays: row.grace_days,
  agreedOn: row.agreed_on,
  endedOn: row.ended_on,
  replaces: row.replaces,
  instalments: instalmentRests({ instalments: row.instalments, paidMinor: row.paid }).map((instalment) => ({
    n: instalment.n,
    dueOn: instalment.dueOn,
    amount: formatAmount(instalment.amountMinor, row.currency),
    paid: formatAmount(instalment.amountMinor - instalment.restMinor, row.currency),
    status: instalmentStatus(instalment, row.ended_on ?? today),
  })),
  createdAt: isoInstant(row.at),
});

export const presentDispute = (row: DisputeRow, currency: string): Of<typeof shape.dispute> => ({
  id: row.id,
  invoiceId: row.invoice_id,
  amount: row.amount_minor === null ? null : formatAmount(row.amount_minor, currency),
  currency,
  category: row.category,
  note: row.note,
  status: row.status,
  openedOn: row.opened_on,
  resolvedOn: row.resolved_on,
  resolutionNote: row.resolution_note,
  creditNoteId: row.credit_note_id,
});

export const presentTask = (row: TaskRow): Of<typeof shape.task> => ({
  id: row.id,
  kind: row.kind,
  status: row.status,
  role: row.role,
  invoiceId: row.invoice_id,
  customerId: row.customer_id,
  contactId: row.contact_id,
  receiptId: row.receipt_id,
  step: row.step,
  dueAt: isoInstant(row.due_at),
  subject: row.subject,
  body: row.body,
  data: row.data,
  openedAt: isoInstant(row.opened_at),
  closedAt: isoOrNull(row.closed_at),
  closedBy: row.closed_by,
  outcome: row.outcome,
});

export const presentContact = (row: ContactRow, items: readonly ContactItemRow[]): Of<typeof shape.contact> => ({
  id: row.id,
  customerId: row.customer_id,
  kind: row.kind,
  channel: row.channel,
  status: row.status,
  reference: row.reference,
  subject: row.subject,
  tone: row.tone,
  template: row.template,
  templateVersion: row.template_version,
  to: row.recipients,
  cc: row.cc,
  plannedAt: isoInstant(row.planned_at),
  sentAt: isoOrNull(row.sent_at),
  finishedAt: isoOrNull(row.finished_at),
  errorCode: row.error_code,
  taskId: row.task_id,
  post:
    row.channel === 'letter' || row.channel === 'registeredLetter'
      ? {
          printBatchId: row.print_batch_id,
          dispatchedOn: row.dispatched_on,
          deliveredOn: row.delivered_on,
          refusedOn: row.refused_on,
          returnedOn: row.returned_on,
          trackingNumber: row.tracking_number,
        }
      : null,
  erased: row.erased_at !== null,
  items: items.map((item) => ({
    invoiceId: item.invoice_id,
    step: shownStep(item.step),
    amount: formatAmount(item.amount_minor, item.currency),
    currency: item.currency,
  })),
});
