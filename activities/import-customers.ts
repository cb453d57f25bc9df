import { createHash } from 'node:crypto';
import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import type { CreditorRow } from '../db/repositories/creditors.ts';
import { resolveCustomers, type CustomerMention, type CustomerRow } from '../db/repositories/customers.ts';
import { customersAlike, customersByReference } from '../db/repositories/imports.ts';
import type { Address } from '../db/types.ts';
import { DomainError } from '../domain/errors.ts';
import { LIMITS, type ImportedAddress, type ImportedCustomer } from '../domain/imports/document.ts';

/** Customers by key; a `DomainError` says why there is none. */
export type FoundCustomers = Map<string, CustomerRow | DomainError>;

/** What an import calls its customers by: their reference, else what else tells them apart. */
export function customerKey(customer: ImportedCustomer): string {
  return customer.reference !== null ? `reference:${customer.reference}` : `alike:${identity(customer)}`;
}

const identity = (customer: ImportedCustomer): string =>
  customer.registrationId ?? customer.vatId ?? customer.name ?? '';

/**
 * Finds the customers that the rows of one import name, and adds those that are not known yet with what the file says
 * of them. A known customer stays as it is: whoever it was entered by knows better than a list of invoices.
 *
 * Who is meant: the one with the reference. Where there is none, and for the unknown reference of an e-invoice, the one
 * with the same registration number, else VAT number, else name. A name counts only where nothing contradicts it, and
 * never for somebody who was given another reference: what one owes is not the business of a namesake.
 */
export class CustomerDirectory {
  private readonly creditor: CreditorRow;
  private readonly structured: boolean;
  private readonly said = new Map<string, ImportedCustomer>();
  private readonly known = new Map<string, CustomerRow>();

  /** `structured`: the file is an e-invoice. */
  constructor(creditor: CreditorRow, structured: boolean) {
    this.creditor = creditor;
    this.structured = structured;
  }

  /** Takes in what a row says; of several rows each detail counts where it comes first, wherever in the file that is. */
  learn(customer: ImportedCustomer): void {
    const key = customerKey(customer);
    const before = this.said.get(key);
    if (!before) {
      this.said.set(key, customer);
      return;
    }
    if (Object.values(before).includes(null)) {
      const rest = Object.entries(before).filter(([, value]) => value !== null);
      this.said.set(key, { ...customer, ...Object.fromEntries(rest) });
    }
  }

  /** The customers of these rows; `created` are the keys of those that are new. Nothing is remembered before `keep`. */
  async resolve(
    tx: Tx,
    act: Act,
    customers: readonly ImportedCustomer[],
  ): Promise<{ found: FoundCustomers; created: Set<string> }> {
    const wanted = new Map(customers.map((one) => [customerKey(one), one]));
    const found: FoundCustomers = new Map();
    const unknown = new Map<string, ImportedCustomer>();
    for (const [key, customer] of wanted) {
      const known = this.known.get(key);
      if (known) found.set(key, known);
      else unknown.set(key, this.said.get(key) ?? customer);
    }
    const created = new Set<string>();
    await this.byReference(tx, act, unknown, found, created);
    for (const [key, customer] of unknown) {
      if (!found.has(key)) found.set(key, await this.alike(tx, act, customer, () => created.add(key)));
    }
    return { found, created };
  }

  /** Remembers what was found, once its transaction is committed. */
  keep(found: FoundCustomers): void {
    for (const [key, customer] of found) if (!(customer instanceof DomainError)) this.known.set(key, customer);
  }

  /** Finds, and for tables adds, all that have a reference, in a few statements. */
  private async byReference(
    tx: Tx,
    act: Act,
    unknown: ReadonlyMap<string, ImportedCustomer>,
    found: FoundCustomers,
    created: Set<string>,
  ): Promise<void> {
    const referenced = [...unknown].flatMap(([key, customer]) =>
      customer.reference === null ? [] : [{ key, customer, reference: customer.reference }],
    );
    const rows = await customersByReference(
      tx,
      this.creditor.id,
      referenced.map(({ reference }) => reference),
    );
    const fresh = referenced.filter(({ key, reference }) => {
      const row = rows.get(reference);
      if (row) found.set(key, row);
      return !row;
    });
    if (this.structured) return;
    const named = fresh.filter(({ key, customer }) => {
      if (customer.name === null) found.set(key, nameless());
      return customer.name !== null;
    });
    if (named.length === 0) return;
    const mentions = named.map(({ customer, reference }) => this.mention(customer, reference));
    const added = await resolveCustomers(tx, act, this.home(), mentions, 'reuse');
    for (const { key, reference } of named) {
      found.set(key, added.customers.get(reference)!);
      if (added.created.has(reference)) created.add(key);
    }
  }

