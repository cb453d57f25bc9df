import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client as TemporalClient } from '@temporalio/client';
import { sql } from 'kysely';
import { renderAgain } from '../../activities/render-again.ts';
import { replayCase } from '../../api/replay-case.ts';
import type { Db } from '../../db/database.ts';
import { loadClock } from '../../db/repositories/clock.ts';
import { contactCounters } from '../../db/repositories/counters.ts';
import { verifyCases, verifyHeads } from '../../db/repositories/heads.ts';
import { check as checkLedger } from '../../db/repositories/ledger.ts';
import { statementBytes } from '../../db/repositories/statements.ts';
import { businessNow } from '../../domain/time/business-clock.ts';
import { formatAmount } from '../../domain/money.ts';
import { readProvider, type ProviderKind } from '../../domain/statement/providers/read.ts';
import { readStatement } from '../../domain/statement/read.ts';
import type { Transaction } from '../../domain/statement/transaction.ts';
import { addDays } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import { caseWorkflowId } from '../../workflows/ids.ts';
import { ENDINGS, readEndings } from './endings.ts';
import { mailJournal, tagOf, type SentMail } from './mail-journal.ts';

/** Something that must hold whatever happened, and what was found against it. */
export interface Invariant {
  readonly name: string;
  /** What was looked at, in words. */
  readonly checked: string;
  /** One sentence a violation; empty when it holds. */
  readonly problems: readonly string[];
}

export interface Witnesses {
  readonly db: Db;
  readonly temporal: TemporalClient;
  readonly mailUrl: string;
  readonly apiUrl: string;
}

/** Some hold only once a system that has just been killed has caught up. Real time. */
const PATIENCE_MS = 45_000;

/**
 * Checks everything, again for a while where something does not hold: work may still be on its way. What Relance says of
 * itself is recomputed where it can be, from the mail server's journal and from the rows of receipts.
 */
export async function checkInvariants(
  witnesses: Witnesses,
  patienceMs = PATIENCE_MS,
  checks: readonly Check[] = DEMO_CHECKS,
): Promise<Invariant[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const found = await Promise.all(checks.map((check) => settled(check, witnesses)));
    if (found.every(({ problems }) => problems.length === 0) || Date.now() > deadline) return found;
    await sleep(1_000);
  }
}

/** More than any ladder of the demo takes to its first reminder, with a weekend, a holiday and the gap. */
const LONG_DUE_DAYS = 12;

export type Check = (witnesses: Witnesses) => Promise<Invariant>;

async function settled(check: Check, witnesses: Witnesses): Promise<Invariant> {
  try {
    return await check(witnesses);
  } catch (error) {
    return { name: check.name, checked: 'could not be checked', problems: [String(error)] };
  }
}

async function booksBalance({ db }: Witnesses): Promise<Invariant> {
  const { rows: entries } = await sql<{ count: bigint; unbalanced: bigint }>`
    select count(*) as count, count(*) filter (where sum <> 0) as unbalanced from
      (select sum(amount_minor) as sum from postings group by entry_id, currency) sums`.execute(db);
  // Not from the journal: what was billed, less what was assigned and not taken back with the difference that was tolerated
  // then, less what is given up and did not come after all.
  const { rows: differing } = await sql<{ number: string; balance: bigint; expected: bigint }>`
    select number, balance_minor as balance, (amount_minor - assigned - tolerated - lost)::bigint as expected from (
      select i.number, i.balance_minor, i.amount_minor, i.written_off_minor - i.recovered_minor as lost,
        coalesce((select sum(a.amount_minor) from allocations a where a.invoice_id = i.id
          and not exists (select 1 from allocation_reversals r where r.allocation_id = a.id)), 0) as assigned,
        coalesce((select sum(replace(e.data ->> 'difference', '.', '')::bigint) from events e
          where e.invoice_id = i.id and e.data ? 'givenUp' and not exists (
            select 1 from allocation_reversals r where r.allocation_id = e.data ->> 'allocationId')), 0) as tolerated
      from invoices i) sums
    where balance_minor <> amount_minor - assigned - tolerated - lost`.execute(db);
  const [counts] = entries;
  return {
    name: 'the books balance',
    checked: `${counts?.count ?? 0n} entries, every balance against its payments and credits`,
    problems: [
      ...(counts?.unbalanced === 0n ? [] : [`${counts?.unbalanced} entries do not balance`]),
      ...differing.map(({ number, balance, expected }) => `${number}: balance ${balance}, should be ${expected}`),
      ...(await checkLedger(db)),
    ],
  };
}

