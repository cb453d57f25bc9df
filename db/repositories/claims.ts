import { sql } from 'kysely';
import { FORMAL_NOTICE } from '../../domain/case/requests.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  claimOf,
  type AccessoryMovement,
  type Claim,
  type ClaimFacts,
  type PrincipalMovement,
} from '../../domain/law/claim.ts';
import { claimedFrom } from '../../domain/law/claimed.ts';
import { RateUnknown } from '../../domain/law/rates.ts';
import { dueDateHolidays } from '../../domain/law/national-holidays.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import type { InterestPolicy } from '../../domain/policy/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import { loadRates } from './rates.ts';

/** What a claim on an invoice follows from, and from when the policy that its case pins claims more than the principal. */
export interface InvoiceClaim {
  facts: ClaimFacts;
  interest: InterestPolicy | null;
  /** Null while only the principal is claimed. */
  claimedFrom: LocalDate | null;
}

/**
 * The claim on an invoice at the end of `asOf`, as if all of it were claimed then. Throws `notFound` and, where a
 * reference rate it needs is not known, `rateUnknown`.
 */
export async function claimFor(db: Db | Tx, invoiceId: string, asOf: LocalDate): Promise<Claim> {
  const { facts } = await loadInvoiceClaim(db, invoiceId);
  return claimOf(facts, await loadRates(db), asOf);
}

/** What the policy claims on an invoice at the end of `asOf`; null where that is the principal alone, or a rate is not known. */
export async function claimedBy(db: Db | Tx, invoiceId: string, asOf: LocalDate): Promise<Claim | null> {
  const { facts, claimedFrom: from } = await loadInvoiceClaim(db, invoiceId);
  if (from === null || from > asOf) return null;
  try {
    return claimOf(facts, await loadRates(db), asOf);
  } catch (error) {
    if (error instanceof RateUnknown) return null;
    throw error;
  }
}

/** What decides whether more than the principal is claimed, and the rest of the facts, which few invoices need. */
interface ClaimFrame extends Omit<InvoiceClaim, 'facts'> {
  country: string;
  facts: () => Promise<ClaimFacts>;
}

/** Everything a claim on an invoice follows from. Throws `notFound`. */
export async function loadInvoiceClaim(db: Db | Tx, invoiceId: string): Promise<InvoiceClaim> {
  const { interest, claimedFrom: from, facts } = await loadClaimFrame(db, invoiceId);
  return { interest, claimedFrom: from, facts: await facts() };
}

/** Throws `notFound`. */
export async function loadClaimFrame(db: Db | Tx, invoiceId: string): Promise<ClaimFrame> {
  const row = await db
    .selectFrom('invoices as i')
    .innerJoin('customers as u', 'u.id', 'i.customer_id')
    .leftJoin('policies as p', (on) =>
      on
        .onRef('p.creditor_id', '=', 'i.creditor_id')
        .onRef('p.name', '=', 'i.policy_name')
        .onRef('p.version', '=', 'i.policy_version'),
    )
    .select(['i.amount_minor', 'i.currency', 'i.due_on', 'i.issued_on', 'u.country', 'u.kind', 'p.document as policy'])
    .select([
      sql<LocalDate | null>`(select min(coalesce(c.delivered_on, c.refused_on))
        from contacts c join contact_items t on t.contact_id = c.id
        where t.invoice_id = i.id and c.kind = 'formalNotice')`.as('notice_received_on'),
      sql<LocalDate | null>`(select min(s.left_on) from case_steps s where s.invoice_id = i.id
        and s.step = ${FORMAL_NOTICE} and s.status = 'left')`.as('notice_left_on'),
      // Interest on a claim of before the judgment has ended; one that came of nothing never ended it.
      sql<LocalDate | null>`(select min(n.judgment_on) from insolvencies n where n.customer_id = u.id
        and i.issued_on <= n.judgment_on and (n.outcome is null or n.outcome <> 'withdrawn'))`.as('judgment_on'),
    ])
    .where('i.id', '=', invoiceId)
    .executeTakeFirst();
  if (!row) throw new DomainError('notFound', 'There is no such invoice.');
  const interest = row.policy === null ? null : (parsePolicy(row.policy).interest ?? null);
  const year = Number(row.due_on.slice(0, 4));
  const facts = async (): Promise<ClaimFacts> => ({
    country: row.country,
    kind: row.kind,
    currency: row.currency,
    amountMinor: row.amount_minor,
    dueOn: row.due_on,
    contractRate: interest?.contractRate ?? null,
    ...(await movementsOf(db, invoiceId)),
    costs: await costsOf(db, invoiceId),
    noticeReceivedOn: row.notice_received_on,
    judgmentOn: row.judgment_on,
    lateInstalments: [],
    holidays: dueDateHolidays(row.country, year, year + 1),
  });
  const stepLeftOn = await leftOn(db, invoiceId, interest?.claim ?? null);
  return {
    country: row.country,
    facts,
    interest,
    claimedFrom: claimedFrom(interest, { dueOn: row.due_on, noticeLeftOn: row.notice_left_on, stepLeftOn }),
  };
}

