import type { CreditorRow } from '../db/repositories/creditors.ts';
import type { CustomerRow } from '../db/repositories/customers.ts';
import { addressLines } from '../domain/address.ts';
import type { StatementParty } from '../domain/books/statement.ts';

/** A creditor or customer as papers about an account show it. */
export const statementParty = (row: CreditorRow | CustomerRow): StatementParty => ({
  name: row.name,
  // Where no address is known the country says at least where they are.
  addressLines: row.address === null ? [row.country] : addressLines(row.address),
  registration: row.registration_id,
  vatId: row.vat_id,
  email: null,
});
