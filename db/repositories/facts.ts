import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type {
  CaseFacts,
  ContactFact,
  CustomerFacts,
  InsolvencyFact,
  Movement,
  NoticeFact,
  PlacementFact,
  PlanFact,
  RecipientFact,
  StepFact,
} from '../../domain/case/facts.ts';
import { approvalKey, FORMAL_NOTICE, isAside, PLACEMENT, WRITE_OFF } from '../../domain/case/requests.ts';
import { RELEASES } from '../../domain/case/rebuild.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import type { Policy } from '../../domain/policy/types.ts';
import { addDays, earlier, type LocalDate } from '../../domain/time/dates.ts';
import type { Holidays } from '../../domain/time/working-days.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import type { Db, Tx } from '../database.ts';

/** Public holidays of a country, by postcode where regions differ, for whole years; injected, since they are looked up. */
export type HolidaysOf = (
  country: string,
  postalCode: string | null,
  fromYear: number,
  toYear: number,
) => readonly LocalDate[];

/** Contacts older than this matter to no gap and no cap. */
const CONTACT_MEMORY_DAYS = 60;
const OPEN_STAGES = ['upcoming', 'reminding', 'formalNotice', 'placed'] as const;

/** The key of an address: equal addresses have equal keys, and nobody can be read from one. */
export function recipientKeyOf(email: string): string {
  return createHash('sha256').update(email.trim().toLowerCase()).digest('hex').slice(0, 20);
}

/** The facts of one case and what it shares with the customer's others, whose own facts are left out. */
export async function loadCase(
  db: Db | Tx,
  invoiceId: string,
  holidays: HolidaysOf,
  now: Instant,
  knownCustomerId?: string,
): Promise<{ facts: CaseFacts; customer: CustomerFacts } | null> {
  const customerId = knownCustomerId ?? (await customerOf(db, invoiceId));
  if (customerId === null) return null;
  const customer = await loadShared(db, customerId, holidays, now);
  const [facts] = await loadFacts(db, [invoiceId], customer, now);
  return facts ? { facts, customer: { ...customer, cases: [facts] } } : null;
}

async function customerOf(db: Db | Tx, invoiceId: string): Promise<string | null> {
  const row = await db.selectFrom('invoices').select('customer_id').where('id', '=', invoiceId).executeTakeFirst();
  return row?.customer_id ?? null;
}

/** A customer with all its open cases, and closed ones that still have something to send. */
export async function loadCustomer(
  db: Db | Tx,
  customerId: string,
  holidays: HolidaysOf,
  now: Instant,
  which: 'open' | 'requesting' = 'open',
): Promise<CustomerFacts> {
  const customer = await loadShared(db, customerId, holidays, now);
  const requesting = db
    .selectFrom('case_steps')
    .select('invoice_id')
    .where('customer_id', '=', customerId)
    .where('status', '=', 'requested');
  const rows = await db
    .selectFrom('invoices')
    .select('id')
    .where('customer_id', '=', customerId)
    .where((eb) =>
      which === 'open'
        ? eb.or([eb('stage', 'in', OPEN_STAGES), eb('id', 'in', requesting)])
        : eb('id', 'in', requesting),
    )
    .orderBy('id')
    .execute();
  const cases = await loadFacts(
    db,
    rows.map((r) => r.id),
    customer,
    now,
  );
  return { ...customer, cases };
}

type Shared = CustomerFacts & { creditorId: string; insolvency: InsolvencyFact | null };

