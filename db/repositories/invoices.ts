import { createHash } from 'node:crypto';
import { sql, type Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { lawOf } from '../../domain/law/country-law.ts';
import type { InvoiceMentions } from '../../domain/law/invoice-mentions.ts';
import { limitationIn } from '../../domain/law/limitation.ts';
import type { PaymentTerms } from '../../domain/law/payment-terms.ts';
import { invoiceRegistered } from '../../domain/ledger/postings.ts';
import type { DiscountTerm } from '../../domain/matching/types.ts';
import { invoiceTokens } from '../../domain/matching/invoice-tokens.ts';
import { formatAmount } from '../../domain/money.ts';
import { validateStepOf } from '../../domain/policy/parse.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, HoldKind, Stage, VatLine } from '../types.ts';
import { creditorsDate, type CreditorRow } from './creditors.ts';
import type { CustomerRow } from './customers.ts';
import { appendEvent, firstEvent } from './events.ts';
import { lookAgainFor } from './look-again.ts';
import { holdUnderInsolvency } from './insolvency-holds.ts';
import { limitationOfInvoice } from './limitation-days.ts';
import { postOpenings } from './ledger.ts';
import { lockCustomers, lockInvoice } from './locks.ts';
import { withdrawLetters } from './letters.ts';
import { pokeOutreach, startCases, wakeCase } from './outbox.ts';
import { choosePolicy, newestPolicies, type StoredPolicy } from './policies.ts';
import { recordDueDateMove } from './receivable-sums.ts';
import { isOpenStage } from './runs.ts';

export type InvoiceRow = Selectable<Database['invoices']>;

/** Where the due date came from; on the timeline. `given`: whoever registered the invoice said it. */
export type DueOnOrigin = 'given' | 'document' | 'terms' | 'paymentDays';

/** An invoice on its way in. Amounts are minor units of `currency`; dates are the creditor's. */
export interface InvoiceInput {
  number: string;
  customer: CustomerRow;
  issuedOn: LocalDate;
  dueOn: LocalDate;
  amountMinor: bigint;
  currency: string;
  vat?: readonly VatLine[];
  /** What a payer may quote besides the number. */
  references?: readonly string[];
  orderReference?: string | null;
  /** Name of a policy; absent, the customer's, the creditor's or the preset's counts. */
  policy?: string | null;
  collection?: { method: 'transfer' | 'directDebit'; on: LocalDate | null };
  chaseFrom?: LocalDate | null;
  lastStepSent?: string | null;
  /** How the payment term was agreed; null where nobody said. */
  terms?: PaymentTerms | null;
  /** What paying early takes off; null where nothing was agreed, absent where the source does not say. */
  discount?: DiscountTerm | null;
  /** The years of limitation that the contract agrees; null: those of the law. */
  limitationYears?: number | null;
  /** What the text of the e-invoice shows; null where none was read. */
  mentions?: InvoiceMentions | null;
  dueOnOrigin?: DueOnOrigin;
  /** The import it came with. */
  importId?: string | null;
}

/** What became of one invoice of a batch. */
export type Registration =
  { outcome: 'created' | 'unchanged'; invoiceId: string } | { outcome: 'rejected'; error: DomainError };

/**
 * Registers one invoice and has its case started. The same number again is `unchanged` when all is equal. Throws
 * `invoiceExists` when it is not, `dueBeforeIssue`, `unknownPolicy`, `noPolicy`, `unknownStep`, `limitationYearsNotAllowed`,
 * `discountInvalid`.
 */
export async function registerInvoice(
  tx: Tx,
  act: Act,
  creditor: CreditorRow,
  input: InvoiceInput,
): Promise<{ invoiceId: string; outcome: 'created' | 'unchanged' }> {
  const [result] = await registerInvoices(tx, act, creditor, [input]);
  if (!result) throw new Error('A batch of one has one result.');
  if (result.outcome === 'rejected') throw result.error;
  return result;
}

/** Rows an insert carries at most: PostgreSQL takes 65,535 parameters a statement. */
const CHUNK = 500;

/**
 * Registers many invoices of one creditor in a few statements, each as `registerInvoice` would: the good ones go in, the
 * others come back with their reason. The results are in the order of the inputs; of a number that comes twice within a
 * batch the first counts.
 */
export async function registerInvoices(
  tx: Tx,
  act: Act,
  creditor: CreditorRow,
  inputs: readonly InvoiceInput[],
): Promise<Registration[]> {
  const policies = await newestPolicies(tx, creditor.id);
  const results: (Registration | null)[] = inputs.map(() => null);
  const drafts: Draft[] = [];
  for (const [index, input] of inputs.entries()) {
    try {
      drafts.push(draft(creditor, policies, input, index));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      results[index] = { outcome: 'rejected', error };
    }
  }

  const firsts = new Map<string, Draft>();
  for (const one of drafts) if (!firsts.has(one.input.number)) firsts.set(one.input.number, one);
  const inserted = await insertDrafts(tx, act, creditor, [...firsts.values()]);
  for (const one of drafts) if (inserted.has(one.id)) results[one.index] = { outcome: 'created', invoiceId: one.id };

  const repeats = drafts.filter((one) => !inserted.has(one.id));
  const known = await byNumbers(
    tx,
    creditor.id,
    repeats.map((one) => one.input.number),
  );
  const firstDueOn = await originalDueDates(tx, known);
  for (const one of repeats) {
    const row = known.get(one.input.number);
    if (!row) throw new Error(`The invoice of draft ${one.index} was neither inserted nor found.`);
    results[one.index] = compared(row, firstDueOn.get(row.id) ?? row.due_on, one);
  }
  return results.map((result) => result!);
}

interface Draft {
  index: number;
  id: string;
  input: InvoiceInput;
  policy: StoredPolicy;
}

function draft(
  creditor: CreditorRow,
  policies: ReadonlyMap<string, StoredPolicy>,
  input: InvoiceInput,
  index: number,
): Draft {
  if (input.dueOn < input.issuedOn) {
    throw refusal('dueBeforeIssue', '/dueOn', 'The due date lies before the issue date.');
  }
  requireLimitationYears(input);
  requireDiscount(input);
  const policy = choosePolicy(policies, {
    own: input.policy ?? null,
    customer: input.customer.policy,
    creditorDefault: creditor.default_policy,
    country: input.customer.country,
    kind: input.customer.kind,
  });
  if (input.lastStepSent) {
    try {
      validateStepOf(policy.policy, input.lastStepSent);
    } catch (error) {
      throw error instanceof DomainError ? refusal(error.code, '/lastStepSent', error.message) : error;
    }
  }
  return { index, id: newId('inv'), input, policy };
}

const refusal = (code: string, pointer: string, message: string): DomainError =>
  new DomainError(code, message, [{ pointer, code, message }]);

/** A contract may set the years of limitation only where the law of the debtor's country lets it, within its bounds. */
function requireLimitationYears({ customer, limitationYears }: InvoiceInput): void {
  if (limitationYears === undefined || limitationYears === null) return;
  const allowed = lawOf(customer.country)?.limitation[customer.kind]?.contract ?? null;
  if (allowed !== null && allowed.from <= limitationYears && limitationYears <= allowed.to) return;
  const message =
    allowed === null
      ? 'No contract is known to change the limitation of claims against this customer.'
      : `A contract sets ${allowed.from} to ${allowed.to} years (${allowed.source}).`;
  throw refusal('limitationYearsNotAllowed', '/limitationYears', message);
}

/** A discount is less than the invoice, for paying between its issue and its due date. */
function requireDiscount({ discount, amountMinor, issuedOn, dueOn }: InvoiceInput): void {
  if (!discount) return;
  if (discount.amountMinor <= 0n || discount.amountMinor >= amountMinor) {
    throw refusal('discountInvalid', '/discount', 'A discount is more than nothing and less than the invoice.');
  }
  if (discount.until < issuedOn || discount.until > dueOn) {
    throw refusal('discountInvalid', '/discount/until', 'It is for paying between the issue and the due date.');
  }
}

async function insertDrafts(
  tx: Tx,
  act: Act,
  creditor: CreditorRow,
  drafts: readonly Draft[],
): Promise<ReadonlySet<string>> {
  const inserted = new Set<string>();
  // In the order of their numbers: two batches with the same numbers wait for each other, but never crosswise.
  const ordered = [...drafts].sort((a, b) => (a.input.number < b.input.number ? -1 : 1));
  for (let from = 0; from < ordered.length; from += CHUNK) {
    const chunk = ordered.slice(from, from + CHUNK);
    for (const id of await insertChunk(tx, act, creditor, chunk)) inserted.add(id);
  }
  return inserted;
}

async function insertChunk(tx: Tx, act: Act, creditor: CreditorRow, chunk: readonly Draft[]): Promise<string[]> {
  const firstEvents = new Map(chunk.map((one) => [one.id, firstEvent(act, registeredEvent(one))]));
  const rows = await tx
    .insertInto('invoices')
    .values(chunk.map((one) => invoiceRow(act, creditor, one, firstEvents.get(one.id)!.hash)))
    .onConflict((conflict) => conflict.columns(['creditor_id', 'number']).doNothing())
    .returning('id')
    .execute();
  const ids = new Set(rows.map((row) => row.id));
  const fresh = chunk.filter((one) => ids.has(one.id));
  if (fresh.length === 0) return [];

  const today = localDate(act.at, creditor.time_zone);
  await tx
    .insertInto('case_runs')
    .values(fresh.map((one) => ({ invoice_id: one.id, run: 1, opened_on: today })))
    .execute();
  const tokens = fresh.flatMap((one) =>
    invoiceTokens(one.input).map((token) => ({ creditor_id: creditor.id, token, invoice_id: one.id })),
  );
  if (tokens.length > 0) await tx.insertInto('invoice_tokens').values(tokens).execute();
  await tx
    .insertInto('events')
    .values(fresh.map((one) => firstEvents.get(one.id)!.row))
    .execute();
  await postOpenings(
    tx,
    act,
    creditor.id,
    fresh.map((one) => ({
      onDate: one.input.issuedOn,
      entry: invoiceRegistered({
        invoiceId: one.id,
        customerId: one.input.customer.id,
        amountMinor: one.input.amountMinor,
        currency: one.input.currency,
      }),
    })),
  );
  await holdUnderInsolvency(
    tx,
    act,
    fresh.map((one) => ({ invoiceId: one.id, customerId: one.input.customer.id, issuedOn: one.input.issuedOn })),
    today,
  );
  await startCases(
    tx,
    fresh.map((one) => ({ invoiceId: one.id, run: 1 })),
  );
  await lookAgainFor(
    tx,
    creditor.id,
    fresh.map(({ input }) => ({
      customerId: input.customer.id,
      amountMinor: input.amountMinor,
      currency: input.currency,
      tokens: invoiceTokens(input),
    })),
  );
  return [...ids];
}

function invoiceRow(act: Act, creditor: CreditorRow, { id, input, policy }: Draft, hash: Buffer) {
  return {
    id,
    creditor_id: creditor.id,
    customer_id: input.customer.id,
    number: input.number,
    issued_on: input.issuedOn,
    due_on: input.dueOn,
    amount_minor: input.amountMinor,
    currency: input.currency,
    vat: json(input.vat ?? []),
    refs: [...(input.references ?? [])],
    order_reference: input.orderReference ?? null,
    collection_method: input.collection?.method ?? ('transfer' as const),
    collection_on: input.collection?.on ?? null,
    chase_from: input.chaseFrom ?? null,
    last_step_sent: input.lastStepSent ?? null,
    policy_name: policy.name,
    policy_version: policy.version,
    limitation_on: lastDayInTime(input),
    limitation_years: input.limitationYears ?? null,
    terms: input.terms ? json(input.terms) : null,
    mentions: input.mentions ? json(input.mentions) : null,
    discount_minor: input.discount?.amountMinor ?? null,
    discount_until: input.discount?.until ?? null,
    registered_at: instant(act.at),
    balance_minor: input.amountMinor,
    event_count: 1,
    event_hash: hash,
  };
}

/** The last day on which the claim can be pursued; `null` where the law of the place is not covered. */
function lastDayInTime({ customer, issuedOn, dueOn, limitationYears = null }: InvoiceInput): LocalDate | null {
  const claim = { issuedOn, dueOn, contractYears: limitationYears, events: [] };
  return limitationIn(customer.country, customer.kind, claim)?.on ?? null;
}

function registeredEvent({ id, input, policy }: Draft) {
  return {
    invoiceId: id,
    kind: 'invoiceRegistered' as const,
    data: {
      amount: formatAmount(input.amountMinor, input.currency),
      currency: input.currency,
      issuedOn: input.issuedOn,
      dueOn: input.dueOn,
      dueOnFrom: input.dueOnOrigin ?? 'given',
      policy: policy.name,
      policyVersion: policy.version,
      ...(input.discount
        ? { discount: formatAmount(input.discount.amountMinor, input.currency), discountUntil: input.discount.until }
        : {}),
      ...(input.importId ? { importId: input.importId } : {}),
    },
  };
}

function compared(row: InvoiceRow, firstDueOn: LocalDate, { input }: Draft): Registration {
  const pairs: [field: string, same: boolean][] = [
    ['customerId', row.customer_id === input.customer.id],
    ['issuedOn', row.issued_on === input.issuedOn],
    ['dueOn', row.due_on === input.dueOn || firstDueOn === input.dueOn],
    ['amount', row.amount_minor === input.amountMinor],
    ['currency', row.currency === input.currency],
    ['vat', sameVat(row.vat, input.vat ?? [])],
    ['references', sameSet(row.refs, input.references ?? [])],
    ['orderReference', row.order_reference === (input.orderReference ?? null)],
    ['policy', !input.policy || row.policy_name === input.policy],
    ['collection', row.collection_method === (input.collection?.method ?? 'transfer')],
    ['collection/on', row.collection_on === (input.collection?.on ?? null)],
    ['chaseFrom', row.chase_from === (input.chaseFrom ?? null)],
    ['lastStepSent', row.last_step_sent === (input.lastStepSent ?? null)],
    ['terms', sameTerms(row.terms, input.terms ?? null)],
    ['discount', input.discount === undefined || sameDiscount(row, input.discount)],
    ['limitationYears', row.limitation_years === (input.limitationYears ?? null)],
  ];
  const faults = pairs
    .filter(([, same]) => !same)
    .map(([field]) => ({ pointer: `/${field}`, code: 'invoiceExists', message: 'differs from the invoice there is' }));
  if (faults.length === 0) return { outcome: 'unchanged', invoiceId: row.id };
  const message = 'Another invoice has this number; a correction of an invoice is a credit note.';
  return { outcome: 'rejected', error: new DomainError('invoiceExists', message, faults) };
}

const sameVat = (a: readonly VatLine[], b: readonly VatLine[]): boolean =>
  a.length === b.length &&
  a.every((line, i) => line.rate === b[i]?.rate && line.net === b[i]?.net && line.vat === b[i]?.vat);

const sameTerms = (a: PaymentTerms | null, b: PaymentTerms | null): boolean =>
  a === null || b === null
    ? a === b
    : a.kind === b.kind &&
      a.sector === b.sector &&
      a.receivedOn === b.receivedOn &&
      a.expresslyAgreed === b.expresslyAgreed;

const sameDiscount = (row: InvoiceRow, discount: DiscountTerm | null): boolean =>
  row.discount_minor === (discount?.amountMinor ?? null) && row.discount_until === (discount?.until ?? null);

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text) => b.includes(text));

