import { sql } from 'kysely';
import type { SubledgerInvoice } from '../../domain/books/tables.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';

const BATCH = 1_000;

/** The invoices of a creditor that were owed or moved in a period, batch by batch, in the order in which they were added. */
export async function* subledgerInvoices(
  tx: Db | Tx,
  creditorId: string,
  { from, to }: { from: LocalDate; to: LocalDate },
): AsyncGenerator<SubledgerInvoice[]> {
  let after = 0n;
  for (;;) {
    const { rows } = await sql<{
      seq: bigint;
      reference: string;
      name: string;
      number: string;
      issued_on: LocalDate;
      due_on: LocalDate;
      currency: string;
      opening: bigint;
      movements: { on: LocalDate; kind: string; amount: string }[] | null;
    }>`
      with page as (
        select i.* from invoices i where i.creditor_id = ${creditorId} and i.seq > ${after.toString()}::bigint
        order by i.seq limit ${BATCH}
      )
      select i.seq, u.reference, u.name, i.number, i.issued_on, due_on_at(i.id, i.due_on, ${to}::date) as due_on, i.currency,
        coalesce(sum(p.amount_minor) filter (where e.on_date < ${from}::date), 0)::bigint as opening,
        jsonb_agg(jsonb_build_object('on', e.on_date, 'kind', e.kind, 'amount', p.amount_minor::text)
          order by e.on_date, e.id, p.line) filter (where e.on_date between ${from}::date and ${to}::date) as movements
      from page i
      join customers u on u.id = i.customer_id
      left join postings p on p.invoice_id = i.id and p.account = 'receivable'
      left join journal_entries e on e.id = p.entry_id
      group by i.seq, i.id, i.number, i.issued_on, i.due_on, i.currency, u.reference, u.name
      order by i.seq`.execute(tx);
    yield rows.map((row) => ({
      customer: row.reference,
      customerName: row.name,
      number: row.number,
      issuedOn: row.issued_on,
      dueOn: row.due_on,
      currency: row.currency,
      openingMinor: row.opening,
      movements: (row.movements ?? []).map(({ on, kind, amount }) => ({ on, kind, amountMinor: BigInt(amount) })),
    }));
    if (rows.length < BATCH) return;
    after = rows.at(-1)!.seq;
  }
}