async function loadShared(db: Db | Tx, customerId: string, holidays: HolidaysOf, now: Instant): Promise<Shared> {
  const row = await db
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select([
      'u.creditor_id',
      'u.kind',
      'u.country',
      'u.time_zone',
      'u.address',
      'u.contacts',
      'c.country as creditor_country',
      'c.time_zone as creditor_zone',
      'c.closed_weeks',
      'c.address as creditor_address',
      // Where the creditor has chosen none, the only agency there is.
      sql<string | null>`coalesce(c.default_agency, (select min(id) from agencies
        where creditor_id = c.id and closed_at is null having count(*) = 1))`.as('agency_id'),
      sql<InsolvencyFact | null>`(select jsonb_build_object('judgmentOn', judgment_on, 'outcome', outcome)
        from insolvencies where customer_id = u.id and (status = 'open' or outcome = 'noAssets')
        order by seq desc limit 1)`.as('insolvency'),
      sql<boolean>`exists (select from stopped_addresses where creditor_id = c.id and lifted_at is null)`.as(
        'any_stopped',
      ),
    ])
    .where('u.id', '=', customerId)
    .executeTakeFirstOrThrow();
  const emails = row.contacts.flatMap((p) => (p.email ? [p.email.toLowerCase()] : []));
  const stoppedSet = row.any_stopped ? await stoppedAmong(db, row.creditor_id, emails) : new Set<string>();
  const since = addDays(localDate(now, row.time_zone), -CONTACT_MEMORY_DAYS);
  const contacts = await db
    .selectFrom('contacts')
    .select(['day', 'channel', 'recipient_key'])
    .where('customer_id', '=', customerId)
    .where('day', '>=', since)
    .where('status', 'not in', ['withdrawn', 'failed'])
    .execute();
  const recipients: RecipientFact[] = row.contacts.flatMap((p) =>
    p.email
      ? [{ role: p.role ?? 'billing', key: recipientKeyOf(p.email), usable: !stoppedSet.has(p.email.toLowerCase()) }]
      : [],
  );
  const year = Number(localDate(now, row.time_zone).slice(0, 4));
  const postalCode = row.address?.postalCode ?? null;
  return {
    creditorId: row.creditor_id,
    insolvency: row.insolvency,
    agencyId: row.agency_id,
    customerId,
    kind: row.kind,
    country: row.country,
    zone: row.time_zone,
    creditorZone: row.creditor_zone,
    customerHolidays: holidaySet(holidays, row.country, postalCode, year),
    creditorHolidays: holidaySet(holidays, row.creditor_country, row.creditor_address?.postalCode ?? null, year),
    closedWeeks: row.closed_weeks,
    recipients,
    hasAddress: row.address !== null,
    contacts: contacts.map<ContactFact>((c) => ({
      day: c.day,
      channel: c.channel,
      recipientKey: c.recipient_key,
    })),
    cases: [],
  };
}

async function stoppedAmong(db: Db | Tx, creditorId: string, emails: readonly string[]): Promise<Set<string>> {
  if (emails.length === 0) return new Set();
  const rows = await db
    .selectFrom('stopped_addresses')
    .select('email')
    .where('creditor_id', '=', creditorId)
    .where('lifted_at', 'is', null)
    .where('email', 'in', emails)
    .execute();
  return new Set(rows.map((r) => r.email));
}

const holidaySets = new Map<string, Holidays>();

/** Three years around now: further than any calendar looks that matters. Cached for the life of the process. */
function holidaySet(of: HolidaysOf, country: string, postalCode: string | null, year: number): Holidays {
  const key = `${country}/${postalCode ?? ''}/${year}`;
  let set = holidaySets.get(key);
  if (!set) {
    if (holidaySets.size > 5_000) holidaySets.clear();
    set = new Set(of(country, postalCode, year - 1, year + 3));
    holidaySets.set(key, set);
  }
  return set;
}

const policies = new Map<string, Policy>();

/** Versions are never edited in place, so a parsed one is good for the life of the process. */
export async function pinnedPolicy(db: Db | Tx, creditorId: string, name: string, version: number): Promise<Policy> {
  const key = `${creditorId}/${name}/${version}`;
  const known = policies.get(key);
  if (known) return known;
  const row = await db
    .selectFrom('policies')
    .select('document')
    .where('creditor_id', '=', creditorId)
    .where('name', '=', name)
    .where('version', '=', version)
    .executeTakeFirstOrThrow();
  const policy = parsePolicy(row.document);
  if (policies.size > 5_000) policies.clear();
  policies.set(key, policy);
  policyRefs.set(policy, { name, version });
  return policy;
}

