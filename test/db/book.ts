import { parsePolicy } from '../../domain/policy/parse.ts';
import { systemAct, type Act } from '../../db/act.ts';
import { createDatabase, inTransaction, type Db } from '../../db/database.ts';
import { createCreditor, findCreditor, type CreditorRow } from '../../db/repositories/creditors.ts';
import { createCustomer, type CustomerRow } from '../../db/repositories/customers.ts';
import { newId } from '../../db/ids.ts';
import { registerInvoice } from '../../db/repositories/invoices.ts';
import { recordReceipt } from '../../db/repositories/receipts.ts';
import { putPolicy } from '../../db/repositories/policies.ts';
import { createTestDatabase } from '../support/servers.ts';

/** Monday 2 March 2026, ten o'clock in Paris. */
export const NOW = Date.parse('2026-03-02T09:00:00Z');

export const act: Act = systemAct(NOW);

export const noHolidays = () => new Set<string>();

export interface Book {
  db: Db;
  /** Of its database, for a pool of another size. */
  url: string;
  creditor: CreditorRow;
  drop(): Promise<void>;
}

export const POLICY = {
  name: 'plain',
  steps: [{ key: 'reminder', day: 5, from: 'due', channel: 'email', template: 'reminder' }],
  tolerance: { EUR: '0.10' },
  unappliedCash: { holdShare: '0.5', holdWorkingDays: 3 },
};

/** A creditor with one policy in a database of its own. */
export async function openBook(policy: object = POLICY, max = 10): Promise<Book> {
  const database = await createTestDatabase();
  const db = createDatabase(database.url, { max });
  const creditor = await addCreditor(db, policy);
  return {
    db,
    url: database.url,
    creditor,
    drop: async () => {
      await db.destroy();
      await database.drop();
    },
  };
}

export async function addCreditor(db: Db, policy: object = POLICY): Promise<CreditorRow> {
  return inTransaction(db, async (tx) => {
    const id = await createCreditor(tx, act, {
      name: 'Atelier',
      country: 'FR',
      timeZone: 'Europe/Paris',
      locale: 'fr',
      senderEmail: 'books@atelier.example',
      replyTo: null,
      address: null,
      registrationId: null,
      vatId: null,
      iban: null,
      defaultPolicy: 'plain',
      paymentDays: 30,
      closedWeeks: [],
    });
    await putPolicy(tx, act, id, parsePolicy(policy));
    return (await findCreditor(tx, id)) as CreditorRow;
  });
}

let customers = 0;

export async function addCustomer({ db, creditor }: Book, name = 'Client'): Promise<CustomerRow> {
  const home = { id: creditor.id, country: 'FR', locale: 'fr', timeZone: creditor.time_zone };
  customers += 1;
  const reference = `C${customers}`;
  return inTransaction(db, async (tx) => (await createCustomer(tx, act, home, { reference, name })).customer);
}

export interface InvoiceWish {
  number?: string;
  amountMinor?: bigint;
  currency?: string;
  dueOn?: string;
  references?: string[];
  collection?: { method: 'transfer' | 'directDebit'; on: string | null };
}

let numbers = 0;

/** An invoice over 100.00 EUR that fell due on 1 February 2026, unless wished otherwise. */
export async function addInvoice(book: Book, customer: CustomerRow, wish: InvoiceWish = {}): Promise<string> {
  numbers += 1;
  const { invoiceId } = await inTransaction(book.db, (tx) =>
    registerInvoice(tx, act, book.creditor, {
      number: wish.number ?? `INV-2026-${String(numbers).padStart(4, '0')}`,
      customer,
      issuedOn: '2026-01-02',
      dueOn: wish.dueOn ?? '2026-02-01',
      amountMinor: wish.amountMinor ?? 10_000n,
      currency: wish.currency ?? 'EUR',
      references: wish.references ?? [],
      ...(wish.collection ? { collection: wish.collection } : {}),
    }),
  );
  return invoiceId;
}

export async function addReceipt(book: Book, amountMinor: bigint, currency = 'EUR'): Promise<string> {
  const bookedOn = '2026-03-02';
  return inTransaction(book.db, (tx) =>
    recordReceipt(tx, act, { creditorId: book.creditor.id, bookedOn, amountMinor, currency }),
  );
}

export async function addFeed({ db, creditor }: Book): Promise<string> {
  const id = newId('fee');
  await db
    .insertInto('feeds')
    .values({ id, creditor_id: creditor.id, kind: 'standard', name: 'Account', created_at: new Date(NOW) })
    .execute();
  return id;
}

export async function invoiceOf(db: Db, id: string) {
  return db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

export async function receiptOf(db: Db, id: string) {
  return db.selectFrom('receipts').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

export async function kindsOnTimeline(db: Db, invoiceId: string): Promise<string[]> {
  const rows = await db.selectFrom('events').select('kind').where('invoice_id', '=', invoiceId).orderBy('n').execute();
  return rows.map(({ kind }) => kind);
}

/** Closes a case as its last turn would. */
export async function closeCase(db: Db, invoiceId: string, stage: 'settled' | 'cancelled', before: 'reminding') {
  await db.updateTable('invoices').set({ stage }).where('id', '=', invoiceId).execute();
  await db
    .updateTable('case_runs')
    .set({ closed_on: '2026-03-02', closed_stage: stage, stage_before: before })
    .where('invoice_id', '=', invoiceId)
    .execute();
}

/** The code of the DomainError that a promise is refused with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'accepted',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}