async function byNumbers(tx: Tx, creditorId: string, numbers: readonly string[]): Promise<Map<string, InvoiceRow>> {
  const known = new Map<string, InvoiceRow>();
  for (let from = 0; from < numbers.length; from += 5_000) {
    const rows = await tx
      .selectFrom('invoices')
      .selectAll()
      .where('creditor_id', '=', creditorId)
      .where('number', 'in', numbers.slice(from, from + 5_000))
      .execute();
    for (const row of rows) known.set(row.number, row);
  }
  return known;
}

/** The due dates that invoices came with, where they were changed since. A repeated import brings the first one again. */
async function originalDueDates(tx: Tx, known: ReadonlyMap<string, InvoiceRow>): Promise<Map<string, LocalDate>> {
  const changed = [...known.values()].filter((row) => row.event_count > 1).map((row) => row.id);
  if (changed.length === 0) return new Map();
  const rows = await tx
    .selectFrom('events')
    .select(['invoice_id', 'data'])
    .where('invoice_id', 'in', changed)
    .where('n', '=', 1)
    .execute();
  return new Map(rows.map((row) => [row.invoice_id, String(row.data['dueOn'])]));
}

/** A creditor's invoice; `undefined` when it is another's or none. */
export async function findInvoice(db: Db | Tx, creditorId: string, invoiceId: string): Promise<InvoiceRow | undefined> {
  return await db
    .selectFrom('invoices')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', invoiceId)
    .executeTakeFirst();
}