const policyRefs = new WeakMap<object, { name: string; version: number }>();

/** The version that a policy read by `pinnedPolicy` is; null for every other object. */
export const policyRefOf = (policy: object): { name: string; version: number } | null => policyRefs.get(policy) ?? null;

/** What a case may have on record; most have little of it. */
const ON_RECORD = {
  promises: sql<boolean>`exists (select from promises where invoice_id = i.id)`,
  disputes: sql<boolean>`exists (select from disputes where invoice_id = i.id)`,
  steps: sql<boolean>`exists (select from case_steps where invoice_id = i.id)`,
  tasks: sql<boolean>`exists (select from tasks where invoice_id = i.id)`,
  // The first posting is that of its registration.
  movements: sql<boolean>`(select count(*) from postings where invoice_id = i.id and account = 'receivable') > 1`,
  plans: sql<boolean>`exists (select from plan_invoices where invoice_id = i.id)`,
  placements: sql<boolean>`exists (select from placements where invoice_id = i.id)`,
  // Of the whole customer too.
  holds: sql<boolean>`exists (select from holds where customer_id = i.customer_id
    and (invoice_id is null or invoice_id = i.id))`,
  // A case that has only been registered is in its first run, and knows it.
  runs: sql<boolean>`i.turned_at is not null or i.event_count > 1`,
};
type OnRecord = keyof typeof ON_RECORD;

/**
 * The facts of these cases as they are judged at `now`. That instant may be a little before the clock (the moment
 * something was planned for), even on an earlier date where time is compressed; what is on record is in force all the
 * same, so nothing begins or ends later than on the day that is judged.
 */
