import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import type { CreditorRow } from '../db/repositories/creditors.ts';
import type { CustomerRow } from '../db/repositories/customers.ts';
import { attempt } from '../db/repositories/idempotency.ts';
import { invoicesByNumber, type LineResult } from '../db/repositories/imports.ts';
import { putInvoiceFile, registerInvoices, type InvoiceInput, type Registration } from '../db/repositories/invoices.ts';
import { warningsOfInput } from '../db/repositories/invoice-warnings.ts';
import { DomainError } from '../domain/errors.ts';
import type { ImportedDocument } from '../domain/imports/document.ts';
import { lawOf } from '../domain/law/country-law.ts';
import { mentionsIn, type InvoiceMentions } from '../domain/law/invoice-mentions.ts';
import { currencyExponent, formatAmount, parseAmount } from '../domain/money.ts';
import { addDays } from '../domain/time/dates.ts';
import { customerKey, type CustomerDirectory, type FoundCustomers } from './import-customers.ts';
import { rejectedByRule } from './import-results.ts';

export interface DocumentRow {
  line: number;
  document: ImportedDocument;
}

/** What the rows of one import have in common. */
export interface ImportRun {
  importId: string;
  creditor: CreditorRow;
  directory: CustomerDirectory;
  /** The PDF that the one document of this import came in; it is the invoice's own. */
  pdf: { filename: string | null; bytes: Buffer } | null;
}

/** Bytes; a larger PDF is read but not sent along with reminders, as little as one that is uploaded for that. */
const MAX_KEPT_PDF = 10_485_760;

export interface WrittenRows {
  results: LineResult[];
  /** To be kept by the directory once all is committed. */
  found: FoundCustomers;
}

/** Registers the invoices of these rows in a few statements. A row that is rejected leaves nothing, not even its customer. */
export async function writeInvoices(
  tx: Tx,
  act: Act,
  run: ImportRun,
  rows: readonly DocumentRow[],
): Promise<WrittenRows> {
  const rejected: LineResult[] = [];
  for (let rest = rows; ;) {
    const tried = await attempt(tx, async () => registerRows(tx, act, run, rest));
    if ('done' in tried) return { results: [...rejected, ...tried.done.results], found: tried.done.found };
    if (!(tried.failed instanceof CustomersForNothing)) throw tried.failed;
    const refusals = new Map(tried.failed.results.map((result) => [result.line, result]));
    rejected.push(...refusals.values());
    rest = rest.filter(({ line }) => !refusals.has(line));
  }
}

/** Customers were added whose rows were then all rejected: undo, and do the others again without them. */
class CustomersForNothing extends Error {
  readonly results: readonly LineResult[];

  constructor(results: readonly LineResult[]) {
    super('customers without a row');
    this.results = results;
  }
}

async function registerRows(tx: Tx, act: Act, run: ImportRun, rows: readonly DocumentRow[]): Promise<WrittenRows> {
  const { found, created } = await run.directory.resolve(
    tx,
    act,
    rows.map(({ document }) => document.customer),
  );
  const customerOf = (row: DocumentRow): CustomerRow | DomainError => found.get(customerKey(row.document.customer))!;
  const results: LineResult[] = [];
  const addressed: { row: DocumentRow; input: InvoiceInput }[] = [];
  for (const row of rows) {
    const customer = customerOf(row);
    if (customer instanceof DomainError) results.push(rejectedByRule(row.line, row.document.number, customer));
    else addressed.push({ row, input: invoiceInput(run, row.document, customer) });
  }

  const inputs = addressed.map(({ input }) => input);
  const registrations = await registerInvoices(tx, act, run.creditor, inputs);
  const moved = await movedByPaymentDays(tx, run, inputs, registrations);
  for (const [index, { row, input }] of addressed.entries()) {
    const { line } = row;
    const { number } = input;
    const registration = registrations[index]!;
    if (registration.outcome === 'rejected') {
      const invoiceId = moved.get(number);
      if (invoiceId !== undefined && onlyDueOnDiffers(input, registration)) {
        results.push({ line, number, status: 'unchanged', invoiceId });
      } else results.push(rejectedByRule(line, number, registration.error));
      continue;
    }
    const { invoiceId, outcome } = registration;
    const status = outcome === 'created' ? ('accepted' as const) : ('unchanged' as const);
    results.push({ line, number, status, invoiceId, warnings: warningsOfInput(input, false) });
    if (outcome === 'created' && run.pdf && run.pdf.bytes.length <= MAX_KEPT_PDF)
      await attach(tx, act, run, invoiceId, number);
  }

  const kept = new Set(results.filter(({ status }) => status !== 'rejected').map(({ line }) => line));
  const used = new Set(rows.filter(({ line }) => kept.has(line)).map((row) => customerKey(row.document.customer)));
  const inVain = new Set([...created].filter((key) => !used.has(key)));
  if (inVain.size > 0) {
    const lines = new Set(rows.filter((row) => inVain.has(customerKey(row.document.customer))).map(({ line }) => line));
    throw new CustomersForNothing(results.filter(({ line }) => lines.has(line)));
  }
  return { results, found };
}

