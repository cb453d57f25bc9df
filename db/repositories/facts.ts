import { sql } from 'kysely';
import type { CaseFacts, CustomerFacts, Movement, StepFact } from '../../domain/case/facts.ts';
import { approvalKey, isAside, PLACEMENT, WRITE_OFF } from '../../domain/case/requests.ts';
import { warningKey } from '../../domain/case/limitation-warnings.ts';
import { RELEASES } from '../../domain/case/rebuild.ts';
import { isRedrawn } from '../../domain/case/redraw.ts';
import { earlier, type LocalDate } from '../../domain/time/dates.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import type { Db, Tx } from '../database.ts';
import { loadPlans, noticeOf, placementOf } from './branch-facts.ts';
import { loadShared, type HolidaysOf, type Shared } from './customer-facts.ts';
import { loadMovements } from './movements.ts';
import { pinnedPolicy } from './pinned-policies.ts';

const OPEN_STAGES = ['upcoming', 'reminding', 'formalNotice', 'placed'] as const;

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
      .where('kind', 'in', ['entryReview', 'ladderEnded', 'timeBarred', 'limitationNear', 'collectionMissing'])
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
      // Once the principal is paid, what is claimed besides is what is asked for.
      balanceMinor: row.balance_minor + row.accessories_minor,
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
        redraw: s === live.at(-1) && !isAside(s.step) && isRedrawn(s, s.task_status, textOf(s.task_outcome?.['why'])),
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
        if (t.kind === 'limitationNear') return [warningKey(String(t.data['on']), Number(t.data['days']))];
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

function by<T extends { invoice_id: string }>(rows: readonly T[]): Map<string, T[]> {
  const map = new Map<string, T[]>();
  for (const row of rows) {
    const list = map.get(row.invoice_id);
    if (list) list.push(row);
    else map.set(row.invoice_id, [row]);
  }
  return map;
}
