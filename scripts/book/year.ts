import { currencyExponent, isCurrency } from '../../domain/money.ts';
import { later, type LocalDate } from '../../domain/time/dates.ts';
import { UsageError } from '../start/options.ts';
import { missingFiles, readTables, type TableInvoice, type TablePayment, type Tables } from '../tables/read.ts';

/** A customer of a table, and the country and language that it is given here: tables name neither. */
export interface YearCustomer {
  readonly reference: string;
  readonly name: string;
  readonly country: 'FR' | 'DE' | 'GB';
  readonly locale: 'fr' | 'de' | 'en';
  /** In a domain that is reserved for examples. */
  readonly email: string;
}

export interface YearInvoice {
  readonly number: string;
  readonly reference: string;
  readonly customer: string;
  readonly issuedOn: LocalDate;
  readonly dueOn: LocalDate;
  readonly amount: string;
  readonly currency: string;
}

export interface YearPayment {
  readonly id: string;
  readonly payerName: string;
  readonly payerAccount: string;
  readonly memo: string;
  readonly amount: string;
  readonly currency: string;
  readonly bookedOn: LocalDate;
  /** Numbers of the invoices that it is for, as the table has it; null where one of them was left out. */
  readonly meant: readonly string[] | null;
}

/** One year of a table: the invoices of its dates and the payments that belong to them. */
export interface BookYear {
  readonly table: string;
  readonly year: number;
  readonly customers: readonly YearCustomer[];
  readonly invoices: readonly YearInvoice[];
  /** In the order of their posting dates. */
  readonly payments: readonly YearPayment[];
  /** Rows whose amount their currency cannot express, such as yen with decimals. */
  readonly leftOut: { readonly invoices: number; readonly payments: number };
  readonly from: LocalDate;
  /** The last posting date. */
  readonly to: LocalDate;
}

/**
 * Reads one year of the table whose files begin with `prefix`.
 * @throws UsageError where there is no such table or year, StackError where a file cannot be read
 */
export function readYear(prefix: string, year: number | undefined): BookYear {
  const missing = missingFiles(prefix);
  if (missing.length > 0) {
    throw new UsageError(`--book ${prefix}: there is no such table; ${missing.join(', ')} cannot be found.`);
  }
  const tables = readTables(prefix);
  const years = [...new Set(tables.invoices.map(({ issuedOn }) => yearOf(issuedOn)))].toSorted((a, b) => a - b);
  if (year === undefined) throw new UsageError(`--book ${prefix} needs --year: the table has ${spans(years)}.`);
  if (!years.includes(year)) throw new UsageError(`--year ${year}: the table has ${spans(years)}.`);
  const found = bookYear(tables, year);
  if (found.invoices.length > 0) return found;
  throw new UsageError(`--year ${year}: no invoice of that year has an amount that its currency can express.`);
}

/** One year of a table that was read. Payments belong to it where every invoice they are for does. */
export function bookYear(tables: Tables, year: number): BookYear {
  const own = new Map(tables.invoices.filter((one) => yearOf(one.issuedOn) === year).map((one) => [one.id, one]));
  const meant = new Map(
    tables.matches
      .filter(({ invoiceIds }) => invoiceIds.every((id) => own.has(id)))
      .flatMap(({ paymentIds, invoiceIds }) => paymentIds.map((id) => [id, invoiceIds] as const)),
  );
  const opened = [...own.values()].filter(isPayable);
  const paid = tables.payments.filter(({ id }) => meant.has(id));
  const sent = paid.filter(isPayable);
  const numbers = new Map(opened.map((one) => [one.id, one.billingNumber]));
  const payments = sent
    .map((payment) => paymentOf(payment, meant.get(payment.id)!, numbers))
    .toSorted((a, b) => (a.bookedOn === b.bookedOn ? Number(a.id) - Number(b.id) : a.bookedOn < b.bookedOn ? -1 : 1));
  const invoices = opened.map(invoiceOf).toSorted((a, b) => (a.issuedOn < b.issuedOn ? -1 : 1));
  const from = invoices[0]?.issuedOn ?? `${year}-01-01`;
  return {
    table: tables.name,
    year,
    customers: customersOf(opened),
    invoices,
    payments,
    leftOut: { invoices: own.size - opened.length, payments: paid.length - sent.length },
    from,
    to: payments.reduce((last, { bookedOn }) => later(last, bookedOn), from),
  };
}

/**
 * The decimal text of an amount in hundredths, in the scale of its currency; null where that cannot express it.
 */
export function decimalText(hundredths: bigint, currency: string): string | null {
  if (!isCurrency(currency)) return null;
  const whole = hundredths / 100n;
  const cents = hundredths % 100n;
  if (currencyExponent(currency) === 0) return cents === 0n ? String(whole) : null;
  return `${whole}.${String(cents).padStart(2, '0')}`;
}

const isPayable = ({ amountMinor, currency }: { amountMinor: bigint; currency: string }): boolean =>
  amountMinor > 0n && decimalText(amountMinor, currency) !== null;

const invoiceOf = (invoice: TableInvoice): YearInvoice => ({
  number: invoice.billingNumber,
  reference: invoice.assignmentNumber,
  customer: invoice.customerId,
  issuedOn: invoice.issuedOn,
  dueOn: later(invoice.issuedOn, invoice.dueOn),
  amount: decimalText(invoice.amountMinor, invoice.currency)!,
  currency: invoice.currency,
});

function paymentOf(
  payment: TablePayment,
  invoiceIds: readonly string[],
  numbers: ReadonlyMap<string, string>,
): YearPayment {
  const meant = invoiceIds.flatMap((id) => numbers.get(id) ?? []);
  return {
    id: payment.id,
    payerName: payment.payerName.trim(),
    payerAccount: payment.payerAccount,
    memo: payment.memo,
    amount: decimalText(payment.amountMinor, payment.currency)!,
    currency: payment.currency,
    bookedOn: payment.bookedOn,
    meant: meant.length === invoiceIds.length ? meant : null,
  };
}

const HOMES = [
  { country: 'FR', locale: 'fr' },
  { country: 'DE', locale: 'de' },
  { country: 'GB', locale: 'en' },
] as const;

function customersOf(invoices: readonly TableInvoice[]): YearCustomer[] {
  const names = new Map(invoices.map(({ customerId, customerName }) => [customerId, customerName]));
  return [...names]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([reference, name], index) => ({
      reference,
      name,
      ...HOMES[index % HOMES.length]!,
      email: `accounts@${reference.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')}.example`,
    }));
}

const yearOf = (date: LocalDate): number => Number(date.slice(0, 4));

/** `2000 to 2003 and 2007` */
function spans(years: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const year of years) {
    const last = runs.at(-1);
    if (last && last[1] === year - 1) last[1] = year;
    else runs.push([year, year]);
  }
  const texts = runs.map(([first, last]) => (first === last ? String(first) : `${first} to ${last}`));
  return texts.length < 2 ? (texts[0] ?? 'no invoices') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}
