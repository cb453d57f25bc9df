import { systemAct } from '../../db/act.ts';
import { inTransaction, type Db } from '../../db/database.ts';
import type { CreditorRow } from '../../db/repositories/creditors.ts';
import type { CustomerRow } from '../../db/repositories/customers.ts';
import { registerInvoices as register } from '../../db/repositories/invoices.ts';
import { addCustomer } from '../../test/support/book.ts';

const CUSTOMERS = 500;
const AT_ONCE = 500;

/** As many open invoices as there are entries in the file, each of its amount and number, of 500 customers. */
export async function registerInvoices(db: Db, creditor: CreditorRow, now: number, count: number): Promise<void> {
  const clock = { now: () => now } as never;
  const customers: CustomerRow[] = [];
  for (let n = 0; n < Math.min(CUSTOMERS, count); n += 1) {
    customers.push(await addCustomer({ db, clock }, creditor, { reference: `B${n}`, name: `Customer ${n}` }));
  }
  for (let from = 0; from < count; from += AT_ONCE) {
    await inTransaction(db, (tx) =>
      register(
        tx,
        systemAct(now),
        creditor,
        Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => {
          const n = from + index;
          return {
            number: `BENCH-${String(n).padStart(6, '0')}`,
            customer: customers[n % customers.length]!,
            issuedOn: '2026-10-01',
            dueOn: '2026-11-01',
            amountMinor: BigInt(100 + (n % 900)) * 100n,
            currency: 'EUR',
          };
        }),
      ),
    );
  }
}