function invoiceInput(run: ImportRun, document: ImportedDocument, customer: CustomerRow): InvoiceInput {
  const { dueOn, dueOnSource, issuedOn } = document;
  return {
    number: document.number,
    customer,
    issuedOn,
    dueOn: dueOn ?? addDays(issuedOn, run.creditor.payment_days),
    dueOnOrigin: dueOn === null || dueOnSource === 'none' ? 'paymentDays' : dueOnSource,
    amountMinor: parseAmount(document.amount, document.currency),
    currency: document.currency,
    vat: document.vat.map(({ rate, net, vat }) => ({
      rate: short(rate),
      net: fullScale(net, document.currency),
      vat: fullScale(vat, document.currency),
    })),
    references: document.references,
    orderReference: document.orderReference,
    policy: document.policy ?? null,
    ...(document.collection === null ? {} : { collection: document.collection }),
    chaseFrom: document.chaseFrom ?? null,
    lastStepSent: document.lastStepSent ?? null,
    mentions: mentionsOf(document, customer),
    importId: run.importId,
  };
}

/** What the text of an e-invoice shows of what the law wants on it; null where no such text was read. */
function mentionsOf({ texts }: ImportedDocument, { country }: CustomerRow): InvoiceMentions | null {
  const rule = lawOf(country)?.invoiceMentions ?? null;
  return rule === null || texts === undefined ? null : mentionsIn(rule, texts);
}

/** Without zeros that say nothing: `19.00` and `19` are one rate. */
const short = (decimal: string): string => (decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal);

/** `275`, `275.0` and `275.00` are one amount; more decimals than the currency has, as on a line of taxes, stay. */
function fullScale(decimal: string, currency: string): string {
  const text = short(decimal);
  const unsigned = text.replace(/^-/, '');
  if ((unsigned.split('.')[1] ?? '').length > currencyExponent(currency)) return text;
  try {
    const minor = parseAmount(unsigned, currency);
    return formatAmount(text.startsWith('-') ? -minor : minor, currency);
  } catch {
    return text;
  }
}

/**
 * A due date that we worked out is no content of the file: after the creditor changed its payment days, the same file is
 * still the same. The invoices of such rows, by number.
 */
async function movedByPaymentDays(
  tx: Tx,
  run: ImportRun,
  inputs: readonly InvoiceInput[],
  registrations: readonly Registration[],
): Promise<Map<string, string>> {
  const numbers = inputs.filter((input, index) => onlyDueOnDiffers(input, registrations[index]!)).map((i) => i.number);
  const invoices = await invoicesByNumber(tx, run.creditor.id, numbers);
  return new Map([...invoices].map(([number, { id }]) => [number, id]));
}

function onlyDueOnDiffers(input: InvoiceInput, registration: Registration): boolean {
  if (registration.outcome !== 'rejected' || input.dueOnOrigin !== 'paymentDays') return false;
  const { code, faults } = registration.error;
  return code === 'invoiceExists' && faults.length === 1 && faults[0]?.pointer === '/dueOn';
}

async function attach(tx: Tx, act: Act, run: ImportRun, invoiceId: string, number: string): Promise<void> {
  const { filename, bytes } = run.pdf!;
  const safe = (filename ?? `${number}.pdf`).replace(/[^\p{L}\p{N}._ -]/gu, '-').slice(0, 120);
  const file = { filename: safe, contentType: 'application/pdf', bytes };
  await putInvoiceFile(tx, act, run.creditor.id, invoiceId, file);
}
