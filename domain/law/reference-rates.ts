import type { RateSeries, ReferenceRate } from './rates.ts';

/** Who publishes a series. */
const PUBLISHER: Readonly<Record<RateSeries, string>> = {
  ecbMro: 'ECB, main refinancing operations, fixed rate',
  frLegalProfessional: 'arrêté relatif au taux de l’intérêt légal (CMF art. L313-2), tous autres cas',
  frLegalIndividual: 'arrêté relatif au taux de l’intérêt légal (CMF art. L313-2), créances des particuliers',
  deBase: 'Deutsche Bundesbank, Basiszinssatz (BGB § 247)',
  gbBankRate: 'Bank of England, Bank Rate on 30 June or 31 December before (SI 2002/1675)',
};

/**
 * Reference rates by half-year since 2019, per cent a year: `[first half, second half]` of each year, as far as they were
 * published and known on 21 November 2026. Checked against two secondary sources; the British ones since July 2024 are
 * derived from the Bank Rate of the day, and the French legal rate of the second half of 2026 was not known (docs/law.md).
 * Later ones are added by a person who names the source; nothing is extrapolated.
 */
const BY_HALF_YEAR: Readonly<Record<RateSeries, Readonly<Record<string, readonly string[]>>>> = {
  ecbMro: {
    '2019': ['0.00', '0.00'],
    '2020': ['0.00', '0.00'],
    '2021': ['0.00', '0.00'],
    '2022': ['0.00', '0.00'],
    '2023': ['2.50', '4.00'],
    '2024': ['4.50', '4.25'],
    '2025': ['3.15', '2.15'],
    '2026': ['2.15', '2.40'],
  },
  frLegalProfessional: {
    '2019': ['0.86', '0.87'],
    '2020': ['0.87', '0.84'],
    '2021': ['0.79', '0.76'],
    '2022': ['0.76', '0.77'],
    '2023': ['2.06', '4.22'],
    '2024': ['5.07', '4.92'],
    '2025': ['3.71', '2.76'],
    '2026': ['2.62'],
  },
  frLegalIndividual: {
    '2019': ['3.40', '3.26'],
    '2020': ['3.15', '3.11'],
    '2021': ['3.14', '3.12'],
    '2022': ['3.13', '3.15'],
    '2023': ['4.47', '6.82'],
    '2024': ['8.01', '8.16'],
    '2025': ['7.21', '6.65'],
    '2026': ['6.67'],
  },
  deBase: {
    '2019': ['-0.88', '-0.88'],
    '2020': ['-0.88', '-0.88'],
    '2021': ['-0.88', '-0.88'],
    '2022': ['-0.88', '-0.88'],
    '2023': ['1.62', '3.12'],
    '2024': ['3.62', '3.37'],
    '2025': ['2.27', '1.27'],
    '2026': ['1.27', '1.52'],
  },
  gbBankRate: {
    '2019': ['0.75', '0.75'],
    '2020': ['0.75', '0.10'],
    '2021': ['0.10', '0.10'],
    '2022': ['0.25', '1.25'],
    '2023': ['3.50', '5.00'],
    '2024': ['5.25', '5.25'],
    '2025': ['4.75', '4.25'],
    '2026': ['3.75', '3.75'],
  },
};

/** The rates that come with the program. */
export const REFERENCE_RATES: readonly ReferenceRate[] = Object.entries(BY_HALF_YEAR).flatMap(([name, years]) => {
  const series = name as RateSeries;
  return Object.entries(years).flatMap(([year, rates]) =>
    rates.map((rate, half) => ({
      series,
      from: half === 0 ? `${year}-01-01` : `${year}-07-01`,
      to: half === 0 ? `${year}-06-30` : `${year}-12-31`,
      rate,
      source: PUBLISHER[series],
    })),
  );
});