/**
 * Read anew from the bytes that the bank sent, messages and statements: each booking that any of them tells is one receipt,
 * and there is no other.
 */
async function everyPaymentOnce({ db }: Witnesses): Promise<Invariant> {
  const told = new Map<string, bigint>();
  const tell = (one: Transaction): void => {
    if (one.status === 'booked' && one.amountMinor > 0n && one.returns === null) {
      told.set(one.bankId ?? one.position, one.amountMinor);
    }
  };
  const messages = await db
    .selectFrom('inbox as i')
    .innerJoin('feeds as f', 'f.id', 'i.feed_id')
    .select(['i.body', 'f.kind'])
    .where('f.kind', '<>', 'file')
    .execute();
  for (const { body, kind } of messages) {
    for (const one of readProvider(kind as ProviderKind, body)) if (one.kind === 'transaction') tell(one.transaction);
  }
  const statements = await db.selectFrom('statements').select('id').execute();
  for (const { id } of statements) {
    for await (const told of readStatement(statementBytes(db, id))) {
      for (const event of told) if (event.kind === 'transaction') tell(event.transaction);
    }
  }
  const receipts = await db
    .selectFrom('receipts as r')
    .innerJoin('bank_transactions as t', 't.id', 'r.transaction_id')
    .select(['t.bank_id', 'r.amount_minor'])
    .execute();
  const kept = new Map<string, number>();
  for (const { bank_id: id } of receipts) kept.set(id ?? '', (kept.get(id ?? '') ?? 0) + 1);
  return {
    name: 'every payment is one receipt',
    checked: `${messages.length} messages and ${statements.length} statements of the bank tell ${told.size} payments`,
    problems: [
      ...[...told.keys()].filter((id) => !kept.has(id)).map((id) => `${id} is no receipt`),
      ...[...kept].filter(([, times]) => times > 1).map(([id, times]) => `${id} is ${times} receipts`),
      ...[...kept.keys()].filter((id) => !told.has(id)).map((id) => `nobody told ${id}`),
    ],
  };
}

/** Recomputed from the rows of allocations by when they were committed, not from the journal that the counter reads. */
async function noneAfterPayment({ db, mailUrl, apiUrl }: Witnesses): Promise<Invariant> {
  const sent = contactIdsOf(await customerMails(mailUrl));
  const rows = await askedAfterPayment(db, sent);
  const { afterPayment } = await contactCounters(db);
  const exported = await exportedCounter(apiUrl, 'relance_contacts_after_payment_total');
  return {
    name: 'no contact after payment',
    checked: `${sent.length} mails of the mail server against the receipts; counter ${exported}`,
    problems: [
      ...rows.map((row) => `${row.contact} asked ${row.asked} for ${row.number} when ${row.open} was open`),
      ...(afterPayment === 0 && exported === 0 ? [] : [`the counter is ${Math.max(afterPayment, exported)}`]),
    ],
  };
}

/**
 * What these contacts asked for though it was not open any more when they were committed as `sending`: by the rows of
 * allocations and when they were committed.
 */
export async function askedAfterPayment(
  db: Db,
  contactIds: readonly string[],
): Promise<{ contact: string; number: string; asked: bigint; open: bigint }[]> {
  const { rows } = await sql<{ contact: string; number: string; asked: bigint; open: bigint }>`
    select contact, number, asked, open from (
      select c.id as contact, i.number, ci.amount_minor as asked, (i.amount_minor - coalesce((
        select sum(a.amount_minor) from allocations a left join allocation_reversals r on r.allocation_id = a.id
        where a.invoice_id = i.id and a.recorded_at < c.sending_real
          and (r.recorded_at is null or r.recorded_at >= c.sending_real)), 0))::bigint as open
      from contacts c join contact_items ci on ci.contact_id = c.id join invoices i on i.id = ci.invoice_id
      where ci.asks and c.sending_real is not null and c.id = any(${[...contactIds]})) asked
    where asked > open`.execute(db);
  return rows;
}

