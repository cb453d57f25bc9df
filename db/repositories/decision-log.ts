import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Act, Decision } from '../../domain/case/decision.ts';
import type { CaseFacts, CustomerFacts } from '../../domain/case/facts.ts';
import type { ContactPlan } from '../../domain/case/plan-contacts.ts';
import { fromRecord, toRecord, type Reference } from '../../domain/case/record.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { canonicalJson } from '../canonical-json.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import type { JsonObject } from '../types.ts';
import { pinnedPolicy, policyRefOf } from './pinned-policies.ts';

/**
 * What cases and outreach knew when they decided, so that each decision can be derived again. Only what acts is written
 * down: one row a turn that did something, one a look that queued something. Policies stand as their versions and tables
 * of holidays as digests, each kept once.
 */

const digests = new WeakMap<object, string>();

function digestOfDays(days: ReadonlySet<string>): string {
  let digest = digests.get(days);
  if (digest === undefined) {
    digest = createHash('sha256')
      .update([...days].sort().join(','))
      .digest('hex');
    digests.set(days, digest);
  }
  return digest;
}

/** What stands for an object that is kept elsewhere; the tables of holidays it meets are gathered in `days`. */
const refOf =
  (days: Map<string, ReadonlySet<string>>) =>
  (value: object): Reference | null => {
    if (value instanceof Set) {
      const digest = digestOfDays(value);
      days.set(digest, value);
      return { $days: digest };
    }
    const policy = policyRefOf(value);
    return policy && { $policy: policy.name, $version: policy.version };
  };

async function keepDays(tx: Tx, days: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
  const wanted = [...days].map(([digest, set]) => ({ digest: Buffer.from(digest, 'hex'), set }));
  if (wanted.length === 0) return;
  const known = await tx
    .selectFrom('holiday_tables')
    .select('digest')
    .where(
      'digest',
      'in',
      wanted.map((w) => w.digest),
    )
    .execute();
  for (const { digest, set } of wanted) {
    if (known.some((k) => k.digest.equals(digest))) continue;
    await tx
      .insertInto('holiday_tables')
      .values({ digest, days: json([...set].sort()) })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .execute();
  }
}

const digestOf = (content: unknown): Buffer => createHash('sha256').update(canonicalJson(content)).digest();

/** Writes down what a turn knew and decided; the caller holds the invoice's row. */
export async function recordTurn(
  tx: Tx,
  turn: {
    invoiceId: string;
    at: Instant;
    run: number;
    eventsBefore: number;
    facts: CaseFacts;
    customer: CustomerFacts;
    /** What commands did before anything was decided; `facts` know of it. */
    commanded: readonly Act[];
    decisions: readonly Decision[];
  },
): Promise<void> {
  const days = new Map<string, ReadonlySet<string>>();
  const refs = refOf(days);
  const facts = toRecord(turn.facts, refs);
  const customer = toRecord({ ...turn.customer, cases: [] }, refs);
  const commanded = toRecord(turn.commanded, refs);
  const decisions = toRecord(turn.decisions, refs);
  await keepDays(tx, days);
  await sql`
    insert into case_decisions (invoice_id, n, run, at, events_before, events_after, facts, customer, commanded,
      decisions, digest)
    select i.id, 1 + (select coalesce(max(d.n), 0) from case_decisions d where d.invoice_id = i.id), ${turn.run}::int,
      ${instant(turn.at)}::timestamptz, ${turn.eventsBefore}::int, i.event_count, ${json(facts)}::jsonb,
      ${json(customer)}::jsonb, ${json(commanded)}::jsonb, ${json(decisions)}::jsonb,
      ${digestOf({ facts, customer, commanded, decisions })}
    from invoices i where i.id = ${turn.invoiceId}`.execute(tx);
}

