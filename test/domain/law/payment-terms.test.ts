import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lawOf } from '../../../domain/law/country-law.ts';
import { mentionsIn, mentionWarnings } from '../../../domain/law/invoice-mentions.ts';
import {
  endOfMonth,
  paymentTermWarnings,
  TERM_KINDS,
  TERM_SECTORS,
  type PaymentTerms,
} from '../../../domain/law/payment-terms.ts';
import { CUSTOMER_KINDS, type CustomerKind } from '../../../domain/policy/types.ts';
import { addDays } from '../../../domain/time/dates.ts';

const UNSAID: PaymentTerms = { kind: null, sector: null, receivedOn: null, expresslyAgreed: false };

function warned(
  country: string,
  kind: CustomerKind,
  [issuedOn, dueOn]: readonly [string, string],
  terms: Partial<PaymentTerms> = {},
) {
  const invoice = { kind, issuedOn, dueOn, terms: { ...UNSAID, ...terms } };
  return paymentTermWarnings(lawOf(country)?.paymentTerms ?? null, invoice);
}

/** The last due date that gives no warning, found from outside. */
function lastFree(country: string, kind: CustomerKind, issuedOn: string, terms: Partial<PaymentTerms> = {}) {
  let day = issuedOn;
  while (warned(country, kind, [issuedOn, addDays(day, 1)], terms).length === 0) day = addDays(day, 1);
  return day;
}

describe('the longest payment term', () => {
  test.each([
    ['law.md §3, C. com. L441-10 I: 60 days from issue', 'fromIssue', '2026-03-21'],
    ['law.md §3, C. com. L441-10 I: 45 days, then the end of the month', 'endOfMonthAfter', '2026-03-31'],
    ['law.md §3, C. com. L441-10 I: the end of the month, then 45 days', 'endOfMonthBefore', '2026-03-17'],
    ['law.md §3, C. com. L441-10 I: a periodic invoice, 45 days', 'periodic', '2026-03-06'],
  ] as const)('%s of 20 January 2026', (_, kind, on) => {
    expect(lastFree('FR', 'business', '2026-01-20', { kind })).toBe(on);
    expect(warned('FR', 'business', ['2026-01-20', addDays(on, 1)], { kind })).toMatchObject([
      { code: 'paymentTermTooLong', limitOn: on, source: 'C. com. art. L441-10 I' },
    ]);
  });

  test('C. com. L441-10 I: none agreed, 30 days from receipt of the goods, else from issue, and says which', () => {
    const terms = { kind: 'notAgreed' as const };
    expect(lastFree('FR', 'business', '2026-01-20', { ...terms, receivedOn: '2026-02-02' })).toBe('2026-03-04');
    expect(lastFree('FR', 'business', '2026-01-20', terms)).toBe('2026-02-19');
    const [warning] = warned('FR', 'business', ['2026-01-20', '2026-02-20'], terms);
    expect(warning?.message).toContain('no receipt is known');
  });

  test.each([
    [
      'C. com. L441-11: perishable food, from delivery',
      { sector: 'perishableFood', receivedOn: '2026-01-22' },
      '2026-02-21',
    ],
    ['law.md §3: transport, from issue', { sector: 'transport', kind: 'fromIssue' }, '2026-02-19'],
    ['law.md §3: hire of vehicles, from issue', { sector: 'vehicleHire' }, '2026-02-19'],
  ] as const)('%s: 30 days whatever was agreed', (_, terms, on) => {
    expect(lastFree('FR', 'business', '2026-01-20', terms)).toBe(on);
  });

  test('law.md §3: where nobody said how it was agreed, what one reading allows is asked about, what none does is too long', () => {
    // 60 days are 21 March, the furthest reading 31 March, the nearest 17 March.
    expect(lastFree('FR', 'business', '2026-01-20')).toBe('2026-03-17');
    expect(warned('FR', 'business', ['2026-01-20', '2026-03-21'])).toMatchObject([{ code: 'paymentTermUnsaid' }]);
    expect(warned('FR', 'business', ['2026-01-20', '2026-03-31'])).toMatchObject([{ code: 'paymentTermUnsaid' }]);
    expect(warned('FR', 'business', ['2026-01-20', '2026-04-01'])).toMatchObject([
      { code: 'paymentTermTooLong', limitOn: '2026-03-31' },
    ]);
  });

  test('law.md §3 (unconfirmed): public buyers 30 days, hospitals 50, and the warning says how sure it is', () => {
    expect(lastFree('FR', 'publicBody', '2026-01-20', { receivedOn: '2026-01-21' })).toBe('2026-02-20');
    expect(lastFree('FR', 'publicBody', '2026-01-20', { sector: 'hospital' })).toBe('2026-03-11');
    expect(warned('FR', 'publicBody', ['2026-01-20', '2026-06-01'])[0]?.source).toContain('unconfirmed');
  });

  test('Dir. 2011/7 art. 3(5) and BGB 271a: 60 days unless expressly agreed, 30 for authorities', () => {
    for (const country of ['ES', 'IT', 'DE', 'PL']) {
      expect(lastFree(country, 'business', '2026-01-20')).toBe('2026-03-21');
      expect(warned(country, 'business', ['2026-01-20', '2026-09-01'], { expresslyAgreed: true })).toEqual([]);
      expect(lastFree(country, 'publicBody', '2026-01-20')).toBe('2026-02-19');
    }
    expect(warned('ES', 'business', ['2026-01-20', '2026-09-01'])[0]?.source).toContain('2011/7');
    expect(warned('DE', 'business', ['2026-01-20', '2026-09-01'])[0]?.source).toContain('271a');
  });

  test('French law knows no express agreement beyond its maximum', () => {
    const terms = { kind: 'fromIssue' as const, expresslyAgreed: true };
    expect(warned('FR', 'business', ['2026-01-20', '2026-04-20'], terms)).toHaveLength(1);
  });

  test.each(['US', 'CH', 'GB', 'ZZ'])('is not guessed for %s', (country) => {
    expect(warned(country, 'business', ['2026-01-20', '2027-01-20'])).toEqual([]);
  });

  test('consumers have none, and a longer term never takes a warning away', () => {
    const day = fc.integer({ min: 0, max: 1_500 }).map((n) => addDays('2024-01-01', n));
    const terms = fc.record({
      kind: fc.constantFrom(null, ...TERM_KINDS),
      sector: fc.constantFrom(null, ...TERM_SECTORS),
      receivedOn: fc.option(day),
      expresslyAgreed: fc.boolean(),
    });
    const country = fc.constantFrom('FR', 'DE', 'ES', 'GB');
    const days = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(country, fc.constantFrom(...CUSTOMER_KINDS), day, days, days, terms, (where, kind, on, a, b, how) => {
        if (kind === 'consumer') expect(warned(where, kind, [on, addDays(on, a)], how)).toEqual([]);
        const shorter = warned(where, kind, [on, addDays(on, Math.min(a, b))], how);
        const longer = warned(where, kind, [on, addDays(on, Math.max(a, b))], how);
        expect(longer.length).toBeGreaterThanOrEqual(shorter.length);
        expect(longer.every(({ limitOn }) => limitOn !== null && limitOn < addDays(on, Math.max(a, b)))).toBe(true);
      }),
    );
  });

  test('months end where the calendar says', () => {
    expect(endOfMonth('2024-02-03')).toBe('2024-02-29');
    expect(endOfMonth('2026-12-31')).toBe('2026-12-31');
  });
});

