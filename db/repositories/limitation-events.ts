import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { lawOf } from '../../domain/law/country-law.ts';
import { ACKNOWLEDGING, type LimitationEventKind, type LimitationRule } from '../../domain/law/limitation.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { CustomerKind } from '../../domain/policy/types.ts';
import type { Database } from '../types.ts';
import { appendEvent } from './events.ts';
import { lockOwnInvoice, requireOpen, type InvoiceRow } from './invoices.ts';
import { limitationOfInvoice } from './limitation-days.ts';
import { pokeOutreach, wakeCase } from './outbox.ts';
import { openTask } from './tasks.ts';

export type LimitationEventRow = Selectable<Database['limitation_events']>;

export interface NewLimitationEvent {
  invoiceId: string;
  kind: LimitationEventKind;
  /** The creditor's dates. */
  on: LocalDate;
  /** Its last day, of what lasts; null while it is not known. */
  until: LocalDate | null;
  note: string | null;
}

/** Where the debtor lives and what it is, as far as limitation asks. */
interface Debtor {
  country: string;
  kind: CustomerKind;
  zone: string;
}

/**
 * Records what interrupts or suspends the limitation of an invoice. What may be an acknowledgement counts only once an
 * approver has confirmed it (task `confirmAcknowledgement`); everything else counts at once, and the case looks again. The
 * same event again is the one there is; `until` may be added to it once. Throws `notFound`, `caseClosed`,
 * `limitationNotKnown` where the law of the place is not covered, `limitationEventNotKnown` where it is but not for this,
 * `futureDate`, `dateInvalid`, `timeBarred` for an event after the claim was barred, `limitationEventExists`.
 */
export async function recordLimitationEvent(
  tx: Tx,
  act: Act,
  creditorId: string,
  input: NewLimitationEvent,
): Promise<{ row: LimitationEventRow; created: boolean }> {
  const invoice = await lockOwnInvoice(tx, creditorId, input.invoiceId);
  // A claim that was given up in the books stays open to limitation: only what is settled or cancelled has none.
  if (invoice.stage !== 'writtenOff') requireOpen(invoice);
  const debtor = await debtorOf(tx, invoice);
  requireKnown(debtor, input.kind);
  requireDates(input, invoice, localDate(act.at, debtor.zone));
  const known = await tx
    .selectFrom('limitation_events')
    .selectAll()
    .where('invoice_id', '=', invoice.id)
    .where('kind', '=', input.kind)
    .where('on_date', '=', input.on)
    .executeTakeFirst();
  if (known) return { row: await repeated(tx, act, invoice, debtor, known, input), created: false };
  if (invoice.limitation_on !== null && input.on > invoice.limitation_on) {
    const message = `The claim was barred after ${invoice.limitation_on}; what happens later changes nothing.`;
    throw new DomainError('timeBarred', message, [{ pointer: '/on', code: 'timeBarred', message }]);
  }
  const isPerhaps = ACKNOWLEDGING.includes(input.kind);
  const row = await insert(tx, act, invoice, input, isPerhaps ? 'unconfirmed' : 'counts');
  if (isPerhaps) await askWhetherAcknowledged(tx, act, invoice, row);
  await tell(tx, act, invoice, debtor, row, input.note);
  return { row, created: true };
}

/** So many days before a claim is barred its acknowledgements begin to matter: before, nobody is asked about each payment. */
const MATTERS_DAYS = 365;

/**
 * A part payment, a promise or a plan may acknowledge the debt where the law of the place lets it (France, Germany, United
 * Kingdom): within a year of the day the claim is barred it is kept as evidence and an approver is asked. Nothing is
 * asked earlier, since most invoices are settled long before; the warnings say what there is then.
 */
export async function mayAcknowledge(
  tx: Tx,
  act: Act,
  invoice: InvoiceRow,
  kind: 'partPayment' | 'askedForTime',
): Promise<void> {
  const { limitation_on: barredAfter } = invoice;
  if (barredAfter === null) return;
  const debtor = await debtorOf(tx, invoice);
  const on = localDate(act.at, debtor.zone);
  if (on > barredAfter || on < addDays(barredAfter, -MATTERS_DAYS)) return;
  if (ruleOf(debtor)?.events[kind] === undefined) return;
  const known = await tx
    .selectFrom('limitation_events')
    .select('id')
    .where('invoice_id', '=', invoice.id)
    .where('kind', '=', kind)
    .where('on_date', '=', on)
    .executeTakeFirst();
  if (known) return;
  const row = await insert(tx, act, invoice, { kind, on, until: null }, 'unconfirmed');
  await askWhetherAcknowledged(tx, act, invoice, row);
  await tell(tx, act, invoice, debtor, row, null);
}

/**
 * An approver says whether the debtor acknowledged the debt. Confirmed, the period begins anew from that day and the case
 * looks again; refused, the evidence stays and nothing moves. Throws `notFound`.
 */