/**
 * Locks a customer and then one of its invoices, in the one lock order (design rule 4). Throws `notFound` when the
 * invoice is another creditor's or none.
 */
export async function lockOwnInvoice(tx: Tx, creditorId: string, invoiceId: string): Promise<InvoiceRow> {
  const seen = await findInvoice(tx, creditorId, invoiceId);
  if (!seen) throw new DomainError('notFound', 'There is no such invoice.');
  await lockCustomers(tx, [seen.customer_id]);
  return await lockInvoice(tx, invoiceId);
}

/** Refuses what only an open case can take: `caseClosed`. */
export function requireOpen(invoice: Pick<InvoiceRow, 'stage'>): void {
  if (isOpenStage(invoice.stage)) return;
  throw new DomainError('caseClosed', `The case is closed: the invoice is ${STAGE_WORDS[invoice.stage]}.`);
}

const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  upcoming: 'upcoming',
  reminding: 'being reminded',
  formalNotice: 'under formal notice',
  placed: 'placed',
  writtenOff: 'written off',
  settled: 'settled',
  cancelled: 'cancelled',
};

export interface InvoiceFilter {
  stage?: Stage | undefined;
  hold?: HoldKind | 'promise' | 'dispute' | undefined;
  customerId?: string | undefined;
  number?: string | undefined;
  /** Any of these; of `stage` and `stages` both count. */
  numbers?: readonly string[] | undefined;
  stages?: readonly Stage[] | undefined;
  dueBefore?: LocalDate | undefined;
  dueAfter?: LocalDate | undefined;
}

