import { createHash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { isoInstant, type Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { canonicalJson } from '../canonical-json.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, JsonObject } from '../types.ts';

/** What can stand on a timeline (api.md, "Values"). */
export type EventKind =
  | 'invoiceRegistered'
  | 'invoiceCompleted'
  | 'dueDateChanged'
  | 'policyChanged'
  | 'fileAttached'
  | 'stepTaken'
  | 'stepMerged'
  | 'stepSkipped'
  | 'stepPulled'
  | 'contactQueued'
  | 'contactSent'
  | 'contactDelivered'
  | 'contactRefused'
  | 'contactFailed'
  | 'contactUnknown'
  | 'contactWithdrawn'
  | 'paymentAllocated'
  | 'allocationReversed'
  | 'creditNoted'
  | 'promised'
  | 'promiseKept'
  | 'promiseBroken'
  | 'promiseWithdrawn'
  | 'disputed'
  | 'disputeResolved'
  | 'held'
  | 'released'
  | 'paused'
  | 'resumed'
  | 'planAgreed'
  | 'planBroken'
  | 'planKept'
  | 'planCancelled'
  | 'approvalAsked'
  | 'approved'
  | 'refused'
  | 'formalNoticeSent'
  | 'placed'
  | 'recalled'
  | 'agencyTold'
  | 'agencyReported'
  | 'agencyGaveUp'
  | 'writtenOff'
  | 'recovered'
  | 'settled'
  | 'reopened'
  | 'cancelled'
  | 'taskOpened'
  | 'taskClosed'
  | 'limitationEvent'
  | 'lifecycleReported'
  | 'collectionFailed'
  | 'collectionAsked'
  | 'insolvencyDeclared'
  | 'insolvencyClosed'
  | 'replied'
  | 'personalDataErased'
  | 'interestWaived'
  | 'interestCorrected'
  | 'costsAdded'
  | 'vatRelieved'
  | 'vatDueAgain'
  | 'markedDoubtful'
  | 'doubtfulEnded';

export interface NewEvent {
  invoiceId: string;
  kind: EventKind;
  /** Ids, amounts as decimal strings, dates and codes: no names, addresses or free text. No undefined values. */
  data: JsonObject;
  /** Free text (a reason, a note): kept apart so that it can be erased, bound to the chain by a salted digest. */
  text?: string | null;
}

interface Link {
  invoiceId: string;
  n: number;
  at: Instant;
  kind: string;
  actor: string;
  data: JsonObject;
  textDigest: Buffer | null;
  prevHash: Buffer;
}

/** Adds an event to the chain of its case and returns its id. Locks the invoice's row. Throws `notFound`. */
export async function appendEvent(tx: Tx, act: Act, event: NewEvent): Promise<string> {
  const invoice = await tx
    .selectFrom('invoices')
    .select(['event_count', 'event_hash'])
    .where('id', '=', event.invoiceId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!invoice) throw new DomainError('notFound', 'There is no such invoice.');

  const id = newId('evt');
  const text = event.text ? { salt: randomBytes(16), text: event.text } : null;
  const link: Link = {
    invoiceId: event.invoiceId,
    n: invoice.event_count + 1,
    at: act.at,
    kind: event.kind,
    actor: act.actor,
    data: event.data,
    textDigest: text && digestOf(text.salt, text.text),
    prevHash: invoice.event_hash,
  };
  const hash = hashOf(link);
  await tx
    .insertInto('events')
    .values({
      id,
      invoice_id: link.invoiceId,
      n: link.n,
      at: instant(link.at),
      kind: link.kind,
      actor: link.actor,
      data: json(link.data),
      text_digest: link.textDigest,
      prev_hash: link.prevHash,
      hash,
    })
    .execute();
  if (text)
    await tx
      .insertInto('event_texts')
      .values({ event_id: id, ...text })
      .execute();
  await tx
    .updateTable('invoices')
    .set({ event_count: link.n, event_hash: hash })
    .where('id', '=', event.invoiceId)
    .execute();
  return id;
}

/** Same as `appendEvent` for each, invoices in the order of their ids so that two of these never block each other. */
export async function appendEvents(tx: Tx, act: Act, events: readonly NewEvent[]): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const event of [...events].sort((a, b) =>
    a.invoiceId < b.invoiceId ? -1 : a.invoiceId > b.invoiceId ? 1 : 0,
  )) {
    ids.set(event.invoiceId, await appendEvent(tx, act, event));
  }
  return ids;
}

