import type { CreditorRow } from '../db/repositories/creditors.ts';
import type { CustomerRow } from '../db/repositories/customers.ts';
import type { Discrepancy } from '../db/repositories/heads.ts';
import type { InvoiceRow } from '../db/repositories/invoices.ts';
import type { TimelineRow } from '../db/repositories/timeline.ts';
import { addressLines } from '../domain/address.ts';
import type { TimelineDocument } from '../domain/case/timeline-document.ts';
import { formatAmount } from '../domain/money.ts';
import type { LocalDate } from '../domain/time/dates.ts';
import type { Instant } from '../domain/time/zones.ts';
import { summaryOf } from './timeline-summary.ts';

/** What a timeline's document is made of; nothing is read here. */
export interface TimelineSource {
  creditor: CreditorRow;
  customer: CustomerRow;
  invoice: InvoiceRow;
  events: readonly TimelineRow[];
  verified: { anchored: number; problems: readonly Discrepancy[] };
  head: { n: number; on_date: LocalDate; hash: Buffer } | undefined;
  madeAt: Instant;
}

export function timelineDocument(source: TimelineSource): TimelineDocument {
  const { creditor, customer, invoice, events, verified, head, madeAt } = source;
  return {
    locale: creditor.locale,
    creditor: {
      name: creditor.name,
      timeZone: creditor.time_zone,
      addressLines: addressLines(creditor.address),
    },
    customer: { name: customer.name, reference: customer.reference },
    invoice: {
      id: invoice.id,
      number: invoice.number,
      issuedOn: invoice.issued_on,
      dueOn: invoice.due_on,
      amount: formatAmount(invoice.amount_minor, invoice.currency),
      balance: formatAmount(invoice.balance_minor, invoice.currency),
      currency: invoice.currency,
      stage: invoice.stage,
    },
    madeAt,
    events: events.map((event) => ({
      n: event.n,
      at: event.at,
      kind: event.kind,
      actor: event.actor,
      summary: summaryOf(event),
      erased: event.erased,
      hash: event.hash.toString('hex'),
    })),
    verification: {
      holds: verified.problems.length === 0,
      problems: verified.problems.map((problem) => problem.message),
      anchored: verified.anchored,
      head: head ? { n: head.n, on: head.on_date, hash: head.hash.toString('hex') } : null,
    },
  };
}