/** Invoices of a creditor, newest first, behind the position `after`. `today` is the creditor's date, for `hold`. */
export async function listInvoices(
  db: Db | Tx,
  creditorId: string,
  filter: InvoiceFilter,
  today: LocalDate,
  after: bigint | null,
  count: number,
): Promise<InvoiceRow[]> {
  let query = db.selectFrom('invoices').selectAll('invoices').where('invoices.creditor_id', '=', creditorId);
  if (filter.stage !== undefined) query = query.where('stage', '=', filter.stage);
  if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
  if (filter.number !== undefined) query = query.where('number', '=', filter.number);
  if (filter.numbers !== undefined) query = query.where('number', 'in', [...filter.numbers]);
  if (filter.stages !== undefined) query = query.where('stage', 'in', [...filter.stages]);
  if (filter.dueBefore !== undefined) query = query.where('due_on', '<', filter.dueBefore);
  if (filter.dueAfter !== undefined) query = query.where('due_on', '>', filter.dueAfter);
  if (filter.hold !== undefined) query = query.where(heldBy(filter.hold, today));
  if (after !== null) query = query.where('invoices.seq', '<', after);
  return await query.orderBy('invoices.seq', 'desc').limit(count).execute();
}

/** The same holds that `standing` of domain/case sees, as a condition. */
function heldBy(kind: NonNullable<InvoiceFilter['hold']>, today: LocalDate) {
  if (kind === 'promise') {
    return sql<boolean>`exists (select 1 from promises p where p.invoice_id = invoices.id and p.holds
      and p.status = 'active' and p.made_on <= ${today})`;
  }
  if (kind === 'dispute') {
    return sql<boolean>`exists (select 1 from disputes d where d.invoice_id = invoices.id and d.status = 'open')`;
  }
  return sql<boolean>`exists (select 1 from holds h where h.kind = ${kind}
    and h.customer_id = invoices.customer_id and (h.invoice_id is null or h.invoice_id = invoices.id)
    and h.from_on <= ${today} and (h.lifted_on is null or h.lifted_on > ${today})
    and (h.until_on is null or h.until_on >= ${today}))`;
}