  /** The one customer that is like this one, else a new one. */
  private async alike(
    tx: Tx,
    act: Act,
    customer: ImportedCustomer,
    isNew: () => void,
  ): Promise<CustomerRow | DomainError> {
    const match = (await this.byNumber(tx, customer)) ?? (await this.byName(tx, customer));
    if (match) return match;
    if (customer.name === null) return nameless();
    const reference = customer.reference ?? standIn(identity(customer));
    const mention = this.mention(customer, reference);
    const { customers, created } = await resolveCustomers(tx, act, this.home(), [mention], 'reuse');
    if (created.has(reference)) isNew();
    return customers.get(reference)!;
  }

  private async byNumber(tx: Tx, customer: ImportedCustomer): Promise<CustomerRow | DomainError | null> {
    for (const by of ['registrationId', 'vatId'] as const) {
      const value = customer[by];
      if (value === null) continue;
      const rows = await customersAlike(tx, this.creditor.id, by, value);
      const [only, ...others] = rows.length > 1 ? rows.filter((row) => row.name === customer.name) : rows;
      if (only && others.length === 0) return only;
      if (rows.length > 0) return ambiguous(rows.length, by === 'vatId' ? 'VAT number' : 'registration number');
    }
    return null;
  }

  private async byName(tx: Tx, customer: ImportedCustomer): Promise<CustomerRow | DomainError | null> {
    if (customer.name === null) return null;
    const rows = (await customersAlike(tx, this.creditor.id, 'name', customer.name)).filter(
      (row) =>
        agree(row.registration_id, customer.registrationId) &&
        agree(row.vat_id, customer.vatId) &&
        agree(row.country, customer.country) &&
        (customer.reference === null || hasStandIn(row)),
    );
    if (rows.length > 1) return ambiguous(rows.length, 'name');
    return rows[0] ?? null;
  }

  private home() {
    const { id, country, locale, time_zone: timeZone } = this.creditor;
    return { id, country, locale, timeZone };
  }

  /** What is said of a new customer; the rest is filled in from the creditor and the country. */
  private mention(customer: ImportedCustomer, reference: string): CustomerMention {
    return {
      reference,
      name: customer.name ?? undefined,
      kind: customer.kind ?? undefined,
      country: customer.country ?? undefined,
      locale: customer.locale ?? undefined,
      registrationId: customer.registrationId,
      vatId: customer.vatId,
      address: postalAddress(customer.address, customer.country ?? this.creditor.country),
      contacts: customer.email === null ? [] : [{ role: 'billing', email: customer.email }],
    };
  }
}

const agree = (stored: string | null, said: string | null): boolean =>
  stored === null || said === null || stored === said;

/** A customer without a number of its own is filed under what it is called; what is longer than a reference may be is cut, with a mark of the whole. */
function standIn(text: string): string {
  if (text.length <= LIMITS.number) return text;
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${text.slice(0, LIMITS.number - mark.length - 1)}~${mark}`;
}

const hasStandIn = (row: CustomerRow): boolean =>
  [row.registration_id, row.vat_id, row.name].some((text) => text !== null && standIn(text) === row.reference);

/** Only an address that a letter can be sent to. */
function postalAddress(address: ImportedAddress | null, country: string): Address | null {
  if (address === null || address.postalCode === null || address.city === null) return null;
  const { lines, postalCode, city } = address;
  const fits =
    lines.length > 0 &&
    lines.length <= 6 &&
    lines.every((line) => line.length <= 200) &&
    postalCode.length <= 20 &&
    city.length <= 120;
  return fits ? { lines, postalCode, city, country: address.country ?? country } : null;
}

function nameless(): DomainError {
  const message = 'A customer that is not known yet needs a name.';
  return new DomainError('unknownCustomer', message, [{ pointer: '/customer/name', code: 'required', message }]);
}

function ambiguous(count: number, what: string): DomainError {
  const message = `${count} customers have this ${what}; only a reference says which one is meant.`;
  return new DomainError('customerAmbiguous', message, [
    { pointer: '/customer/reference', code: 'customerAmbiguous', message },
  ]);
}
