import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimOf, type AccessoryMovement, type ClaimFacts, type PrincipalMovement } from '../../../domain/law/claim.ts';
import { dueDateHolidays } from '../../../domain/law/national-holidays.ts';
import { rateBook, RateUnknown } from '../../../domain/law/rates.ts';
import { dateOfDayNumber, dayNumber } from '../../../domain/time/dates.ts';
import { oracleCompensation, oracleCosts, oracleInterest, oraclePrincipal, oracleRest } from './oracle.ts';

/** Histories of `npm test`; the nightly size is LAW_RUNS=100000. */
const numRuns = Number(process.env['LAW_RUNS'] ?? 2_000);
const BOOK = rateBook();

const day = (from: string, to: string): fc.Arbitrary<string> =>
  fc.integer({ min: dayNumber(from), max: dayNumber(to) }).map(dateOfDayNumber);

/** Days on which rates change, months end and leap days fall come up more often than chance would have it. */
const anyDay = fc.oneof(
  { weight: 3, arbitrary: day('2019-01-01', '2026-12-31') },
  fc
    .tuple(
      fc.integer({ min: 2019, max: 2026 }),
      fc.constantFrom('-06-30', '-07-01', '-12-31', '-01-01', '-02-28', '-10-03'),
    )
    .map(([year, rest]) => `${year}${rest}`),
  fc.constantFrom('2020-02-29', '2024-02-29', '2024-03-01', '2026-06-30', '2026-07-01'),
);

const movement = fc.record<PrincipalMovement>({
  on: anyDay,
  amountMinor: fc.bigInt({ min: -900_000n, max: 900_000n }).filter((amount) => amount !== 0n),
  kind: fc.constantFrom('payment', 'credit', 'difference'),
});

const accessory = fc.record<AccessoryMovement>({
  on: anyDay,
  part: fc.constantFrom('interest', 'compensation', 'costs'),
  amountMinor: fc.bigInt({ min: -20_000n, max: 60_000n }).filter((amount) => amount !== 0n),
  how: fc.constantFrom('paid', 'waived'),
});

/** Facts whose principal never falls below zero on any day. */
const facts: fc.Arbitrary<ClaimFacts> = fc
  .record({
    country: fc.constantFrom('FR', 'FR', 'DE', 'GB', 'BE', 'IE', 'AT', 'US'),
    kind: fc.constantFrom('business' as const, 'business' as const, 'consumer' as const, 'publicBody' as const),
    currency: fc.constantFrom('EUR', 'EUR', 'GBP', 'JPY', 'BHD'),
    amountMinor: fc.oneof(
      fc.bigInt({ min: 1n, max: 5_000_000n }),
      fc.constantFrom(1n, 99_999n, 100_000n, 999_999n, 1_000_000n),
    ),
    dueOn: anyDay,
    contractRate: fc.constantFrom(null, null, null, '12.5', '5'),
    movements: fc.array(movement, { maxLength: 8 }),
    noticeReceivedOn: fc.option(anyDay),
    judgmentOn: fc.option(anyDay, { freq: 4 }),
    accessories: fc.array(accessory, { maxLength: 4 }),
    costs: fc.array(fc.record({ on: anyDay, amountMinor: fc.bigInt({ min: 1n, max: 20_000n }) }), { maxLength: 2 }),
    lateInstalments: fc.array(anyDay, { maxLength: 3 }),
  })
  .map((some) => {
    let owed = some.amountMinor;
    const movements: PrincipalMovement[] = [];
    for (const one of some.movements.toSorted((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0))) {
      if (owed + one.amountMinor < 0n || owed + one.amountMinor > some.amountMinor) continue;
      owed += one.amountMinor;
      movements.push(one);
    }
    const holidays = dueDateHolidays(some.country, 2018, 2028);
    return { ...some, movements, holidays };
  });

describe('the claim', () => {
  test('agrees with an oracle that counts day by day in fractions', { timeout: 30_000 + numRuns * 10 }, () => {
    let known = 0;
    fc.assert(
      fc.property(facts, anyDay, (some, asOf) => {
        const expected = oracleInterest(some, asOf);
        if (expected === 'unknown') {
          expect(() => claimOf(some, BOOK, asOf)).toThrow(RateUnknown);
          return;
        }
        known++;
        const claim = claimOf(some, BOOK, asOf);
        expect({
          accrued: claim.accruedMinor,
          interest: claim.interestMinor,
          compensation: claim.compensationMinor,
          costs: claim.costsMinor,
          principal: claim.principalMinor,
        }).toEqual({
          accrued: expected,
          interest: oracleRest(some, 'interest', expected, asOf),
          compensation: oracleRest(some, 'compensation', oracleCompensation(some, asOf), asOf),
          costs: oracleRest(some, 'costs', oracleCosts(some, asOf), asOf),
          principal: oraclePrincipal(some, asOf),
        });
      }),
      { numRuns },
    );
    // Most histories stay within the rates that are known.
    expect(known).toBeGreaterThan(numRuns / 2);
  });
});
