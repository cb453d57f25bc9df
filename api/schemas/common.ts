import { z } from 'zod';
import { DomainError } from '../../domain/errors.ts';
import { isCurrency, parseAmount } from '../../domain/money.ts';
import { isLocalDate } from '../../domain/time/dates.ts';
import { isTimeZone } from '../../domain/time/zones.ts';

/**
 * Shapes that all resources share. Nothing here transforms: what is documented is what is taken and answered. Objects
 * are strict, so an unknown field is a fault.
 */

// C0 without tab and line breaks, DEL, C1, and halves of surrogate pairs: PostgreSQL cannot hold NUL, UTF-8 no halves.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/u;
// oxlint-disable-next-line no-control-regex
const LINE_BREAK = /[\t\n\r\u2028\u2029]/;

const printable = (value: string): boolean => !UNPRINTABLE.test(value);

/** One line of text, 1 to `max` UTF-16 units, not blank. */
export const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => printable(value) && !LINE_BREAK.test(value), { error: 'holds a character that is not text' })
    .refine((value) => value === '' || value.trim() !== '', { error: 'is blank' });

/** Free text of several lines. */
export const prose = (max: number) =>
  z.string().min(1).max(max).refine(printable, { error: 'holds a character that is not text' });

const ID = '[0-9a-z]{26}';

/** An id of one kind in a body or query. */
export const id = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_${ID}$`), `is not an id of the kind ${prefix}_…`)
    .meta({ example: `${prefix}_01jd3k8x7v5r2m9t4w6y0b1c2d` });

/** `{id}` in a path. */
export const idParams = (prefix: string) => z.object({ id: id(prefix) });

export const localDate = z
  .string()
  .refine(isLocalDate, { error: 'is not a date (YYYY-MM-DD)', params: { code: 'dateInvalid' } })
  .meta({ format: 'date', example: '2026-11-20', description: 'A date in the creditor’s time zone.' });

export const instant = z
  .string()
  .meta({ format: 'date-time', example: '2026-11-20T09:00:00.000Z', description: 'A moment in UTC.' });

export const currency = z
  .string()
  .refine(isCurrency, { error: 'is not an ISO 4217 currency', params: { code: 'unknownCurrency' } })
  .meta({ example: 'EUR' });

/** A positive decimal text; how many decimals it may have is judged where its currency is known. */
export const amount = z
  .string()
  .max(24)
  .regex(/^\d+(\.\d+)?$/, 'is not an amount: write digits with a point, like "1200.00"')
  .meta({ example: '1200.00', description: 'Decimal text in the currency beside it, without a sign.' });

/** An amount as it is answered: full scale of its currency. */
export const amountOut = z.string().meta({ example: '1200.00' });

export const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'is not an ISO 3166 country code')
  .meta({ example: 'FR' });

export const timeZone = z
  .string()
  .refine(isTimeZone, { error: 'is not a name of the IANA time zone database', params: { code: 'timeZoneInvalid' } })
  .meta({ example: 'Europe/Paris' });

/** A BCP 47 tag; texts exist in French, German and English, everything else is written to in English. */
export const locale = z
  .string()
  .max(35)
  .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'is not a language tag such as fr or fr-FR')
  .meta({ example: 'fr' });

export const email = z.email().max(254).meta({ example: 'billing@example.com' });

export const address = z
  .strictObject({
    lines: z.array(line(200)).min(1).max(6),
    postalCode: line(20),
    city: line(120),
    country,
  })
  .meta({ id: 'Address', example: { lines: ['1 rue de la Paix'], postalCode: '75002', city: 'Paris', country: 'FR' } });

export const policyName = z
  .string()
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}$/, 'is not a policy name: letters, digits, dots, underscores and hyphens')
  .meta({ example: 'fr-business' });

/** Whether an amount text is a positive amount of its currency: the code of what is wrong, or `null`. */
export function amountFault(text: string, code: string): { code: string; message: string } | null {
  try {
    if (parseAmount(text, code) > 0n) return null;
    return { code: 'amountInvalid', message: 'must be more than zero' };
  } catch (error) {
    if (error instanceof DomainError) return { code: error.code, message: error.message };
    throw error;
  }
}

/**
 * A rule over several fields of an object that is judged even where other fields have faults, so that a client reads
 * all of them at once. `judge` gets the raw value and must look at what it reads.
 */
export function across(
  judge: (value: Record<string, unknown>) => { path: (string | number)[]; code: string; message: string }[],
) {
  const check = z.check<unknown>((payload) => {
    if (typeof payload.value !== 'object' || payload.value === null) return;
    for (const fault of judge(payload.value as Record<string, unknown>)) {
      payload.issues.push({
        code: 'custom',
        path: fault.path,
        message: fault.message,
        params: { code: fault.code },
        input: payload.value,
        continue: true,
      });
    }
  });
  check._zod.def.when = () => true;
  return check;
}

/** Whether both are dates and the first comes before the second; what is no date is another rule's business. */
export const isBefore = (a: unknown, b: unknown): boolean =>
  typeof a === 'string' && typeof b === 'string' && isLocalDate(a) && isLocalDate(b) && a < b;

/** The amount of a body fits the currency of the body. */
export const amountFitsCurrency = (field = 'amount') =>
  across((value) => {
    const { [field]: text, currency: code } = value;
    if (typeof text !== 'string' || typeof code !== 'string' || !/^\d+(\.\d+)?$/.test(text) || !isCurrency(code))
      return [];
    const fault = amountFault(text, code);
    return fault ? [{ path: [field], ...fault }] : [];
  });

export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'How many, 1 to 200.' }),
  cursor: z.string().max(200).optional().meta({ description: 'The nextCursor of the page before.' }),
});

/** A page: newest first unless the route says otherwise. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({
    data: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'For the next page; null on the last one.' }),
  });

export const reasonText = prose(2000).meta({ example: 'Agreed on the phone.' });

export const problemDetails = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details; the codes are listed in docs/errors.md.' });

/** The answers every route can give beside its own. */
export const refusals = {
  default: { description: 'Refused', content: { 'application/problem+json': { schema: problemDetails } } },
} as const;
