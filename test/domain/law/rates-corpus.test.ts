import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { claimOf } from '../../../domain/law/claim.ts';
import { lawOf } from '../../../domain/law/country-law.ts';
import { rateFrom } from '../../../domain/law/interest.ts';
import { formatPercent, parsePercent } from '../../../domain/law/percent.ts';
import { rateBook } from '../../../domain/law/rates.ts';
import { parseAmount } from '../../../domain/money.ts';
import type { CustomerKind } from '../../../domain/policy/types.ts';
import { claimFacts } from './claim-facts.ts';

/** The reference table of late interest that nobody here wrote: its rates, what follows from them, and its worked examples. */

const corpus = process.env['CORPUS_DIR'] ?? path.resolve(import.meta.dirname, '../../../../shared/data');
const file = path.join(corpus, 'late-interest', 'rates.json');
const absent = !existsSync(file);
const why = absent ? ` (skipped: no test data at CORPUS_DIR or ${corpus})` : '';

type Period = Readonly<Record<string, string | null>> & { from: string; to: string };
interface Corpus {
  periods: Period[];
  test_vectors: {
    regime: string;
    principal: string;
    due: string;
    paid: string;
    interest: string;
    fixed_sum?: string;
  }[];
}

const read = (): Corpus => JSON.parse(readFileSync(file, 'utf8')) as Corpus;
const BOOK = rateBook();

/** The column of the table that a regime of ours is to agree with. */
const COLUMNS: [column: string, country: string, kind: CustomerKind][] = [
  ['fr_b2b_default', 'FR', 'business'],
  ['fr_legal_rate_professional_creditor', 'FR', 'consumer'],
  ['eu_floor_mro_plus_8', 'AT', 'business'],
  ['de_b2b', 'DE', 'business'],
  ['de_b2c', 'DE', 'consumer'],
  ['es_b2b', 'ES', 'business'],
  ['it_b2b', 'IT', 'business'],
  ['nl_handelsrente', 'NL', 'business'],
  ['ie_b2b', 'IE', 'business'],
  ['uk_b2b', 'GB', 'business'],
];

const rateOf = (country: string, kind: CustomerKind, day: string): string =>
  formatPercent(rateFrom(lawOf(country)!.interest[kind]!, null, BOOK, day, day).percent);

describe.skipIf(absent)(`rates.json${why}`, () => {
  test.each(COLUMNS)('%s is the rate of each half-year', (column, country, kind) => {
    for (const period of read().periods) {
      const expected = period[column];
      if (expected === null || expected === undefined) {
        expect(() => rateOf(country, kind, period.from)).toThrow(/not known/);
      } else {
        expect([period.from, rateOf(country, kind, period.from)]).toEqual([period.from, expected]);
        expect([period.to, rateOf(country, kind, period.to)]).toEqual([period.to, expected]);
      }
    }
  });

  test('be_b2b_rounded_half_up is not what the law says: the Belgian sum is rounded up to the next half point', () => {
    for (const period of read().periods) {
      const sum = parsePercent(period['eu_floor_mro_plus_8']!);
      const ours = parsePercent(rateOf('BE', 'business', period.from));
      expect(ours % 500_000n).toBe(0n);
      expect(ours >= sum && ours - sum < 500_000n).toBe(true);
    }
  });

  const REGIMES: Readonly<Record<string, [country: string, currency: string]>> = {
    FR_B2B: ['FR', 'EUR'],
    'EU_DIRECTIVE_2011_7 floor, floating': ['AT', 'EUR'],
    UK_B2B: ['GB', 'GBP'],
  };

  test('its worked examples come out to the cent', () => {
    const vectors = read().test_vectors;
    expect(vectors.length).toBeGreaterThanOrEqual(4);
    for (const vector of vectors) {
      const [country, currency] = REGIMES[vector.regime]!;
      const amountMinor = parseAmount(vector.principal, currency);
      const claim = claimOf(claimFacts({ country, currency, amountMinor, dueOn: vector.due }), BOOK, vector.paid);
      expect([vector.regime, claim.interestMinor]).toEqual([vector.regime, parseAmount(vector.interest, currency)]);
      if (vector.fixed_sum !== undefined) expect(claim.compensationMinor).toBe(parseAmount(vector.fixed_sum, currency));
    }
  });
});
