import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { declarationPeriod, type DeclarationPeriod } from '../../domain/law/insolvency.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import { addWorkingDays, type Holidays } from '../../domain/time/working-days.ts';
import { instantAt, localDate, type Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, InsolvencyKind, InsolvencyOutcome, JsonObject } from '../types.ts';
import { cancelChaseTasks } from './chase-tasks.ts';
import { withdrawContact } from './contacts.ts';
import { appendEvents } from './events.ts';
import type { HolidaysOf } from './customer-facts.ts';
import { liftHoldsOfSource } from './holds.ts';
import { insertInsolvencyHolds } from './insolvency-holds.ts';
import { lockCustomers, lockInvoices } from './locks.ts';
import { pokeOutreach, signalCase, wakeCases } from './outbox.ts';
import { endPlacement } from './placements.ts';
import { endActivePlans } from './plans.ts';
import { withdrawActivePromises } from './promises.ts';
import { isOpenStage } from './runs.ts';
import { closeTaskByKey, openTask } from './tasks.ts';

export type InsolvencyRow = Selectable<Database['insolvencies']>;

export interface NewInsolvency {
  kind: InsolvencyKind;
  judgmentOn: LocalDate;
  /** Of the notice in the official gazette. */
  publishedOn: LocalDate | null;
  /** Name of the trustee, then the address, one line each. */
  trustee: string | null;
}

/** Whose proceedings they are, and where: what the period for declaring hangs on. */
interface Home {
  creditorId: string;
  customerId: string;
  zone: string;
  today: LocalDate;
  debtor: { country: string; postalCode: string | null };
  creditor: { country: string; postalCode: string | null };
}

const taskKey = (insolvencyId: string): string => `declareClaim:${insolvencyId}`;

/**
 * Proceedings were opened over a customer. In this one transaction every open invoice that was issued by the day of the
 * judgment is held; messages about them that wait are withdrawn whole, call and letter tasks cancelled, plans and promises
 * over them ended, agencies told to stop; a task to declare the claims opens. That an invoice belongs to the time before
 * the judgment is read from its date of issue, which stands in for the day of what it bills. Later invoices go on.
 * Throws `notFound`, `futureDate`, `beforeJudgment`, `insolvencyExists` while others are open.
 */