/** Writes down what outreach knew and planned; the caller holds the customer's row. Returns the row's id. */
export async function recordLook(tx: Tx, at: Instant, customer: CustomerFacts, plan: ContactPlan): Promise<bigint> {
  const days = new Map<string, ReadonlySet<string>>();
  const refs = refOf(days);
  const facts = toRecord(customer, refs);
  const planned = toRecord(plan, refs);
  await keepDays(tx, days);
  const counts = await tx
    .selectFrom('invoices')
    .select(['id', 'event_count'])
    .where('id', 'in', customer.cases.length > 0 ? customer.cases.map((c) => c.invoiceId) : [''])
    .execute();
  const row = await tx
    .insertInto('outreach_decisions')
    .values({
      customer_id: customer.customerId,
      at: instant(at),
      events: json(Object.fromEntries(counts.map((c) => [c.id, c.event_count]))),
      facts: json(facts),
      plan: json(planned),
      digest: digestOf({ facts, plan: planned }),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Keeps from what a message was rendered; erased with its text. */
export async function keepModel(
  tx: Tx,
  contactId: string,
  kept: { outreachId: bigint | null; template: string; model: object },
): Promise<void> {
  await tx
    .insertInto('message_models')
    .values({
      contact_id: contactId,
      outreach_id: kept.outreachId,
      template: kept.template,
      model: json(kept.model),
    })
    .execute();
}

export interface RecordedTurn {
  n: number;
  run: number;
  at: Instant;
  /** The real clock: turns and looks of one customer never overlap. */
  recordedAt: Instant;
  eventsBefore: number;
  eventsAfter: number;
  facts: CaseFacts;
  customer: CustomerFacts;
  commanded: Act[];
  decisions: Decision[];
  /** False where the row is not what was written. */
  intact: boolean;
}

/** The turns of a case that did something, in their order. */
export async function turnsOf(db: Db | Tx, creditorId: string, invoiceId: string): Promise<RecordedTurn[]> {
  const rows = await db
    .selectFrom('case_decisions')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .orderBy('n')
    .execute();
  const turns: RecordedTurn[] = [];
  for (const row of rows) {
    const { facts, customer, commanded, decisions } = row;
    const read = await reader(db, creditorId, [facts, customer, decisions]);
    turns.push({
      n: row.n,
      run: row.run,
      at: row.at,
      recordedAt: row.recorded_at,
      eventsBefore: row.events_before,
      eventsAfter: row.events_after,
      facts: read(facts) as CaseFacts,
      customer: read(customer) as CustomerFacts,
      commanded: read(commanded) as Act[],
      decisions: read(decisions) as Decision[],
      intact: digestOf({ facts, customer, commanded, decisions }).equals(row.digest),
    });
  }
  return turns;
}

export interface RecordedLook {
  id: bigint;
  at: Instant;
  recordedAt: Instant;
  /** The number of the case's last event. */
  events: number;
  customer: CustomerFacts;
  /** As it was written down, references and all. */
  plan: JsonObject;
  intact: boolean;
}

/** The looks of outreach that queued something about this case, in their order. */
export async function looksAt(
  db: Db | Tx,
  creditorId: string,
  customerId: string,
  invoiceId: string,
): Promise<RecordedLook[]> {
  const about = json({ messages: [{ items: [{ invoiceId }] }] });
  const rows = await db
    .selectFrom('outreach_decisions')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where(sql<boolean>`plan @> ${about}::jsonb`)
    .orderBy('id')
    .execute();
  const looks: RecordedLook[] = [];
  for (const row of rows) {
    const read = await reader(db, creditorId, [row.facts]);
    looks.push({
      id: row.id,
      at: row.at,
      recordedAt: row.recorded_at,
      events: row.events[invoiceId] ?? 0,
      customer: read(row.facts) as CustomerFacts,
      plan: row.plan,
      intact: digestOf({ facts: row.facts, plan: row.plan }).equals(row.digest),
    });
  }
  return looks;
}

/** A value as it is written down, to be compared with what was. */
export const asRecorded = (value: unknown): unknown => toRecord(value, refOf(new Map()));

/** Reads records that name these policies and holidays. */
async function reader(
  db: Db | Tx,
  creditorId: string,
  records: readonly unknown[],
): Promise<(record: unknown) => unknown> {
  const wanted = new Map<string, Reference>();
  const note = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (isReference(value)) wanted.set(canonicalJson(value), value);
    else for (const member of Object.values(value)) note(member);
  };
  for (const record of records) note(record);
  const known = new Map<string, unknown>();
  for (const [key, ref] of wanted) known.set(key, await resolve(db, creditorId, ref));
  return (record) => fromRecord(record, (ref) => (isReference(ref) ? known.get(canonicalJson(ref)) : undefined));
}

const isReference = (value: object): value is Reference => '$days' in value || '$policy' in value;

async function resolve(db: Db | Tx, creditorId: string, ref: Reference): Promise<unknown> {
  const { $days: digest, $policy: name, $version: version } = ref;
  if (digest === undefined) return await pinnedPolicy(db, creditorId, String(name), Number(version));
  const row = await db
    .selectFrom('holiday_tables')
    .select('days')
    .where('digest', '=', Buffer.from(String(digest), 'hex'))
    .executeTakeFirstOrThrow();
  return new Set(row.days);
}

/** A message about a case, what it said, and from what it was rendered. */
export interface RecordedMessage {
  id: string;
  channel: string;
  erased: boolean;
  subject: string | null;
  text: string | null;
  html: string | null;
  template: string;
  /** Of the creditor's own text; null for the built-in one. */
  templateVersion: number | null;
  /** Null where none was kept: it is older than the record, or was erased. */
  model: JsonObject | null;
  outreachId: bigint | null;
  recipients: string[];
  cc: string[];
  items: { invoiceId: string; step: string; occurrence: number; amountMinor: bigint; currency: string }[];
}

/** The messages about a case, withdrawn ones too, in their order. */
export async function messagesAbout(db: Db | Tx, invoiceId: string): Promise<RecordedMessage[]> {
  const rows = await db
    .selectFrom('contacts as c')
    .leftJoin('message_models as m', 'm.contact_id', 'c.id')
    .select([
      'c.id',
      'c.channel',
      'c.erased_at',
      'c.subject',
      'c.body_text',
      'c.body_html',
      'c.template',
      'c.template_version',
      'c.recipients',
      'c.cc',
      'm.model',
      'm.outreach_id',
    ])
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('contact_items as i')
          .select('i.contact_id')
          .whereRef('i.contact_id', '=', 'c.id')
          .where('i.invoice_id', '=', invoiceId),
      ),
    )
    .orderBy('c.seq')
    .execute();
  const items = await db
    .selectFrom('contact_items')
    .selectAll()
    .where('contact_id', 'in', rows.length > 0 ? rows.map((r) => r.id) : [''])
    .orderBy('invoice_id')
    .orderBy('step')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    channel: row.channel,
    erased: row.erased_at !== null,
    subject: row.subject,
    text: row.body_text,
    html: row.body_html,
    template: row.template,
    templateVersion: row.template_version,
    model: row.model,
    outreachId: row.outreach_id,
    recipients: row.recipients,
    cc: row.cc,
    items: items
      .filter((i) => i.contact_id === row.id)
      .map((i) => ({
        invoiceId: i.invoice_id,
        step: i.step,
        occurrence: i.occurrence,
        amountMinor: i.amount_minor,
        currency: i.currency,
      })),
  }));
}