async function noneTwice({ db, mailUrl, apiUrl }: Witnesses): Promise<Invariant> {
  const mails = await customerMails(mailUrl);
  const problems: string[] = [];
  const sent = contactIdsOf(mails);
  for (const id of repeated(sent)) problems.push(`${id} was accepted by the mail server twice`);
  for (const mail of mails) if (tagOf(mail, 'contact') === undefined) problems.push(`mail ${mail.id} names no contact`);
  const { rows } = await sql<{ number: string; step: string; count: bigint }>`
    select i.number, ci.step, count(*) as count
    from contact_items ci join contacts c on c.id = ci.contact_id join invoices i on i.id = ci.invoice_id
    where ci.contact_id = any(${sent}) and c.status <> 'failed'
    group by i.number, ci.step, ci.occurrence having count(*) > 1`.execute(db);
  problems.push(...rows.map(({ number, step, count }) => `${number}: ${step} left ${count} times`));
  const strangers = await sql<{ id: string }>`
    select id from unnest(${sent}::text[]) as given (id) where not exists (select 1 from contacts c where c.id = given.id
      and c.sending_real is not null)`.execute(db);
  problems.push(...strangers.rows.map(({ id }) => `${id} left and is not on record as sent`));
  const { duplicate } = await contactCounters(db);
  const exported = await exportedCounter(apiUrl, 'relance_contacts_duplicate_total');
  if (duplicate !== 0 || exported !== 0) problems.push(`the counter is ${Math.max(duplicate, exported)}`);
  // Where nothing left, nothing left twice: that would prove nothing.
  if (mails.length === 0) problems.push('no mail left at all');
  return {
    name: 'none twice',
    checked: `${mails.length} mails, every step of every case; counter ${exported}`,
    problems,
  };
}

async function oneADay({ db, mailUrl }: Witnesses): Promise<Invariant> {
  const mails = await customerMails(mailUrl);
  const { rows } = await sql<{ id: string; day: string }>`
    select id, day::text as day from contacts where status <> 'failed'`.execute(db);
  const days = new Map(rows.map(({ id, day }) => [id, day]));
  const slots = mails.flatMap((mail) => {
    const day = days.get(tagOf(mail, 'contact') ?? '');
    return day === undefined ? [] : mail.to.map((to) => `${to} on ${day}`);
  });
  return {
    name: 'one message a day',
    checked: `${slots.length} recipients and days`,
    problems: repeated(slots).map((slot) => `more than one to ${slot}`),
  };
}

/**
 * A formal notice was put into the post for what was owed at that very moment, recomputed as in `noneAfterPayment`, and
 * for what somebody had approved.
 */
async function noticesRight({ db }: Witnesses): Promise<Invariant> {
  const { rows } = await sql<{ number: string; asked: bigint; open: bigint; approved: string | null }>`
    select i.number, ci.amount_minor as asked, (i.amount_minor - coalesce((
        select sum(a.amount_minor) from allocations a left join allocation_reversals r on r.allocation_id = a.id
        where a.invoice_id = i.id and a.recorded_at < c.sending_real
          and (r.recorded_at is null or r.recorded_at >= c.sending_real)), 0))::bigint as open,
      (select t.data->>'amount' from tasks t where t.invoice_id = i.id and t.kind = 'approve' and t.status = 'done'
         and t.step = 'formalNotice' and t.opened_at <= c.planned_at order by t.seq desc limit 1) as approved
    from contacts c join contact_items ci on ci.contact_id = c.id join invoices i on i.id = ci.invoice_id
    where c.kind = 'formalNotice' and c.sending_real is not null`.execute(db);
  return {
    name: 'no formal notice asks a stale amount',
    checked: `${rows.length} notices posted, each against what was owed and what was approved`,
    problems: rows.flatMap(({ number, asked, open, approved }) => [
      ...(asked === open ? [] : [`${number}: the notice asks ${asked} when ${open} was open`]),
      ...(approved === formatAmount(asked, 'EUR') ? [] : [`${number}: ${approved ?? 'nothing'} was approved`]),
    ]),
  };
}

/** From hand-over to recall, by the order of its own log, a customer hears nothing from us about a case. */
async function silentWhilePlaced({ db }: Witnesses): Promise<Invariant> {
  const { rows } = await sql<{ number: string; sent: bigint }>`
    select i.number, (select count(*) from contacts c join contact_items m on m.contact_id = c.id
        where m.invoice_id = i.id and c.sending_real > p.recorded_at and c.sending_real < coalesce(
          (select min(r.recorded_at) from events r where r.invoice_id = i.id and r.kind = 'recalled' and r.n > p.n),
          'infinity')) as sent
    from events p join invoices i on i.id = p.invoice_id where p.kind = 'placed'`.execute(db);
  return {
    name: 'nothing is sent about a placed case',
    checked: `${rows.length} hand-overs`,
    problems: rows.flatMap(({ number, sent }) =>
      sent === 0n ? [] : [`${number}: ${sent} messages while an agency had it`],
    ),
  };
}