export async function declareInsolvency(
  tx: Tx,
  act: Act,
  creditorId: string,
  customerId: string,
  input: NewInsolvency,
  holidays: HolidaysOf,
): Promise<string> {
  await lockCustomers(tx, [customerId]);
  const home = await homeOf(tx, act, creditorId, customerId);
  const { today } = home;
  requireOrder(input, today);
  if (await openInsolvency(tx, customerId)) {
    throw new DomainError('insolvencyExists', 'Proceedings over this customer are open already.');
  }
  const period = periodOf(input, home, holidays);
  const id = newId('ins');
  await tx
    .insertInto('insolvencies')
    .values({
      id,
      creditor_id: creditorId,
      customer_id: customerId,
      kind: input.kind,
      judgment_on: input.judgmentOn,
      published_on: input.publishedOn,
      declare_by: period?.declareBy ?? null,
      trustee: input.trustee,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();

  // Every invoice of the customer is locked, closed ones too: whoever reopens one waits and then sees the proceedings.
  const held = (await lockInvoicesOf(tx, customerId)).filter(
    (invoice) => isOpenStage(invoice.stage) && invoice.issued_on <= input.judgmentOn,
  );
  const ids = held.map((invoice) => invoice.id);
  const holds = await insertInsolvencyHolds(
    tx,
    act,
    ids.map((invoiceId) => ({ invoiceId, customerId, creditorId, insolvencyId: id })),
    today,
  );
  const { kind, judgmentOn, publishedOn } = input;
  await appendEvents(
    tx,
    act,
    ids.map((invoiceId) => ({
      invoiceId,
      kind: 'insolvencyDeclared',
      data: { insolvencyId: id, kind, judgmentOn, publishedOn, holdId: holds.get(invoiceId)! },
    })),
  );
  await stopEverything(tx, act, ids, today);
  await openDeclarationTask(tx, act, home, id, input, period, holidays);
  for (const invoiceId of ids) await signalCase(tx, invoiceId, 'insolvencyDeclared', id);
  await pokeOutreach(tx, customerId);
  return id;
}

/** Takes back whatever was under way about these invoices. A message that is being sent cannot be. */
async function stopEverything(tx: Tx, act: Act, invoiceIds: readonly string[], on: LocalDate): Promise<void> {
  if (invoiceIds.length === 0) return;
  // Letters first: the step of one has left when its task opened, and is taken back with it.
  await cancelChaseTasks(tx, act, invoiceIds, 'insolvency');
  const queued = await tx
    .selectFrom('contacts as c')
    .innerJoin('contact_items as i', 'i.contact_id', 'c.id')
    .select(['c.id', 'c.seq'])
    .distinct()
    .where('c.status', '=', 'queued')
    // Letters are taken back with their tasks, and their steps with them.
    .where('c.channel', '=', 'email')
    .where('i.invoice_id', 'in', invoiceIds)
    .orderBy('c.seq')
    .execute();
  for (const { id } of queued) await withdrawContact(tx, act, id, 'insolvency');
  await withdrawActivePromises(tx, act, invoiceIds, on, 'insolvency');
  for (const invoiceId of invoiceIds) {
    await endActivePlans(tx, act, invoiceId, 'cancelled', on);
    await endPlacement(tx, act, invoiceId, { status: 'ended', reason: 'insolvency', on });
  }
}

/**
 * What became known of open proceedings later: the day of the notice, from which the last day for declaring counts, or
 * the trustee. The task moves, and the form is written again. Throws `notFound`, `noInsolvency`, `futureDate`,
 * `beforeJudgment`.
 */
export async function changeInsolvency(
  tx: Tx,
  act: Act,
  creditorId: string,
  customerId: string,
  changes: { publishedOn?: LocalDate | null | undefined; trustee?: string | null | undefined },
  holidays: HolidaysOf,
): Promise<void> {
  await lockCustomers(tx, [customerId]);
  const home = await homeOf(tx, act, creditorId, customerId);
  const row = await requireInsolvency(tx, customerId);
  const input: NewInsolvency = {
    kind: row.kind,
    judgmentOn: row.judgment_on,
    publishedOn: changes.publishedOn === undefined ? row.published_on : changes.publishedOn,
    trustee: changes.trustee === undefined ? row.trustee : changes.trustee,
  };
  requireOrder(input, home.today);
  const period = periodOf(input, home, holidays);
  await tx
    .updateTable('insolvencies')
    .set({ published_on: input.publishedOn, declare_by: period?.declareBy ?? null, trustee: input.trustee })
    .where('id', '=', row.id)
    .execute();
  const task = await declarationTask(tx, row.id);
  if (task?.status !== 'open') return;
  const words = wordsOf(home, input, period);
  await tx
    .updateTable('tasks')
    .set({
      subject: words.subject,
      body: words.body,
      data: json({ ...task.data, ...dataOf(row.id, input, period) }),
      due_at: instant(dueAt(home, act.at, period, holidays)),
    })
    .where('id', '=', task.id)
    .execute();
  const [first] = await heldInvoices(tx, row.id);
  if (first !== undefined) await wakeCases(tx, [first]);
}

/**
 * The proceedings ended. `withdrawn` and `paid`: the holds are lifted and the ladders go on. `planAdopted`: what was
 * declared is paid under the court's plan, so the holds stay until a person lifts them. `noAssets`: they stay as well, and
 * the cases propose the write-off. Throws `notFound`, `noInsolvency`, `futureDate`, `beforeJudgment`.
 */
export async function closeInsolvency(
  tx: Tx,
  act: Act,
  creditorId: string,
  customerId: string,
  closing: { outcome: InsolvencyOutcome; on: LocalDate | null },
): Promise<void> {
  await lockCustomers(tx, [customerId]);
  const { today } = await homeOf(tx, act, creditorId, customerId);
  const row = await requireInsolvency(tx, customerId);
  const { outcome } = closing;
  const on = closing.on ?? today;
  if (on > today) throw fault('futureDate', '/on', `Today is ${today}.`);
  if (on < row.judgment_on) throw fault('beforeJudgment', '/on', `The judgment is of ${row.judgment_on}.`);
  await tx
    .updateTable('insolvencies')
    .set({ status: 'closed', outcome, closed_on: on })
    .where('id', '=', row.id)
    .execute();
  const concerned = (await lockInvoicesOf(tx, customerId)).filter(
    (invoice) => isOpenStage(invoice.stage) && invoice.issued_on <= row.judgment_on,
  );
  const ids = concerned.map((invoice) => invoice.id);
  await appendEvents(
    tx,
    act,
    ids.map((invoiceId) => ({
      invoiceId,
      kind: 'insolvencyClosed',
      data: { insolvencyId: row.id, outcome, on },
      text: act.reason ?? null,
    })),
  );
  if (outcome === 'withdrawn' || outcome === 'paid') await liftHoldsOfSource(tx, { ...act, reason: null }, row.id);
  // What the court's plan covers may still have to be declared; in every other case there is nothing to declare any more.
  if (outcome !== 'planAdopted') {
    await closeTaskByKey(tx, act, creditorId, taskKey(row.id), 'cancelled', { why: outcome });
  }
  await wakeCases(tx, ids);
  await pokeOutreach(tx, customerId);
}

// ---- Reading --------------------------------------------------------------------------------------------------------

export interface KnownInsolvency {
  row: InsolvencyRow;
  /** What it holds or has held. */
  invoiceIds: string[];
  taskId: string | null;
  /** The form to declare with, as it was last written: the first of one per currency; null until it is. */
  documentId: string | null;
}

/** The latest proceedings over a customer of this creditor, open or closed; `undefined` without any. */
export async function findInsolvency(
  db: Db | Tx,
  creditorId: string,
  customerId: string,
): Promise<KnownInsolvency | undefined> {
  const row = await db
    .selectFrom('insolvencies')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('customer_id', '=', customerId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const task = await declarationTask(db, row.id);
  const [documentId] = documentIdsOf(task?.data ?? {});
  const invoiceIds = await heldInvoices(db, row.id);
  return { row, invoiceIds, taskId: task?.id ?? null, documentId: documentId ?? null };
}

/** The proceedings of these customers that are open or still keep their invoices held, by customer. */
export async function insolvenciesOf(db: Db | Tx, customerIds: readonly string[]): Promise<Map<string, InsolvencyRow>> {
  if (customerIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('insolvencies')
    .selectAll()
    .where('customer_id', 'in', customerIds)
    .where((eb) => eb.or([eb('status', '=', 'open'), eb('outcome', 'in', ['planAdopted', 'noAssets'])]))
    .orderBy('seq')
    .execute();
  return new Map(rows.map((row) => [row.customer_id, row]));
}

/** The open proceedings over a customer; `undefined` without any. */
export async function openInsolvency(db: Db | Tx, customerId: string): Promise<InsolvencyRow | undefined> {
  return await db
    .selectFrom('insolvencies')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where('status', '=', 'open')
    .executeTakeFirst();
}

/** The task to declare the claims of these proceedings. */
export async function declarationTask(db: Db | Tx, insolvencyId: string) {
  return await db
    .selectFrom('tasks')
    .innerJoin('insolvencies as s', 's.creditor_id', 'tasks.creditor_id')
    .select(['tasks.id', 'tasks.status', 'tasks.data'])
    .where('s.id', '=', insolvencyId)
    .where('tasks.key', '=', taskKey(insolvencyId))
    .executeTakeFirst();
}

export function documentIdsOf(data: JsonObject): string[] {
  const ids = data['documentIds'];
  return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : [];
}

/** What these proceedings hold or have held, by id. */
async function heldInvoices(db: Db | Tx, insolvencyId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('holds')
    .select('invoice_id')
    .distinct()
    .where('source_id', '=', insolvencyId)
    .where('invoice_id', 'is not', null)
    .orderBy('invoice_id')
    .execute();
  return rows.map((row) => row.invoice_id!);
}

async function requireInsolvency(tx: Tx, customerId: string): Promise<InsolvencyRow> {
  const row = await openInsolvency(tx, customerId);
  if (!row) throw new DomainError('noInsolvency', 'No proceedings over this customer are open.');
  return row;
}

async function lockInvoicesOf(tx: Tx, customerId: string) {
  const rows = await tx.selectFrom('invoices').select('id').where('customer_id', '=', customerId).execute();
  return await lockInvoices(
    tx,
    rows.map(({ id }) => id),
  );
}

async function homeOf(tx: Tx, act: Act, creditorId: string, customerId: string): Promise<Home> {
  const row = await tx
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select(['u.country', 'u.address', 'c.country as creditor_country', 'c.address as creditor_address', 'c.time_zone'])
    .where('u.id', '=', customerId)
    .where('u.creditor_id', '=', creditorId)
    .executeTakeFirst();
  if (!row) throw new DomainError('notFound', 'There is no such customer.');
  return {
    creditorId,
    customerId,
    zone: row.time_zone,
    today: localDate(act.at, row.time_zone),
    debtor: { country: row.country, postalCode: row.address?.postalCode ?? null },
    creditor: { country: row.creditor_country, postalCode: row.creditor_address?.postalCode ?? null },
  };
}

// ---- The declaration of claims --------------------------------------------------------------------------------------

function requireOrder({ judgmentOn, publishedOn }: NewInsolvency, today: LocalDate): void {
  if (judgmentOn > today) throw fault('futureDate', '/judgmentOn', `Today is ${today}.`);
  if (publishedOn === null) return;
  if (publishedOn > today) throw fault('futureDate', '/publishedOn', `Today is ${today}.`);
  if (publishedOn < judgmentOn) throw fault('beforeJudgment', '/publishedOn', `The judgment is of ${judgmentOn}.`);
}

const fault = (code: string, pointer: string, message: string): DomainError =>
  new DomainError(code, message, [{ pointer, code, message }]);

function periodOf(input: NewInsolvency, home: Home, holidays: HolidaysOf): DeclarationPeriod | null {
  // The court's seat decides which days are holidays; the debtor's postcode is the nearest that is known.
  const year = Number((input.publishedOn ?? input.judgmentOn).slice(0, 4));
  return declarationPeriod(input, home.debtor, home.creditor, holidaysOf(home, year, holidays));
}

function holidaysOf({ debtor }: Home, year: number, holidays: HolidaysOf): Holidays {
  return new Set(holidays(debtor.country, debtor.postalCode, year, year + 1));
}

/** Where no last date is known a person has to find it: within this many working days. */
const LOOK_UP_WORKING_DAYS = 2;

function dueAt(home: Home, at: Instant, period: DeclarationPeriod | null, holidays: HolidaysOf): Instant {
  const soon = (): LocalDate => {
    const today = localDate(at, home.zone);
    return addWorkingDays(today, LOOK_UP_WORKING_DAYS, holidaysOf(home, Number(today.slice(0, 4)), holidays));
  };
  return instantAt(period?.declareBy ?? soon(), '24:00', home.zone);
}

async function openDeclarationTask(
  tx: Tx,
  act: Act,
  home: Home,
  insolvencyId: string,
  input: NewInsolvency,
  period: DeclarationPeriod | null,
  holidays: HolidaysOf,
): Promise<void> {
  await openTask(tx, act, {
    creditorId: home.creditorId,
    kind: 'declareClaim',
    key: taskKey(insolvencyId),
    customerId: home.customerId,
    ...wordsOf(home, input, period),
    data: { ...dataOf(insolvencyId, input, period), documentIds: [] },
    dueAt: dueAt(home, act.at, period, holidays),
  });
}

function dataOf(insolvencyId: string, input: NewInsolvency, period: DeclarationPeriod | null): JsonObject {
  return {
    insolvencyId,
    judgmentOn: input.judgmentOn,
    publishedOn: input.publishedOn,
    // Interest on what is declared stops with the judgment (C. com. art. L622-28): its last day is the one before.
    interestUntil: addDays(input.judgmentOn, -1),
    declareBy: period?.declareBy ?? null,
    planBy: period?.planBy ?? null,
    provisional: period?.from === 'judgment' ? 'publicationUnknown' : null,
    source: period?.source ?? null,
  };
}

const NAMES: Readonly<Record<InsolvencyKind, string>> = {
  safeguard: 'safeguard proceedings',
  receivership: 'receivership',
  liquidation: 'liquidation',
  other: 'insolvency proceedings',
};

function wordsOf(
  home: Home,
  input: NewInsolvency,
  period: DeclarationPeriod | null,
): { subject: string; body: string } {
  const subject = `Declare the claims in the ${NAMES[input.kind]} of ${input.judgmentOn}`;
  if (period === null) {
    return {
      subject,
      body: 'No last date for declaring is known here for these proceedings: find it out and note it.',
    };
  }
  const sentences = [
    `The claims must be with the trustee by ${period.declareBy} (${period.source}); plan for ${period.planBy}.`,
  ];
  if (period.from === 'judgment') {
    sentences.push(
      'The day of the notice in the official gazette is not known yet: the date is reckoned from the judgment and moves as soon as the notice is entered.',
    );
  }
  if (period.declareBy < home.today) {
    sentences.push(
      'That day has passed: relief from the time bar can be asked for within six months of the notice (C. com. art. L622-26).',
    );
  }
  sentences.push(
    'The form names interest up to the day before the judgment and compensation, as far as the policy claims them; what a missing reference rate kept out is to be added.',
  );
  return { subject, body: sentences.join(' ') };
}
