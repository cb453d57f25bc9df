import { z } from 'zod';
import type { LocalDate } from '../../../time/dates.ts';
import { idField } from '../reading.ts';

/** What every event of Stripe gives to the reading of its object. */
export interface StripeEvent {
  id: string;
  type: string;
  /** The day of the event. */
  on: LocalDate;
  object: unknown;
  previous: unknown;
}

/** Another object, by its id or in full. */
export const reference = z
  .union([idField, z.object({ id: idField }).transform(({ id }) => id)])
  .nullish()
  .transform((id) => id ?? null);

/** Seconds since 1970, until 2100. */
export const epochSeconds = z.int().min(0).max(4_102_444_800);

/** In the smallest unit of the currency as Stripe counts it. */
export const amountField = z.int();

/** What Stripe booked on the account, where it is told in full and not by its id. Debits are negative, fees positive. */
export const balanceTransaction = z.object({ amount: amountField, fee: amountField, currency: z.string().max(10) });