/**
 * Moves the due date of an open case, with everything that counts from it. Throws `notFound`, `caseClosed`,
 * `dueBeforeIssue`. The same date again changes nothing.
 */
export async function changeDueOn(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoiceId: string,
  dueOn: LocalDate,
): Promise<void> {
  const invoice = await lockOwnInvoice(tx, creditorId, invoiceId);
  requireOpen(invoice);
  if (dueOn < invoice.issued_on) throw refusal('dueBeforeIssue', '/dueOn', 'The due date lies before the issue date.');
  if (dueOn === invoice.due_on) return;
  const customer = await tx
    .selectFrom('customers')
    .select(['country', 'kind'])
    .where('id', '=', invoice.customer_id)
    .executeTakeFirstOrThrow();
  const limitation = await limitationOfInvoice(tx, { ...invoice, due_on: dueOn }, customer);
  await tx
    .updateTable('invoices')
    .set({ due_on: dueOn, limitation_on: limitation?.on ?? null })
    .where('id', '=', invoiceId)
    .execute();
  await recordDueDateMove(tx, invoice, await creditorsDate(tx, act, creditorId), dueOn);
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'dueDateChanged',
    data: { from: invoice.due_on, to: dueOn },
    text: act.reason ?? null,
  });
  await withdrawLetters(tx, act, [invoiceId], 'dueDateMoved');
  await wakeCase(tx, invoiceId);
  await pokeOutreach(tx, invoice.customer_id);
}

/** Keeps the PDF of an invoice, the newest one. Throws `notFound`. */
export async function putInvoiceFile(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoiceId: string,
  file: { filename: string; contentType: string; bytes: Buffer },
): Promise<void> {
  const invoice = await findInvoice(tx, creditorId, invoiceId);
  if (!invoice) throw new DomainError('notFound', 'There is no such invoice.');
  const sha256 = createHash('sha256').update(file.bytes).digest();
  const row = {
    filename: file.filename,
    content_type: file.contentType,
    bytes: file.bytes,
    sha256,
    at: instant(act.at),
  };
  await tx
    .insertInto('invoice_files')
    .values({ invoice_id: invoiceId, ...row })
    .onConflict((conflict) => conflict.column('invoice_id').doUpdateSet(row))
    .execute();
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'fileAttached',
    data: { sha256: sha256.toString('hex'), bytes: file.bytes.length },
  });
}
