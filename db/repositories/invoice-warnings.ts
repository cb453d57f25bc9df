import { lawOf } from '../../domain/law/country-law.ts';
import { mentionWarnings, type InvoiceMentions } from '../../domain/law/invoice-mentions.ts';
import { paymentTermWarnings, type LawWarning, type PaymentTerms } from '../../domain/law/payment-terms.ts';
import type { CustomerKind } from '../../domain/policy/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import type { InvoiceInput, InvoiceRow } from './invoices.ts';
import { pinnedPolicy } from './pinned-policies.ts';

/** What is looked at for a warning, whether the invoice is stored or on its way in. */
interface Looked {
  country: string;
  kind: CustomerKind;
  issuedOn: LocalDate;
  dueOn: LocalDate;
  terms: PaymentTerms | null;
  mentions: InvoiceMentions | null;
  claimsInterest: boolean;
}

const NOTHING_SAID: PaymentTerms = { kind: null, sector: null, receivedOn: null, expresslyAgreed: false };

function warnings({ country, terms, mentions, ...invoice }: Looked): LawWarning[] {
  const law = lawOf(country);
  return [
    ...paymentTermWarnings(law?.paymentTerms ?? null, { ...invoice, terms: terms ?? NOTHING_SAID }),
    ...mentionWarnings(law?.invoiceMentions ?? null, { ...invoice, seen: mentions }),
  ];
}

/** Warnings about an invoice on its way in. `claimsInterest`: whether its policy will. */
export const warningsOfInput = (input: InvoiceInput, claimsInterest: boolean): LawWarning[] =>
  warnings({
    country: input.customer.country,
    kind: input.customer.kind,
    issuedOn: input.issuedOn,
    dueOn: input.dueOn,
    terms: input.terms ?? null,
    mentions: input.mentions ?? null,
    claimsInterest,
  });

/** What the law may object to about these invoices, by id, as they are now. */
export async function warningsOf(db: Db | Tx, rows: readonly InvoiceRow[]): Promise<Map<string, LawWarning[]>> {
  const found = new Map<string, LawWarning[]>();
  if (rows.length === 0) return found;
  const customerIds = [...new Set(rows.map((row) => row.customer_id))];
  const customers = await db
    .selectFrom('customers')
    .select(['id', 'country', 'kind'])
    .where('id', 'in', customerIds)
    .execute();
  const byId = new Map(customers.map((customer) => [customer.id, customer]));
  for (const row of rows) {
    const { country, kind } = byId.get(row.customer_id)!;
    const policy = await pinnedPolicy(db, row.creditor_id, row.policy_name, row.policy_version);
    const claimsInterest = policy.interest !== null && policy.interest.claim !== 'never';
    const invoice = { issuedOn: row.issued_on, dueOn: row.due_on, terms: row.terms, mentions: row.mentions };
    found.set(row.id, warnings({ country, kind, ...invoice, claimsInterest }));
  }
  return found;
}
