import { sql, type Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { adviceFor, agreesWith, type Advice } from '../../domain/matching/advice.ts';
import { presumedCustomer } from '../../domain/matching/payer.ts';
import { readPayment } from '../../domain/matching/reading.ts';
import { normaliseToken } from '../../domain/matching/tokens.ts';
import type { Decision, Payment, Proposal, Share } from '../../domain/matching/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database } from '../types.ts';
import { allocate } from './allocations.ts';
import { lockCustomers } from './locks.ts';
import { lookAgainForAdvices } from './look-again.ts';
import { recordDecision } from './match-decisions.ts';

export type AdviceRow = Selectable<Database['remittance_advices']>;
export type AdviceLineRow = Selectable<Database['remittance_lines']>;

export interface NewAdvice {
  creditorId: string;
  customerId: string | null;
  reference: string | null;
  paidOn: LocalDate | null;
  currency: string;
  /** As it came: `json`, `csv`, `text`, `pdf`. */
  format: string;
  source: Buffer | null;
  /** Numbers as they are written, positive minor units. */
  lines: readonly { number: string; amountMinor: bigint }[];
}

/** Keeps an advice. Throws `amountInvalid` where its total is too large. Money of its total that nobody assigned yet is looked at again. */
export async function recordAdvice(tx: Tx, act: Act, advice: NewAdvice): Promise<string> {
  const id = newId('adv');
  const totalMinor = advice.lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  if (totalMinor >= 10n ** 18n) throw new DomainError('amountInvalid', 'The total is too large.');
  await tx
    .insertInto('remittance_advices')
    .values({
      id,
      creditor_id: advice.creditorId,
      customer_id: advice.customerId,
      reference: advice.reference,
      paid_on: advice.paidOn,
      currency: advice.currency,
      total_minor: totalMinor,
      format: advice.format,
      source: advice.source,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  const invoices = await invoicesByNumber(
    tx,
    advice.creditorId,
    advice.customerId,
    advice.lines.map(({ number }) => number),
  );
  await tx
    .insertInto('remittance_lines')
    .values(
      advice.lines.map(({ number, amountMinor }, index) => {
        const token = normaliseToken(number);
        const invoiceId = invoices.get(token) ?? null;
        return {
          advice_id: id,
          line: index + 1,
          number,
          invoice_id: invoiceId,
          amount_minor: amountMinor,
          creditor_id: advice.creditorId,
          awaited: invoiceId === null && token !== '' ? token : null,
        };
      }),
    )
    .execute();
  await lookAgainForAdvices(tx, advice.creditorId, [id]);
  return id;
}

/** The one invoice that has each number, in normalised form; of this customer where one is given. */
async function invoicesByNumber(
  tx: Db | Tx,
  creditorId: string,
  customerId: string | null,
  numbers: readonly string[],
): Promise<Map<string, string>> {
  const named = await namedBy(tx, creditorId, customerId, numbers);
  return new Map([...named].flatMap(([token, ids]) => (ids.length === 1 ? [[token, ids[0]!]] : [])));
}

/** The invoices that have each number, two at most: more than one names none. Of this customer where one is given. */
async function namedBy(
  tx: Db | Tx,
  creditorId: string,
  customerId: string | null,
  numbers: readonly string[],
): Promise<Map<string, string[]>> {
  const tokens = [...new Set(numbers.map(normaliseToken))];
  if (tokens.length === 0) return new Map();
  const whose =
    customerId === null
      ? sql`select k.invoice_id from invoice_tokens k where k.creditor_id = ${creditorId} and k.token = t.token`
      : sql`select k.invoice_id from invoice_tokens k join invoices i on i.id = k.invoice_id
          where k.creditor_id = ${creditorId} and k.token = t.token and i.customer_id = ${customerId}`;
  const { rows } = await sql<{ token: string; ids: string[] }>`
    select t.token, n.ids from unnest(${tokens}::text[]) as t (token)
      cross join lateral (select array_agg(invoice_id) as ids from (${whose} limit 2) named) n
    where n.ids is not null`.execute(tx);
  return new Map(rows.map(({ token, ids }) => [token, ids]));
}

/**
 * What is known only now of an advice: the invoices of its own customer have their numbers first. Of others only what is not
 * that customer's at all: a parent pays for its subsidiaries.
 */
async function knownSince(
  tx: Db | Tx,
  creditorId: string,
  customerId: string | null,
  numbers: readonly string[],
): Promise<Map<string, string>> {
  if (customerId === null) return invoicesByNumber(tx, creditorId, null, numbers);
  const own = await namedBy(tx, creditorId, customerId, numbers);
  const others = await invoicesByNumber(
    tx,
    creditorId,
    null,
    numbers.filter((number) => !own.has(normaliseToken(number))),
  );
  for (const [token, ids] of own) if (ids.length === 1) others.set(token, ids[0]!);
  return others;
}

interface Advised {
  receiptId: string;
  creditorId: string;
  payment: Payment;
  decision: Decision;
  /** Of the settings of matching. */
  version: number;
}

/**
 * Applies money as its payer said: line by line, or, where a line cannot take its amount, not at all. True where it did. The
 * caller has locked the customers that the decision concerns.
 */
export async function useAdvice(tx: Tx, act: Act, money: Advised): Promise<boolean> {
  const found = await advicesLines(tx, money);
  if (found === null) return false;
  const { adviceId, lines } = found;
  await lockCustomers(
    tx,
    lines.map((line) => line.customerId),
  );
  await sql`savepoint advised`.execute(tx);
  try {
    const decisionId = await recordDecision(tx, act, money, advisedDecision(money.decision, lines), null);
    for (const { invoiceId, amountMinor } of lines) {
      const { receiptId } = money;
      await allocate(tx, act, { receiptId, invoiceId, amountMinor, rule: 'remittanceAdvice', decisionId });
    }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    await sql`rollback to savepoint advised`.execute(tx);
    return false;
  }
  await sql`release savepoint advised`.execute(tx);
  await tx
    .updateTable('remittance_advices')
    .set({ status: 'used', receipt_id: money.receiptId })
    .where('id', '=', adviceId)
    .execute();
  await awaitNothing(tx, adviceId);
  return true;
}

/** It is not open any more: invoices to come are none of its business. */
async function awaitNothing(tx: Tx, adviceId: string): Promise<void> {
  await tx
    .updateTable('remittance_lines')
    .set({ awaited: null })
    .where('advice_id', '=', adviceId)
    .where('awaited', 'is not', null)
    .execute();
}

/** What is kept of it: the advice decided, and what the rules had found otherwise are its rivals. */
const advisedDecision = (decision: Decision, lines: readonly AdvisedLine[]): Decision => ({
  kind: 'apply',
  proposal: advisedProposal(lines),
  quoted: decision.quoted,
  payers: decision.payers,
  rivals: [...(decision.kind === 'apply' ? [decision.proposal] : []), ...decision.rivals],
});

/** Its lines as a proposal. */
export const advisedProposal = (lines: readonly AdvisedLine[]): Proposal => ({
  rule: 'remittanceAdvice',
  shares: lines.map((line): Share => ({ ...line, writeOff: null })),
  evidence: [{ kind: 'advised' }],
  confidence: 'strong',
});

/** A line of an advice whose invoice is known. */
export interface AdvisedLine {
  invoiceId: string;
  customerId: string;
  amountMinor: bigint;
}

/**
 * The open advice that this money belongs to and its lines by invoice; null without one, where a number is not known, and
 * where the money itself says otherwise.
 */
export async function advicesLines(
  tx: Db | Tx,
  { creditorId, payment, decision }: Pick<Advised, 'creditorId' | 'payment' | 'decision'>,
): Promise<{ adviceId: string; lines: AdvisedLine[] } | null> {
  const rows = await tx
    .selectFrom('remittance_advices')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('currency', '=', payment.currency)
    .where('total_minor', '=', payment.amountMinor)
    .where('status', '=', 'open')
    .orderBy('seq')
    .limit(20)
    .execute();
  if (rows.length === 0) return null;
  const advices = rows.map((row) => ({
    id: row.id,
    customerId: row.customer_id,
    reference: row.reference,
    currency: row.currency,
    totalMinor: row.total_minor,
  }));
  const customerId = presumedCustomer(decision.quoted, decision.payers);
  const found = adviceFor(payment, readPayment(payment).tokens, customerId, advices);
  if (found === null) return null;
  const lines = await linesOf(tx, creditorId, found.advice);
  return lines === null || !agreesWith(found.by, lines, decision) ? null : { adviceId: found.advice.id, lines };
}

/** It was used for this money. False where it was not open any more. */
export async function markUsed(tx: Tx, adviceId: string, receiptId: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('remittance_advices')
    .set({ status: 'used', receipt_id: receiptId })
    .where('id', '=', adviceId)
    .where('status', '=', 'open')
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  await awaitNothing(tx, adviceId);
  return true;
}

/** Its invoices by id; null where one of them is not known. */
async function linesOf(
  tx: Db | Tx,
  creditorId: string,
  { id: adviceId, customerId }: Pick<Advice, 'id' | 'customerId'>,
): Promise<AdvisedLine[] | null> {
  const lines = await tx
    .selectFrom('remittance_lines')
    .selectAll()
    .where('advice_id', '=', adviceId)
    .orderBy('line')
    .execute();
  const numbers = lines.filter((line) => line.invoice_id === null).map((line) => line.number);
  const found = await knownSince(tx, creditorId, customerId, numbers);
  const ids = lines.map((line) => line.invoice_id ?? found.get(normaliseToken(line.number)) ?? null);
  if (ids.includes(null)) return null;
  const invoices = await tx
    .selectFrom('invoices')
    .select(['id', 'customer_id'])
    .where('id', 'in', ids as string[])
    .execute();
  const customers = new Map(invoices.map((row) => [row.id, row.customer_id]));
  return lines
    .map((line, index) => ({
      invoiceId: ids[index]!,
      customerId: customers.get(ids[index]!)!,
      amountMinor: line.amount_minor,
    }))
    .sort((a, b) => (a.invoiceId < b.invoiceId ? -1 : 1));
}

/** Which of these tokens are numbers or references of the creditor's invoices. */
export async function knownTokens(db: Db | Tx, creditorId: string, tokens: readonly string[]): Promise<Set<string>> {
  if (tokens.length === 0) return new Set();
  const { rows } = await sql<{ token: string }>`
    select distinct token from invoice_tokens
    where creditor_id = ${creditorId} and token = any(${[...tokens]}::text[])`.execute(db);
  return new Set(rows.map((row) => row.token));
}

/** Advices of a creditor, newest first, behind the position `after`. */
export async function listAdvices(
  db: Db,
  creditorId: string,
  filter: { status?: AdviceRow['status'] | undefined; customerId?: string | undefined },
  after: bigint | null,
  count: number,
): Promise<AdviceRow[]> {
  let query = db.selectFrom('remittance_advices').selectAll().where('creditor_id', '=', creditorId);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
  if (after !== null) query = query.where('seq', '<', after);
  return await query.orderBy('seq', 'desc').limit(count).execute();
}

export async function findAdvice(db: Db | Tx, creditorId: string, id: string): Promise<AdviceRow | undefined> {
  return await db
    .selectFrom('remittance_advices')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The lines of these advices, by advice. */
export async function adviceLines(db: Db | Tx, ids: readonly string[]): Promise<Map<string, AdviceLineRow[]>> {
  const found = new Map<string, AdviceLineRow[]>();
  if (ids.length === 0) return found;
  const rows = await db
    .selectFrom('remittance_lines')
    .selectAll()
    .where('advice_id', 'in', [...ids])
    .orderBy('line')
    .execute();
  for (const row of rows) found.set(row.advice_id, [...(found.get(row.advice_id) ?? []), row]);
  return found;
}

/** It is not used any more. Throws `notFound`, `adviceUsed`. */
export async function withdrawAdvice(tx: Tx, creditorId: string, id: string): Promise<void> {
  const row = await tx
    .updateTable('remittance_advices')
    .set({ status: 'withdrawn' })
    .where('creditor_id', '=', creditorId)
    .where('id', '=', id)
    .where('status', '=', 'open')
    .returning('id')
    .executeTakeFirst();
  if (row) return awaitNothing(tx, id);
  if (!(await findAdvice(tx, creditorId, id))) throw new DomainError('notFound', 'There is no such advice.');
  throw new DomainError('adviceUsed', 'The advice is not open any more.');
}
