import { CUSTOMERS, INVOICES, type BookInvoice, type CustomerKey } from './book.ts';
import type { Client } from './client.ts';
import type { Progress } from './progress.ts';
import { numberOf } from './story.ts';

/** What has come of a deed: what to keep of it, and what to tell; `notYet` when it has to wait for Relance. */
export type Outcome = { readonly keep?: unknown; readonly tell: string | null } | 'notYet';

/** What deeds are done on: the service, and what has been done so far. */
export interface Stage {
  readonly client: Client;
  readonly progress: Progress;
  /** The workshop. */
  readonly creditorId: string;
}

export interface WithId {
  readonly id: string;
}

export interface Task extends WithId {
  readonly kind: string;
  readonly status: string;
  readonly step: string | null;
  readonly invoiceId: string | null;
  readonly customerId: string | null;
  readonly openedAt: string;
}

export const customerId = ({ progress }: Stage, key: string): string => progress.of<WithId>(`customer:${key}`).id;
export const invoiceId = ({ progress }: Stage, number: number): string =>
  progress.of<WithId>(`invoice:${numberOf(number)}`).id;
export const bookOf = (number: number): BookInvoice => INVOICES.find((one) => one.number === numberOf(number))!;
export const nameOf = (key: string): string => CUSTOMERS[key as CustomerKey].name;
export const payerOf = (number: number): string => nameOf(bookOf(number).customer);
