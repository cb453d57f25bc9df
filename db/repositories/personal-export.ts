import { sql } from 'kysely';
import { formatAmount } from '../../domain/money.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import type { Db } from '../database.ts';
import type { CustomerRow } from './customers.ts';

/** A table that holds something about a customer. */
interface Section {
  name: string;
  table: string;
  /** By what its rows belong to the customer. */
  of: 'customer' | 'invoice';
  /** Its unique column, by which it is read in pages. */
  key: 'seq' | 'id';
  /** Columns that say nothing about anybody. */
  without?: readonly string[];
}

/** Everything kept about a customer, in the order of the document. A table that is added for customers belongs here. */
const SECTIONS: readonly Section[] = [
  { name: 'invoices', table: 'invoices', of: 'customer', key: 'seq', without: ['event_hash'] },
  { name: 'creditNotes', table: 'credit_notes', of: 'customer', key: 'seq' },
  { name: 'receipts', table: 'receipts', of: 'customer', key: 'seq' },
  { name: 'remittanceAdvices', table: 'remittance_advices', of: 'customer', key: 'seq' },
  { name: 'allocations', table: 'allocations', of: 'invoice', key: 'seq' },
  { name: 'promises', table: 'promises', of: 'invoice', key: 'seq' },
  { name: 'disputes', table: 'disputes', of: 'invoice', key: 'seq' },
  { name: 'holds', table: 'holds', of: 'customer', key: 'seq' },
  { name: 'plans', table: 'plans', of: 'customer', key: 'seq' },
  { name: 'placements', table: 'placements', of: 'customer', key: 'seq' },
  { name: 'insolvencies', table: 'insolvencies', of: 'customer', key: 'seq' },
  { name: 'inboundMessages', table: 'inbound_messages', of: 'customer', key: 'seq' },
  { name: 'contacts', table: 'contacts', of: 'customer', key: 'seq', without: ['body_html'] },
  { name: 'documents', table: 'documents', of: 'customer', key: 'seq' },
  { name: 'tasks', table: 'tasks', of: 'customer', key: 'seq' },
  { name: 'commands', table: 'commands', of: 'invoice', key: 'id' },
  { name: 'steps', table: 'case_steps', of: 'customer', key: 'id' },
  { name: 'events', table: 'events', of: 'invoice', key: 'id' },
];

const PAGE = 200;

/**
 * The document of everything kept about a customer (GDPR, articles 15 and 20), as pieces of JSON text: it is never whole
 * in memory. Bytes of documents are left out: `GET /v1/invoices/{id}/documents/{docId}` has them.
 */
export async function* exportCustomer(db: Db, customer: CustomerRow): AsyncGenerator<string> {
  yield `{"customer":${JSON.stringify(exported(customer))}`;
  const emails = customer.contacts.flatMap((p) => (p.email ? [p.email.toLowerCase()] : []));
  const stopped = await db
    .selectFrom('stopped_addresses')
    .selectAll()
    .where('creditor_id', '=', customer.creditor_id)
    .where('email', 'in', emails.length > 0 ? emails : [''])
    .execute();
  yield `,"stoppedAddresses":${JSON.stringify(stopped.map((row) => exported(row)))}`;
  const payers = await db
    .selectFrom('known_payers')
    .select(['kind', 'value', 'matches'])
    .where('customer_id', '=', customer.id)
    .orderBy('kind')
    .orderBy('value')
    .execute();
  yield `,"knownPayers":${JSON.stringify(payers)}`;
  for (const section of SECTIONS) {
    yield `,${JSON.stringify(section.name)}:[`;
    let first = true;
    let after: string | bigint | null = null;
    for (;;) {
      const rows: Record<string, unknown>[] = await readSection(db, section, customer.id, after);
      for (const row of rows) {
        yield `${first ? '' : ','}${JSON.stringify(exported(row, section.without))}`;
        first = false;
      }
      if (rows.length < PAGE) break;
      after = rows.at(-1)![section.key] as string | bigint;
    }
    yield ']';
  }
  yield '}';
}

async function readSection(
  db: Db,
  { table, of, key }: Section,
  customerId: string,
  after: string | bigint | null,
): Promise<Record<string, unknown>[]> {
  const text = table === 'events' ? sql`, (select x.text from event_texts x where x.event_id = t.id) as text` : sql``;
  const behind = after === null ? sql`` : sql`and t.${sql.ref(key)} > ${after}`;
  const { rows } = await (
    of === 'customer'
      ? sql<Record<string, unknown>>`
        select t.* from ${sql.table(table)} t where t.customer_id = ${customerId} ${behind}
        order by t.${sql.ref(key)} limit ${PAGE}`
      : sql<Record<string, unknown>>`
        select i.currency, t.* ${text} from ${sql.table(table)} t join invoices i on i.id = t.invoice_id
        where i.customer_id = ${customerId} ${behind} order by t.${sql.ref(key)} limit ${PAGE}`
  ).execute(db);
  return rows;
}

/** Columns under their names on the API; amounts as decimals where the currency is known, moments in UTC; no bytes. */
function exported(row: object, without: readonly string[] = []): Record<string, unknown> {
  const { currency } = row as { currency?: unknown };
  return Object.fromEntries(
    Object.entries(row).flatMap(([column, value]): [string, unknown][] => {
      if (column === 'seq' || column === 'creditor_id' || Buffer.isBuffer(value) || without.includes(column)) return [];
      const name = column.replace(/_minor$/, '').replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (typeof value === 'bigint') {
        const isAmount = column.endsWith('_minor') && typeof currency === 'string';
        return [[name, isAmount ? formatAmount(value, currency) : String(value)]];
      }
      if (typeof value === 'number' && /(^|_)(at|real)$/.test(column)) return [[name, isoInstant(value)]];
      return [[name, value]];
    }),
  );
}