export async function answerAcknowledgement(
  tx: Tx,
  act: Act,
  creditorId: string,
  eventId: string,
  decision: 'confirmed' | 'refused',
): Promise<void> {
  const seen = await tx
    .selectFrom('limitation_events')
    .select('invoice_id')
    .where('id', '=', eventId)
    .executeTakeFirst();
  if (!seen) throw new DomainError('notFound', 'There is no such event.');
  const invoice = await lockOwnInvoice(tx, creditorId, seen.invoice_id);
  const row = await tx
    .updateTable('limitation_events')
    .set({ status: decision === 'confirmed' ? 'counts' : 'refused' })
    .where('id', '=', eventId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await tell(tx, act, invoice, await debtorOf(tx, invoice), row, null);
}

/** What is on record for an invoice, in the order of the days. */
export async function limitationEventsOf(db: Db | Tx, invoiceId: string): Promise<LimitationEventRow[]> {
  return await db
    .selectFrom('limitation_events')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .orderBy('on_date')
    .orderBy('seq')
    .execute();
}

async function insert(
  tx: Tx,
  act: Act,
  invoice: InvoiceRow,
  { kind, on, until }: Pick<NewLimitationEvent, 'kind' | 'on' | 'until'>,
  status: LimitationEventRow['status'],
): Promise<LimitationEventRow> {
  return await tx
    .insertInto('limitation_events')
    .values({
      id: newId('lim'),
      invoice_id: invoice.id,
      kind,
      on_date: on,
      until_date: until,
      status,
      actor: act.actor,
      at: instant(act.at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The same event was told before: its end may be told once. */
async function repeated(
  tx: Tx,
  act: Act,
  invoice: InvoiceRow,
  debtor: Debtor,
  known: LimitationEventRow,
  input: NewLimitationEvent,
): Promise<LimitationEventRow> {
  if (known.until_date === input.until || input.until === null) {
    // Its task went with the run in which it was asked.
    if (known.status === 'unconfirmed') await askWhetherAcknowledged(tx, act, invoice, known);
    return known;
  }
  if (known.until_date !== null) {
    const message = `It is known to have ended on ${known.until_date}.`;
    throw new DomainError('limitationEventExists', message, [
      { pointer: '/until', code: 'limitationEventExists', message },
    ]);
  }
  const row = await tx
    .updateTable('limitation_events')
    .set({ until_date: input.until })
    .where('id', '=', known.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await tell(tx, act, invoice, debtor, row, input.note);
  return row;
}

async function askWhetherAcknowledged(tx: Tx, act: Act, invoice: InvoiceRow, row: LimitationEventRow): Promise<void> {
  await openTask(tx, act, {
    creditorId: invoice.creditor_id,
    kind: 'confirmAcknowledgement',
    key: `confirmAcknowledgement:${row.id}:${invoice.run}`,
    role: 'approver',
    invoiceId: invoice.id,
    customerId: invoice.customer_id,
    subject: `Did the debtor acknowledge invoice ${invoice.number} on ${row.on_date}?`,
    body: `${WORDS[row.kind] ?? ''} Confirmed, limitation begins anew from that day; keep the evidence. Refused, nothing moves.`,
    data: { limitationEventId: row.id, kind: row.kind, on: row.on_date },
    dueAt: act.at,
  });
}

const WORDS: Readonly<Partial<Record<LimitationEventKind, string>>> = {
  acknowledgement: 'Somebody recorded that the debtor acknowledged the debt.',
  partPayment: 'The debtor paid a part: that may acknowledge the debt, if it was meant for this invoice.',
  askedForTime: 'The debtor asked for time: that may acknowledge the debt.',
};

/** Writes the last day in time anew, and the timeline; the case looks again. */
async function tell(
  tx: Tx,
  act: Act,
  invoice: InvoiceRow,
  debtor: Debtor,
  row: LimitationEventRow,
  note: string | null,
): Promise<void> {
  const limitation = await limitationOfInvoice(tx, invoice, debtor);
  await tx
    .updateTable('invoices')
    .set({ limitation_on: limitation?.on ?? null })
    .where('id', '=', invoice.id)
    .execute();
  await appendEvent(tx, act, {
    invoiceId: invoice.id,
    kind: 'limitationEvent',
    data: {
      limitationEventId: row.id,
      kind: row.kind,
      on: row.on_date,
      until: row.until_date,
      status: row.status,
      limitationOn: limitation?.on ?? null,
    },
    text: note ?? act.reason ?? null,
  });
  await wakeCase(tx, invoice.id);
  await pokeOutreach(tx, invoice.customer_id);
}

async function debtorOf(tx: Tx, invoice: InvoiceRow): Promise<Debtor> {
  const row = await tx
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select(['u.country', 'u.kind', 'c.time_zone as zone'])
    .where('u.id', '=', invoice.customer_id)
    .executeTakeFirstOrThrow();
  return row;
}

const ruleOf = ({ country, kind }: Debtor): LimitationRule | null => lawOf(country)?.limitation[kind] ?? null;

function requireKnown(debtor: Debtor, kind: LimitationEventKind): void {
  const rule = ruleOf(debtor);
  if (rule === null) {
    const message = `No rule of limitation is known here for ${debtor.country}; ask a lawyer of the place.`;
    throw new DomainError('limitationNotKnown', message, [{ pointer: '/kind', code: 'limitationNotKnown', message }]);
  }
  if (rule.events[kind] !== undefined) return;
  const known = Object.keys(rule.events).join(', ');
  const message = `What this does to limitation in ${debtor.country} is not known here. Known: ${known}.`;
  throw new DomainError('limitationEventNotKnown', message, [
    { pointer: '/kind', code: 'limitationEventNotKnown', message },
  ]);
}

function requireDates({ kind, on, until }: NewLimitationEvent, invoice: InvoiceRow, today: LocalDate): void {
  const refuse = (pointer: string, code: string, message: string): never => {
    throw new DomainError(code, message, [{ pointer, code, message }]);
  };
  if (on > today) refuse('/on', 'futureDate', `Today is ${today}.`);
  if (on < invoice.issued_on) refuse('/on', 'dateInvalid', `The invoice was issued on ${invoice.issued_on}.`);
  if (until === null) return;
  if (ACKNOWLEDGING.includes(kind)) refuse('/until', 'notAllowed', 'This does not last: it has no end.');
  if (until < on) refuse('/until', 'dateInvalid', 'It ends on the day it began or later.');
  if (until > today) refuse('/until', 'futureDate', `Today is ${today}; say the end once it has come.`);
}