describe('what an invoice must show about late payment (C. com. L441-9, L441-10 II)', () => {
  const rule = lawOf('FR')!.invoiceMentions!;
  const FULL = 'Pénalités de retard : taux BCE + 10 points. Indemnité forfaitaire pour frais de recouvrement : 40 €.';
  const warningsFor = (kind: CustomerKind, texts: string[] | null, claimsInterest = false) =>
    mentionWarnings(rule, { kind, seen: texts && mentionsIn(rule, texts), claimsInterest });

  test('is seen in the words of the e-invoice', () => {
    expect(warningsFor('business', [FULL])).toEqual([]);
    expect(
      warningsFor('business', ['En cas de retard : 12,15 % d’intérêts de retard', 'puis 40 EUR de frais']),
    ).toEqual([]);
  });

  test('is warned of where a text lacks it, each by name', () => {
    const [warning] = warningsFor('business', ['Paiement à 30 jours']);
    expect(warning).toMatchObject({ code: 'mentionMissing', limitOn: null });
    expect(warning?.message).toMatch(/rate of penalties.*40 EUR/);
    const [half] = warningsFor('business', ['Pénalités de retard au taux de 12 %']);
    expect(half?.message).not.toMatch(/rate of penalties/);
    expect(half?.message).toMatch(/40 EUR/);
  });

  test('is not guessed where no text is known: only who claims interest is told that nobody looked', () => {
    expect(warningsFor('business', null)).toEqual([]);
    expect(warningsFor('business', null, true)).toMatchObject([{ code: 'mentionsNotSeen' }]);
    expect(warningsFor('consumer', null, true)).toEqual([]);
    expect(mentionWarnings(null, { kind: 'business', seen: null, claimsInterest: true })).toEqual([]);
  });
});
