import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import { formatAmount } from '../../domain/money.ts';
import { ENDINGS, type Reached } from './endings.ts';
import type { Invariant } from './invariants.ts';
import { money } from './words.ts';

interface CaseRow {
  readonly number: string;
  readonly customer: string;
  readonly amount: bigint;
  readonly balance: bigint;
  readonly paid: bigint;
  readonly currency: string;
  readonly stage: string;
  readonly steps: string | null;
}

/** What every case did, one line each. */
export async function caseTable(db: Db): Promise<string[]> {
  const { rows } = await sql<CaseRow>`
    select i.number, c.name as customer, i.amount_minor as amount, i.balance_minor as balance, i.currency, i.stage,
      (select coalesce(sum(a.amount_minor), 0)::bigint from allocations a where a.invoice_id = i.id and a.receipt_id is not null
         and not exists (select 1 from allocation_reversals r where r.allocation_id = a.id)) as paid,
      (select string_agg(case s.status when 'merged' then '(' || s.step || ')' else s.step end, ' ' order by s.id)
         from case_steps s where s.invoice_id = i.id and s.status in ('left', 'merged')) as steps
    from invoices i join customers c on c.id = i.customer_id order by i.number`.execute(db);
  const table = rows.map((row) => {
    const show = (minor: bigint): string => money(formatAmount(minor, row.currency), row.currency);
    return [row.number, row.customer, show(row.amount), show(row.paid), show(row.balance), row.stage, stepsOf(row)];
  });
  return columns(
    [['invoice', 'customer', 'amount', 'paid', 'open', 'stage', 'steps taken (merged)'], ...table],
    [2, 3, 4],
  );
}

/** How cases end, one each, with where its paper was put. */
export function endingLines(reached: readonly Reached[], papers: ReadonlyMap<string, string>): string[] {
  const width = Math.max(...ENDINGS.map(({ title }) => widthOf(title)));
  return [
    'Endings',
    ...reached.flatMap(({ ending, customer, what, missing }) => [
      `${ending.title.padEnd(width)}  ${ending.number} ${customer}: ${missing === null ? what : `NOT REACHED, ${missing}`}`,
      `${' '.repeat(width)}  ${papers.get(ending.title) ?? 'no paper'}`,
    ]),
  ];
}

/** What was checked and whether it holds. */
export function invariantLines(invariants: readonly Invariant[]): string[] {
  return invariants.flatMap(({ name, checked, problems }) => [
    `${problems.length === 0 ? 'holds ' : 'BROKEN'}  ${name}: ${checked}`,
    ...problems.slice(0, 10).map((problem) => `          ${problem}`),
    ...(problems.length > 10 ? [`          and ${problems.length - 10} more`] : []),
  ]);
}

/** Thanks and notes about terms are no steps of a ladder, but messages of the case all the same. */
const stepsOf = ({ steps }: CaseRow): string =>
  (steps ?? '')
    .replaceAll('~thankYou', 'thanks')
    .replaceAll('~formalNotice', 'notice')
    .replaceAll('~placement', 'placement')
    .replaceAll('~writeOff', 'write-off')
    .replaceAll(/~plan:[^ )]*/g, 'terms');

const widthOf = (text: string): number => Array.from(text).length;

function columns(rows: readonly string[][], right: readonly number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const gap = ' '.repeat((widths[column] ?? 0) - widthOf(cell));
        return right.includes(column) ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd(),
  );
}