/** The first event of a case that is only now being written, ready to be inserted with it in one statement. */
export function firstEvent(act: Act, event: NewEvent): { row: FirstEventRow; hash: Buffer } {
  const link: Link = {
    invoiceId: event.invoiceId,
    n: 1,
    at: act.at,
    kind: event.kind,
    actor: act.actor,
    data: event.data,
    textDigest: null,
    prevHash: Buffer.alloc(0),
  };
  if (event.text) throw new Error('The first event of a case carries no text.');
  const hash = hashOf(link);
  return {
    row: {
      id: newId('evt'),
      invoice_id: event.invoiceId,
      n: 1,
      at: instant(act.at),
      kind: event.kind,
      actor: act.actor,
      data: json(event.data),
      text_digest: null,
      prev_hash: link.prevHash,
      hash,
    },
    hash,
  };
}

export interface FirstEventRow {
  id: string;
  invoice_id: string;
  n: number;
  at: Date;
  kind: EventKind;
  actor: string;
  data: ReturnType<typeof json>;
  text_digest: null;
  prev_hash: Buffer;
  hash: Buffer;
}

/** What is wrong with the chain of a case, in words; empty when it holds. Erased texts do not break it. */
export async function verifyChain(db: Db | Tx, invoiceId: string): Promise<string[]> {
  const invoice = await db
    .selectFrom('invoices')
    .select(['id', 'event_count', 'event_hash'])
    .where('id', '=', invoiceId)
    .executeTakeFirst();
  if (!invoice) return [`${invoiceId}: no such invoice`];
  return chainFaults(invoice, (await eventsOf(db, [invoiceId])).get(invoiceId) ?? []);
}

export type ChainedEvent = Selectable<Database['events']> & { salt: Buffer | null; text: string | null };

/** The events of these cases with their texts, by case and in order. */
export async function eventsOf(db: Db | Tx, invoiceIds: readonly string[]): Promise<Map<string, ChainedEvent[]>> {
  const byCase = new Map<string, ChainedEvent[]>();
  if (invoiceIds.length === 0) return byCase;
  const rows = await db
    .selectFrom('events as e')
    .leftJoin('event_texts as t', 't.event_id', 'e.id')
    .selectAll('e')
    .select(['t.salt', 't.text'])
    .where('e.invoice_id', 'in', invoiceIds)
    .orderBy('e.invoice_id')
    .orderBy('e.n')
    .execute();
  for (const row of rows) {
    const own = byCase.get(row.invoice_id);
    if (own) own.push(row);
    else byCase.set(row.invoice_id, [row]);
  }
  return byCase;
}

/** The same over events that were read already; `rows` are the case's, in order. */
export function chainFaults(
  invoice: { id: string; event_count: number; event_hash: Buffer },
  rows: readonly ChainedEvent[],
): string[] {
  const { id } = invoice;
  const wrong: string[] = [];
  let prevHash: Buffer = Buffer.alloc(0);
  for (const [index, row] of rows.entries()) {
    const link: Link = {
      invoiceId: row.invoice_id,
      n: row.n,
      at: row.at,
      kind: row.kind,
      actor: row.actor,
      data: row.data,
      textDigest: row.text_digest,
      prevHash: row.prev_hash,
    };
    if (row.n !== index + 1) wrong.push(`${id}: event ${index + 1} is missing`);
    if (!row.prev_hash.equals(prevHash)) wrong.push(`${id}: event ${row.n} does not follow the one before it`);
    if (!hashOf(link).equals(row.hash)) wrong.push(`${id}: event ${row.n} was changed`);
    if (row.salt && row.text !== null && !row.text_digest?.equals(digestOf(row.salt, row.text))) {
      wrong.push(`${id}: the text of event ${row.n} was changed`);
    }
    prevHash = row.hash;
  }
  if (rows.length !== invoice.event_count || !prevHash.equals(invoice.event_hash)) {
    wrong.push(`${id}: the chain does not end where the invoice says`);
  }
  return wrong;
}

function hashOf(link: Link): Buffer {
  const content = canonicalJson({
    ...link,
    at: isoInstant(link.at),
    textDigest: link.textDigest?.toString('hex') ?? null,
    prevHash: link.prevHash.toString('hex'),
  });
  return createHash('sha256').update(content).digest();
}

function digestOf(salt: Buffer, text: string): Buffer {
  return createHash('sha256').update(salt).update(text).digest();
}