async function everyEnding({ db }: Witnesses): Promise<Invariant> {
  const reached = await readEndings(db);
  return {
    name: 'every ending is reached',
    checked: ENDINGS.map(({ title }) => title).join('; '),
    problems: reached.flatMap(({ ending, missing }) =>
      missing === null ? [] : [`${ending.title}: ${ending.number}: ${missing}`],
    ),
  };
}

async function workflowsRun({ db, temporal }: Witnesses): Promise<Invariant> {
  const invoices = await db.selectFrom('invoices').select(['id', 'number', 'stage']).execute();
  const problems: string[] = [];
  let open = 0;
  for (const { id, number, stage } of invoices) {
    const shouldRun = !['settled', 'cancelled', 'writtenOff'].includes(stage);
    if (shouldRun) open += 1;
    const status = await statusOf(temporal, caseWorkflowId(id));
    if (shouldRun !== (status === 'RUNNING')) problems.push(`${number} is ${stage} and its workflow ${status}`);
  }
  return {
    name: 'one running workflow a case',
    checked: `${open} open invoices run, ${invoices.length - open} closed ones do not`,
    problems,
  };
}

/** An invoice that nothing holds and that has long been due has been reminded; merged into another step counts. */
async function nobodyForgotten({ db }: Witnesses): Promise<Invariant> {
  const setting = await loadClock(db);
  const today = localDate(businessNow(setting, Date.now()), 'UTC');
  const { rows } = await sql<{ number: string; chased: boolean }>`
    select i.number, exists (select 1 from case_steps s where s.invoice_id = i.id and s.step <> 'before-due'
        and s.status in ('left', 'merged', 'awaitingApproval')) as chased
    from invoices i
    where i.stage not in ('settled', 'cancelled', 'writtenOff') and i.due_on < ${addDays(today, -LONG_DUE_DAYS)}::date
      and not exists (select 1 from promises p where p.invoice_id = i.id)
      and not exists (select 1 from disputes d where d.invoice_id = i.id)
      and not exists (select 1 from holds h where h.customer_id = i.customer_id
        and (h.invoice_id is null or h.invoice_id = i.id))`.execute(db);
  return {
    name: 'nobody is forgotten',
    checked: `${rows.length} open invoices that have been due for ${LONG_DUE_DAYS} days and that nothing holds`,
    problems: rows.filter(({ chased }) => !chased).map(({ number }) => `${number} was never reminded`),
  };
}

async function chainsHold({ db }: Witnesses): Promise<Invariant> {
  const problems: string[] = [];
  const sum = { events: 0, heads: 0 };
  for (const { id } of await db.selectFrom('creditors').select('id').execute()) {
    for (let after = 0, done = false; !done;) {
      const found = await verifyHeads(db, id, after);
      problems.push(...found.problems.map((p) => p.message));
      sum.heads += found.heads;
      ({ lastN: after, done } = found);
    }
    for (let after = 0n, done = false; !done;) {
      const found = await verifyCases(db, id, after, 500);
      problems.push(...found.problems.map((p) => p.message));
      sum.events += found.events;
      ({ lastSeq: after, done } = found);
    }
  }
  return {
    name: 'no event was altered',
    checked: `${sum.events} events, their chains of hashes, ${sum.heads} heads over them`,
    problems,
  };
}

/** As `relance replay` does: facts from the log, decisions from the facts, words from what they were made of. */
async function everythingFollows({ db }: Witnesses): Promise<Invariant> {
  const invoices = await db.selectFrom('invoices').selectAll().orderBy('seq').execute();
  const problems: string[] = [];
  const sum = { decisions: 0, messages: 0 };
  for (const invoice of invoices) {
    const one = await replayCase(db, invoice, renderAgain);
    sum.decisions += one.decisions;
    sum.messages += one.messages;
    const [first] = one.differences;
    if (first) problems.push(`${invoice.number}: ${first.of} differs: ${first.what}`);
  }
  return {
    name: 'every decision follows from its record',
    checked: `${invoices.length} cases replayed: ${sum.decisions} decisions, ${sum.messages} messages`,
    problems,
  };
}

