import { sql } from 'kysely';
import type { Movement } from '../../domain/case/facts.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Db, Tx } from '../database.ts';

export interface MovementRow {
  invoice_id: string;
  at: Instant;
  amount_minor: bigint;
  kind: Movement['kind'];
}

/**
 * Changes of the balance after registration, from the journal. An allocation posts to the receivable first what was paid or
 * credited, then the difference it tolerates; its undoing posts the same lines with the other sign.
 */
export async function loadMovements(db: Db | Tx, ids: readonly string[]): Promise<MovementRow[]> {
  const { rows } = await sql<MovementRow>`
    select p.invoice_id, e.at, p.amount_minor,
      case when row_number() over (partition by p.entry_id, p.invoice_id order by p.line) > 1 then 'difference'
           when e.kind in ('writtenOff', 'writeOffUndone') then 'writeOff'
           when a.credit_note_id is not null or e.kind = 'interestCorrected' then 'credit' else 'payment' end as kind
    from postings p
    join journal_entries e on e.id = p.entry_id
    left join allocations a on a.id = split_part(e.key, ':', 2)
    where p.invoice_id = any(${ids}::text[]) and p.account = 'receivable' and e.kind <> 'invoiceRegistered'
    order by e.id, p.line`.execute(db);
  return rows;
}