async function loadFacts(db: Db | Tx, ids: readonly string[], shared: Shared, now: Instant): Promise<CaseFacts[]> {
  if (ids.length === 0) return [];
  const today = localDate(now, shared.creditorZone);
  const begun = (on: LocalDate): LocalDate => earlier(on, today);
  const ended = (on: LocalDate | null): LocalDate | null => on && earlier(on, today);
  const invoices = await db
    .selectFrom('invoices as i')
    .selectAll('i')
    .select((eb) =>
      eb
        .selectFrom('events as e')
        .select((e) => e.fn.max('e.at').as('at'))
        .whereRef('e.invoice_id', '=', 'i.id')
        .where('e.kind', 'in', RELEASES)
        .as('released_at'),
    )
    .select(Object.entries(ON_RECORD).map(([what, found]) => found.as(`has_${what}` as `has_${OnRecord}`)))
    .where('i.id', 'in', ids)
    .orderBy('i.id')
    .execute();
  // What no case has costs no query.
  const about = async <T extends { invoice_id: string }>(
    what: OnRecord,
    load: (having: string[]) => Promise<T[]>,
  ): Promise<Map<string, T[]>> => {
    const having = invoices.filter((i) => i[`has_${what}`]).map((i) => i.id);
    return having.length === 0 ? new Map<string, T[]>() : by(await load(having));
  };
  const promises = await about('promises', (having) =>
    db.selectFrom('promises').selectAll().where('invoice_id', 'in', having).orderBy('seq').execute(),
  );
  const disputes = await about('disputes', (having) =>
    db.selectFrom('disputes').selectAll().where('invoice_id', 'in', having).orderBy('seq').execute(),
  );
  const runs = await about('runs', (having) =>
    db.selectFrom('case_runs').selectAll().where('invoice_id', 'in', having).orderBy('run').execute(),
  );
  const held = invoices.some((i) => i.has_holds);
  const holds = !held
    ? []
    : await db
        .selectFrom('holds')
        .selectAll()
        .where('customer_id', '=', shared.customerId)
        .where((eb) => eb.or([eb('invoice_id', 'is', null), eb('invoice_id', 'in', ids)]))
        .orderBy('seq')
        .execute();
  const steps = await about('steps', (having) =>
    db
      .selectFrom('case_steps as s')
      .leftJoin('tasks as t', 't.id', 's.task_id')
      .leftJoin('contacts as c', 'c.id', 's.contact_id')
      .leftJoin('contact_items as a', (join) =>
        join
          .onRef('a.contact_id', '=', 's.contact_id')
          .onRef('a.invoice_id', '=', 's.invoice_id')
          .onRef('a.step', '=', 's.step'),
      )
      .selectAll('s')
      .select([
        't.status as task_status',
        't.outcome as task_outcome',
        't.data as task_data',
        'a.amount_minor as asked_minor',
        'c.dispatched_on',
        'c.delivered_on',
        'c.refused_on',
      ])
      .where('s.invoice_id', 'in', having)
      .orderBy('s.id')
      .execute(),
  );
  const tasks = await about('tasks', async (having) => {
    const rows = await db
      .selectFrom('tasks')
      .select(['invoice_id', 'kind', 'status', 'data'])
      .where('invoice_id', 'in', having)
      .where('kind', 'in', ['entryReview', 'ladderEnded', 'timeBarred', 'collectionMissing'])
      .execute();
    return rows.map((t) => ({ ...t, invoice_id: t.invoice_id! }));
  });
  const movements = await about('movements', (having) => loadMovements(db, having));
  const plans = await about('plans', (having) => loadPlans(db, having));
  const placements = await about('placements', (having) =>
    db.selectFrom('placements').selectAll().where('invoice_id', 'in', having).orderBy('seq').execute(),
  );
  const { insolvency } = shared;

  const facts: CaseFacts[] = [];
  for (const row of invoices) {
    const rows = steps.get(row.id) ?? [];
    const live = rows.filter((s) => s.status !== 'withdrawn');
    const waiting = live.find((s) => s.status === 'awaitingApproval');
    const answer = waiting?.task_status === 'done' ? waiting.task_outcome?.['decision'] : null;
    facts.push({
      invoiceId: row.id,
      run: row.run,
      stage: row.stage,
      issuedOn: row.issued_on,
      dueOn: row.due_on,
      registeredOn: localDate(row.registered_at, shared.creditorZone),
      registeredAt: row.registered_at,
      amountMinor: row.amount_minor,
      currency: row.currency,
      balanceMinor: row.balance_minor,
      movements: (movements.get(row.id) ?? []).map<Movement>((m) => ({
        on: begun(localDate(m.at, shared.creditorZone)),
        amountMinor: m.amount_minor,
        kind: m.kind,
      })),
      policy: await pinnedPolicy(db, row.creditor_id, row.policy_name, row.policy_version),
      chaseFrom: row.chase_from,
      lastStepSent: row.last_step_sent,
      collection: {
        method: row.collection_method,
        on: row.collection_on,
        failedOn: row.collection_failed_on,
        askedOn: row.collection_asked_on,
      },
      limitationOn: row.limitation_on,
      promises: (promises.get(row.id) ?? []).map((p) => ({
        id: p.id,
        amountMinor: p.amount_minor,
        payOn: p.pay_on,
        graceDays: p.grace_days,
        holds: p.holds,
        madeOn: begun(p.made_on),
        status: p.status,
        endedOn: p.status === 'broken' ? p.ended_on : ended(p.ended_on),
        paidBeforeMinor: p.paid_before_minor,
      })),
      disputes: (disputes.get(row.id) ?? []).map((d) => ({
        id: d.id,
        amountMinor: d.amount_minor,
        openedOn: begun(d.opened_on),
        resolvedOn: ended(d.resolved_on),
      })),
      holds: holds
        .filter((h) => h.invoice_id === null || h.invoice_id === row.id)
        .map((h) => ({
          id: h.id,
          kind: h.kind,
          fromOn: begun(h.from_on),
          untilOn: h.until_on,
          liftedOn: ended(h.lifted_on),
        })),
      runs: (runs.get(row.id) ?? []).map((r) => ({
        run: r.run,
        openedOn: begun(r.opened_on),
        closedOn: ended(r.closed_on),
      })),
      steps: live.map((s) => ({
        id: String(s.id),
        step: s.step,
        occurrence: s.occurrence,
        status: s.status as StepFact['status'],
        channel: s.channel,
        plannedAt: s.planned_at,
        plannedOn: s.planned_on,
        amountMinor: s.asked_minor ?? s.amount_minor,
        leftOn: s.left_on,
        reanchors: s.reanchors,
        reason: s.reason,
        redraw: s === live.at(-1) && !isAside(s.step) && needsRedraw(s),
      })),
      // An approval that was made use of is used up: what is asked for again after a case came back is asked anew.
      approvedSteps: rows
        .filter((s) => s.approved && (s.status !== 'left' || (s.step !== PLACEMENT && s.step !== WRITE_OFF)))
        .map((s) => approvalKey(s.step, s.amount_minor)),
      approvalAnswer: answer === 'approved' || answer === 'refused' ? answer : null,
      approvalAgencyId: textOf(waiting?.task_outcome?.['agencyId']) ?? textOf(waiting?.task_data?.['agencyId']),
      plans: (plans.get(row.id) ?? []).map(({ invoice_id: _, ...plan }) => ({
        ...plan,
        agreedOn: begun(plan.agreedOn),
        endedOn: plan.status === 'broken' ? plan.endedOn : ended(plan.endedOn),
      })),
      notice: noticeOf(live, shared.creditorZone, today),
      placement: placementOf(placements.get(row.id)?.at(-1), today),
      insolvency: insolvency !== null && row.issued_on <= insolvency.judgmentOn ? insolvency : null,
      stepNow: row.step_now === null || row.step_now_on === null ? null : { step: row.step_now, on: row.step_now_on },
      tasksOpened: (tasks.get(row.id) ?? []).flatMap((t) => {
        if (t.kind === 'collectionMissing') return [`collectionMissing:${String(t.data['from'])}`];
        if (t.kind !== 'timeBarred' && t.data['run'] !== row.run) return [];
        const stage = textOf(t.data['stage']);
        return [stage === null ? t.kind : `${t.kind}:${stage}`];
      }),
      entryReviewed: (tasks.get(row.id) ?? []).some((t) => t.kind === 'entryReview' && t.status === 'done'),
      releasedAt: row.released_at ?? row.registered_at,
    });
  }
  return facts;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The formal notice that left, and how far the post has brought it. A mail has reached the post when it leaves. */
function noticeOf(
  steps: readonly {
    step: string;
    status: string;
    channel: string;
    left_at: Instant | null;
    dispatched_on: LocalDate | null;
    delivered_on: LocalDate | null;
    refused_on: LocalDate | null;
  }[],
  zone: string,
  today: LocalDate,
): NoticeFact | null {
  const left = steps.findLast((s) => s.step === FORMAL_NOTICE && s.status === 'left');
  if (!left || left.left_at === null) return null;
  const leftOn = earlier(localDate(left.left_at, zone), today);
  return {
    leftOn,
    dispatchedOn: left.dispatched_on ?? (left.channel === 'email' ? leftOn : null),
    deliveredOn: left.delivered_on ?? left.refused_on,
  };
}

function placementOf(
  row: { id: string; status: PlacementFact['status']; placed_on: LocalDate; ended_on: LocalDate | null } | undefined,
  today: LocalDate,
): PlacementFact | null {
  if (!row) return null;
  return { id: row.id, status: row.status, placedOn: earlier(row.placed_on, today), endedOn: row.ended_on };
}

/** The plans over these invoices, each with what has been paid on all of its invoices since it was agreed. */
async function loadPlans(db: Db | Tx, ids: readonly string[]): Promise<(PlanFact & { invoice_id: string })[]> {
  const { rows } = await sql<{
    invoice_id: string;
    id: string;
    status: PlanFact['status'];
    agreed_on: LocalDate;
    ended_on: LocalDate | null;
    grace_days: number;
    total_minor: bigint;
    paid_minor: bigint;
    leader: string | null;
    notes_elsewhere: string[];
    disputed: boolean;
    instalments: { n: number; dueOn: LocalDate; amountMinor: string }[];
  }>`
    select c.invoice_id, p.id, p.status, p.agreed_on, p.ended_on, p.grace_days, p.total_minor,
      coalesce(p.paid_minor, (select coalesce(sum(greatest(o.amount_minor - i.balance_minor, 0)), 0)::bigint
         from plan_invoices o join invoices i on i.id = o.invoice_id where o.plan_id = p.id)) as paid_minor,
      (select min(i.id) from plan_invoices o join invoices i on i.id = o.invoice_id
         where o.plan_id = p.id and i.stage not in ('writtenOff', 'settled', 'cancelled')) as leader,
      (select coalesce(jsonb_agg(s.step), '[]') from plan_invoices o join case_steps s on s.invoice_id = o.invoice_id
         where o.plan_id = p.id and o.invoice_id <> c.invoice_id and s.status <> 'withdrawn'
           and starts_with(s.step, '~plan:' || p.id || ':')) as notes_elsewhere,
      exists (select 1 from plan_invoices o join disputes d on d.invoice_id = o.invoice_id
         where o.plan_id = p.id and d.status = 'open') as disputed,
      (select jsonb_agg(jsonb_build_object('n', n, 'dueOn', due_on, 'amountMinor', amount_minor::text) order by n)
         from plan_instalments where plan_id = p.id) as instalments
    from plan_invoices c join plans p on p.id = c.plan_id
    where c.invoice_id = any(${ids}::text[])
    order by p.seq`.execute(db);
  return rows.map((row) => ({
    invoice_id: row.invoice_id,
    id: row.id,
    status: row.status,
    agreedOn: row.agreed_on,
    endedOn: row.ended_on,
    graceDays: row.grace_days,
    instalments: row.instalments.map(({ n, dueOn, amountMinor }) => ({ n, dueOn, amountMinor: BigInt(amountMinor) })),
    totalMinor: row.total_minor,
    paidMinor: row.paid_minor,
    leads: row.leader === row.invoice_id,
    notesElsewhere: row.notes_elsewhere,
    disputed: row.disputed,
  }));
}

/** Its call was cancelled because money or credit came in: it is written again with the new amount. */
function needsRedraw(step: {
  status: string;
  channel: string;
  task_status: string | null;
  task_outcome: Record<string, unknown> | null;
}): boolean {
  if (step.status !== 'left' || step.channel !== 'call' || step.task_status !== 'cancelled') return false;
  const why = step.task_outcome?.['why'];
  return why === 'paymentAllocated' || why === 'creditNoted' || why === 'allocationReversed';
}

interface MovementRow {
  invoice_id: string;
  at: Instant;
  amount_minor: bigint;
  kind: Movement['kind'];
}

/**
 * Changes of the balance after registration, from the journal. An allocation posts to the receivable first what was paid or
 * credited, then the difference it tolerates; its undoing posts the same lines with the other sign.
 */
async function loadMovements(db: Db | Tx, ids: readonly string[]): Promise<MovementRow[]> {
  const { rows } = await sql<MovementRow>`
    select p.invoice_id, e.at, p.amount_minor,
      case when row_number() over (partition by p.entry_id, p.invoice_id order by p.line) > 1 then 'difference'
           when e.kind in ('writtenOff', 'writeOffUndone') then 'writeOff'
           when a.credit_note_id is not null then 'credit' else 'payment' end as kind
    from postings p
    join journal_entries e on e.id = p.entry_id
    left join allocations a on a.id = split_part(e.key, ':', 2)
    where p.invoice_id = any(${ids}::text[]) and p.account = 'receivable' and e.kind <> 'invoiceRegistered'
    order by e.id, p.line`.execute(db);
  return rows;
}

function by<T extends { invoice_id: string }>(rows: readonly T[]): Map<string, T[]> {
  const map = new Map<string, T[]>();
  for (const row of rows) {
    const list = map.get(row.invoice_id);
    if (list) list.push(row);
    else map.set(row.invoice_id, [row]);
  }
  return map;
}