async function nothingLeftOver({ db }: Witnesses): Promise<Invariant> {
  const { rows } = await sql<{ outbox: bigint; inbox: bigint; sending: bigint }>`
    select (select count(*) from outbox) as outbox, (select count(*) from inbox where status = 'pending') as inbox,
      (select count(*) from contacts where status = 'sending') as sending`.execute(db);
  const [{ outbox, inbox, sending } = { outbox: 0n, inbox: 0n, sending: 0n }] = rows;
  return {
    name: 'nothing is left half done',
    checked: 'outbox, inbox, mails under way',
    problems: [
      ...(outbox === 0n ? [] : [`${outbox} messages wait in the outbox`]),
      ...(inbox === 0n ? [] : [`${inbox} bank messages wait in the inbox`]),
      ...(sending === 0n ? [] : [`${sending} mails are under way`]),
    ],
  };
}

/** What is told to agencies by mail is told once, is on record, and reaches no customer. */
async function agenciesToldOnce({ db, mailUrl }: Witnesses): Promise<Invariant> {
  const mails = (await mailJournal(mailUrl)).filter(isAgencyMail);
  const ids = mails.map((mail) => tagOf(mail, 'message') ?? '');
  const { rows: known } = await sql<{ id: string; email: string | null; again: boolean }>`
    select m.placement_id || '_' || m.id as id, a.email, m.data ? 'retries' as again
    from agency_messages m join agencies a on a.id = m.agency_id`.execute(db);
  // A person may have one sent again that did not arrive.
  const again = new Set(known.flatMap((message) => (message.again ? [message.id] : [])));
  const problems = repeated(ids)
    .filter((id) => !again.has(id))
    .map((id) => `${id} was accepted by the mail server twice`);
  const addresses = new Map(known.map(({ id, email }) => [id, email]));
  for (const [index, mail] of mails.entries()) {
    const email = addresses.get(ids[index]!);
    if (email === undefined) problems.push(`${mail.id} names no message to an agency`);
    else if (mail.to.join() !== email) problems.push(`${mail.id} went to somebody else than its agency`);
  }
  const { rows: untold } = await sql<{ count: bigint }>`
    select count(*) as count from agency_messages where status <> 'sent'`.execute(db);
  if (untold[0]?.count !== 0n) problems.push(`${untold[0]?.count} messages to agencies were not told`);
  return {
    name: 'agencies know, once',
    checked: `${known.length} messages, ${mails.length} of them by mail`,
    problems,
  };
}

const DEMO_CHECKS: readonly Check[] = [
  booksBalance,
  everyPaymentOnce,
  noneAfterPayment,
  noneTwice,
  oneADay,
  noticesRight,
  silentWhilePlaced,
  agenciesToldOnce,
  everyEnding,
  workflowsRun,
  nobodyForgotten,
  chainsHold,
  everythingFollows,
  nothingLeftOver,
];

/** What must hold of any book, whatever happens in it. */
export const BOOK_CHECKS: readonly Check[] = [
  booksBalance,
  everyPaymentOnce,
  noneAfterPayment,
  noneTwice,
  oneADay,
  workflowsRun,
  nobodyForgotten,
  chainsHold,
  everythingFollows,
  nothingLeftOver,
];

/** Mails to customers; an agency of the creditor gets its own (`agenciesToldOnce`). */
const customerMails = async (mailUrl: string): Promise<SentMail[]> =>
  (await mailJournal(mailUrl)).filter((mail) => !isAgencyMail(mail));

const isAgencyMail = (mail: SentMail): boolean => tagOf(mail, 'kind') === 'agency';

const contactIdsOf = (mails: readonly SentMail[]): string[] =>
  mails.flatMap((mail) => {
    const id = tagOf(mail, 'contact');
    return id === undefined ? [] : [id];
  });

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  return values.filter((value) => seen.size === seen.add(value).size);
}

async function statusOf(temporal: TemporalClient, workflowId: string): Promise<string> {
  try {
    return (await temporal.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'absent';
    throw error;
  }
}

/** The sum over all series of a counter as it is exported; NaN where it is not exported at all. */
async function exportedCounter(apiUrl: string, name: string): Promise<number> {
  const response = await fetch(`${apiUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(name));
  return lines.length === 0 ? Number.NaN : lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