async function leftOn(db: Db | Tx, invoiceId: string, step: string | null): Promise<LocalDate | null> {
  if (step === null || ['never', 'always', 'fromNotice'].includes(step)) return null;
  const row = await db
    .selectFrom('case_steps')
    .select((eb) => eb.fn.min('left_on').as('on'))
    .where('invoice_id', '=', invoiceId)
    .where('step', '=', step)
    .where('status', '=', 'left')
    .executeTakeFirst();
  return row?.on ?? null;
}

/** Where money that was taken back counts from: an allocation undone by a person never was, one returned was for a while. */
const STANDS = sql.raw(`(r.allocation_id is null or r.reason = 'returned')`);

/** The day on which an allocation, its undoing or another entry changed what is owed. */
const EFFECTIVE_ON = sql.raw(`case
  when e.kind = 'allocationUndone' then coalesce(
    (select max(b.booked_on) from receipt_returns b where b.receipt_id = a.receipt_id and b.booked_on <= r.on_date), r.on_date)
  when a.id is null then e.on_date
  else coalesce(m.booked_on, n.issued_on, e.on_date) end`);

type MovementRow = [
  on: LocalDate,
  amount: string,
  account: 'receivable' | AccessoryMovement['part'],
  kind: PrincipalMovement['kind'],
  waived: boolean,
];

/** What moved principal, interest, compensation and costs of an invoice since it was registered, in the order of the journal. */
async function movementsOf(db: Db | Tx, invoiceId: string): Promise<Pick<ClaimFacts, 'movements' | 'accessories'>> {
  // Two branches, each with an index of its own; one row, since hundreds cost the driver more than the database.
  const { rows } = await sql<{ moves: MovementRow[] }>`
    select coalesce(json_agg(json_build_array(q."on", q.amount_minor::text, q.account, q.kind, q.waived)
      order by q.id, q.line), '[]') as moves
    from (
      select e.id, p.line, ${EFFECTIVE_ON} as "on", p.amount_minor, p.account, e.kind = 'accessoriesWaived' as waived,
        case when row_number() over (partition by p.entry_id, p.account order by p.line) > 1 then 'difference'
             when e.kind in ('writtenOff', 'writeOffUndone') then 'writeOff'
             when a.credit_note_id is not null then 'credit' else 'payment' end as kind
      from (
        select entry_id, line, account, amount_minor from postings
        where invoice_id = ${invoiceId} and account = 'receivable'
        union all
        select entry_id, line, account, amount_minor from postings
        where invoice_id = ${invoiceId} and account in ('interest', 'compensation', 'costs')
      ) as p
      join journal_entries e on e.id = p.entry_id
      left join allocations a on a.invoice_id = ${invoiceId} and a.id = split_part(e.key, ':', 2)
        and e.kind in ('allocated', 'creditAllocated', 'allocationUndone', 'interestCorrected')
      left join allocation_reversals r on r.allocation_id = a.id
      left join receipts m on m.id = a.receipt_id
      left join credit_notes n on n.id = a.credit_note_id
      where e.kind <> 'invoiceRegistered' and ${STANDS}
    ) as q`.execute(db);
  const moves = rows[0]!.moves;
  return {
    movements: moves.flatMap(([on, amount, account, kind]) =>
      account === 'receivable' ? [{ on, amountMinor: BigInt(amount), kind }] : [],
    ),
    accessories: moves.flatMap(([on, amount, account, , waived]): AccessoryMovement[] =>
      account === 'receivable'
        ? []
        : [{ on, part: account, amountMinor: -BigInt(amount), how: waived ? 'waived' : 'paid' }],
    ),
  };
}

async function costsOf(db: Db | Tx, invoiceId: string): Promise<ClaimFacts['costs']> {
  const rows = await db
    .selectFrom('claim_costs')
    .select(['on_date', 'amount_minor'])
    .where('invoice_id', '=', invoiceId)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ on: row.on_date, amountMinor: row.amount_minor }));
}
