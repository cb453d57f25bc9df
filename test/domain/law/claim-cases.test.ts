import { describe, expect, test } from 'vitest';
import { claimOf, type PrincipalMovement } from '../../../domain/law/claim.ts';
import { dueDateHolidays } from '../../../domain/law/national-holidays.ts';
import { rateBook, RateUnknown } from '../../../domain/law/rates.ts';
import { parseAmount } from '../../../domain/money.ts';
import type { CustomerKind } from '../../../domain/policy/types.ts';
import { claimFacts } from './claim-facts.ts';

/**
 * Claims worked out from the texts in exact fractions, apart from the program (Python's `fractions`, day by day), written
 * here as literals; the worked examples of our legal reference among them.
 */

interface Given {
  country: string;
  kind: CustomerKind;
  currency: string;
  amount: string;
  dueOn: string;
  noticeReceivedOn?: string;
  judgmentOn?: string;
  contractRate?: string;
  movements?: [on: string, amount: string, kind: PrincipalMovement['kind']][];
}

const CASES: [name: string, given: Given, asOf: string, interest: string, compensation: string][] = [
  [
    'C. com. L441-10: one day late costs a day',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '1000.00', dueOn: '2026-03-31' },
    '2026-04-01',
    '0.33',
    '40.00',
  ],
  [
    'C. com. L441-10: paid on the due date costs nothing',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '1000.00', dueOn: '2026-03-31' },
    '2026-03-31',
    '0.00',
    '0.00',
  ],
  [
    'C. com. L441-10: nothing before the due date',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '1000.00', dueOn: '2026-03-31' },
    '2026-03-15',
    '0.00',
    '0.00',
  ],
  [
    'C. com. L441-10: due on 30 June, the first day has the rate of 1 July',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '5000.00', dueOn: '2026-06-30' },
    '2026-07-01',
    '1.70',
    '40.00',
  ],
  [
    'C. com. L441-10: due on 31 December, the first day has the rate of 1 January',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '5000.00', dueOn: '2024-12-31' },
    '2025-01-01',
    '1.80',
    '40.00',
  ],
  [
    'C. com. L441-10: due on 29 June, a day at either rate',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '5000.00', dueOn: '2026-06-29' },
    '2026-07-01',
    '3.36',
    '40.00',
  ],
  [
    'C. com. L441-10: due on 1 July itself',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '5000.00', dueOn: '2025-07-01' },
    '2025-07-31',
    '49.93',
    '40.00',
  ],
  [
    'C. com. L441-10: paid on 30 June',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '10000.00', dueOn: '2025-05-31' },
    '2025-06-30',
    '108.08',
    '40.00',
  ],
  [
    'C. com. L441-10: paid on 1 July',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '10000.00', dueOn: '2025-05-31' },
    '2025-07-01',
    '111.41',
    '40.00',
  ],
  [
    'actual/365: 29 February counts',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '10000.00', dueOn: '2024-02-28' },
    '2024-03-01',
    '7.95',
    '40.00',
  ],
  [
    'actual/365: a leap year has 366 days of interest',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '36500.00', dueOn: '2023-12-31' },
    '2024-12-31',
    '5261.00',
    '40.00',
  ],
  [
    'actual/365: a common year has 365',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '36500.00', dueOn: '2022-12-31' },
    '2023-12-31',
    '4838.50',
    '40.00',
  ],
  [
    'actual/365: due on 29 February',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '7300.00', dueOn: '2024-02-29' },
    '2024-03-31',
    '89.90',
    '40.00',
  ],
  [
    'C. com. L441-10: five years across every change of the rate',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '1234.56', dueOn: '2020-01-31' },
    '2025-01-31',
    '715.61',
    '40.00',
  ],
  [
    'C. com. L441-10: while the ECB had its rate at zero',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '2000.00', dueOn: '2021-03-31' },
    '2021-09-30',
    '100.27',
    '40.00',
  ],
  [
    'C. com. L441-10: one cent for a year',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '0.01', dueOn: '2024-12-31' },
    '2025-12-31',
    '0.00',
    '40.00',
  ],
  [
    'C. com. L441-10: an amount of nine digits',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '123456789.01', dueOn: '2025-01-31' },
    '2026-01-31',
    '15507356.53',
    '40.00',
  ],
  [
    'C. com. L441-10: a part payment on the last day of a half-year',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      movements: [['2025-06-30', '-5000.00', 'payment']],
    },
    '2025-12-31',
    '692.47',
    '40.00',
  ],
  [
    'C. com. L441-10: a part payment on the first day of a half-year',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      movements: [['2025-07-01', '-5000.00', 'payment']],
    },
    '2025-12-31',
    '694.13',
    '40.00',
  ],
  [
    'C. com. L441-10: part payments in three half-years',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '9000.00',
      dueOn: '2025-02-28',
      movements: [
        ['2025-04-15', '-1000.00', 'payment'],
        ['2025-10-15', '-2500.00', 'payment'],
        ['2026-07-15', '-3000.00', 'payment'],
      ],
    },
    '2026-09-30',
    '1218.92',
    '40.00',
  ],
  [
    'C. com. L441-10: partly paid in time, the rest late',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '9000.00',
      dueOn: '2025-02-28',
      movements: [['2025-02-20', '-4000.00', 'payment']],
    },
    '2025-06-30',
    '219.77',
    '40.00',
  ],
  [
    'C. com. L441-10: paid in full, interest stops that day',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '9000.00',
      dueOn: '2025-02-28',
      movements: [['2025-05-20', '-9000.00', 'payment']],
    },
    '2026-06-30',
    '262.64',
    '40.00',
  ],
  [
    'C. com. L441-10: paid before the due date',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '9000.00',
      dueOn: '2025-02-28',
      movements: [['2025-02-10', '-9000.00', 'payment']],
    },
    '2026-06-30',
    '0.00',
    '0.00',
  ],
  [
    'C. com. L441-10: paid on the due date',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '9000.00',
      dueOn: '2025-02-28',
      movements: [['2025-02-28', '-9000.00', 'payment']],
    },
    '2026-06-30',
    '0.00',
    '0.00',
  ],
  [
    'a credit note dated back before a payment lowers the base from its own date',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      movements: [
        ['2025-05-31', '-2000.00', 'credit'],
        ['2025-07-31', '-5000.00', 'payment'],
      ],
    },
    '2025-09-30',
    '446.82',
    '40.00',
  ],
  [
    'a credit note of before the due date was never owed',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      movements: [['2025-04-15', '-2000.00', 'credit']],
    },
    '2025-07-31',
    '322.96',
    '40.00',
  ],
  [
    'credited in full later: nothing was paid late, the days until then bear interest',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      movements: [['2025-06-15', '-12000.00', 'credit']],
    },
    '2025-07-31',
    '198.87',
    '0.00',
  ],
  [
    'credited in part, the rest paid late',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      movements: [
        ['2025-06-15', '-11000.00', 'credit'],
        ['2025-06-20', '-1000.00', 'payment'],
      ],
    },
    '2025-07-31',
    '200.67',
    '40.00',
  ],
  [
    'a returned debit bears interest again from the day after it went back',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '3000.00',
      dueOn: '2025-04-30',
      movements: [
        ['2025-05-02', '-3000.00', 'payment'],
        ['2025-05-12', '3000.00', 'payment'],
      ],
    },
    '2025-08-31',
    '117.04',
    '40.00',
  ],
  [
    'a payment returned on its own day changes nothing',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '3000.00',
      dueOn: '2025-04-30',
      movements: [
        ['2025-05-12', '-3000.00', 'payment'],
        ['2025-05-12', '3000.00', 'payment'],
      ],
    },
    '2025-08-31',
    '127.85',
    '40.00',
  ],
  [
    'a payment on its due date that comes back was late after all',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '3000.00',
      dueOn: '2025-04-30',
      movements: [
        ['2025-04-30', '-3000.00', 'payment'],
        ['2025-05-09', '3000.00', 'payment'],
      ],
    },
    '2025-08-31',
    '118.12',
    '40.00',
  ],
  [
    'a contract of 15 % has one rate in every half-year',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30', contractRate: '15' },
    '2026-09-15',
    '2480.55',
    '40.00',
  ],
  [
    'a contract of 0.5 % is applied as written',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30', contractRate: '0.5' },
    '2025-09-15',
    '22.68',
    '40.00',
  ],
  [
    'a contract rate of six decimals',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      contractRate: '11.123456',
    },
    '2025-09-15',
    '504.67',
    '40.00',
  ],
  [
    'L622-28: interest ends the day before the judgment',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      judgmentOn: '2025-07-01',
    },
    '2025-12-31',
    '263.72',
    '40.00',
  ],
  [
    'L622-28: a judgment on the day after the due date leaves no interest',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      judgmentOn: '2025-05-01',
    },
    '2025-12-31',
    '0.00',
    '40.00',
  ],
  [
    'L441-10 II, end: due on the day of the judgment, no compensation',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      judgmentOn: '2025-04-30',
    },
    '2025-12-31',
    '0.00',
    '0.00',
  ],
  [
    'L441-10 II, end: due after the judgment, no compensation',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      judgmentOn: '2025-04-01',
    },
    '2025-12-31',
    '0.00',
    '0.00',
  ],
  [
    'a judgment to come ends nothing yet',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      judgmentOn: '2025-07-15',
    },
    '2025-06-30',
    '263.72',
    '40.00',
  ],
  [
    'L622-28: a judgment on 1 January ends on 31 December',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '8000.00',
      dueOn: '2024-11-30',
      judgmentOn: '2025-01-01',
    },
    '2025-06-30',
    '96.82',
    '40.00',
  ],
  [
    'L2192-13: a public buyer has the rate of the half-year in which interest begins',
    { country: 'FR', kind: 'publicBody', currency: 'EUR', amount: '12000.00', dueOn: '2025-06-29' },
    '2026-03-31',
    '1008.08',
    '40.00',
  ],
  [
    'L2192-13: due on 30 June, that of the second half-year',
    { country: 'FR', kind: 'publicBody', currency: 'EUR', amount: '12000.00', dueOn: '2025-06-30' },
    '2026-03-31',
    '914.33',
    '40.00',
  ],
  [
    'L2192-13: a fixed rate with part payments',
    {
      country: 'FR',
      kind: 'publicBody',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-06-29',
      movements: [['2025-09-30', '-6000.00', 'payment']],
    },
    '2026-03-31',
    '674.50',
    '40.00',
  ],
  [
    'C. civ. 1344-1: a consumer owes from the day after the notice was received',
    {
      country: 'FR',
      kind: 'consumer',
      currency: 'EUR',
      amount: '800.00',
      dueOn: '2025-09-30',
      noticeReceivedOn: '2025-11-15',
    },
    '2026-02-28',
    '6.17',
    '0.00',
  ],
  [
    'C. civ. 1344-1: across a half-year',
    {
      country: 'FR',
      kind: 'consumer',
      currency: 'EUR',
      amount: '800.00',
      dueOn: '2025-09-30',
      noticeReceivedOn: '2025-12-20',
    },
    '2026-06-30',
    '11.06',
    '0.00',
  ],
  [
    'C. civ. 1344-1: a notice of before the due date counts from that date',
    {
      country: 'FR',
      kind: 'consumer',
      currency: 'EUR',
      amount: '800.00',
      dueOn: '2025-09-30',
      noticeReceivedOn: '2025-09-10',
    },
    '2025-12-31',
    '5.57',
    '0.00',
  ],
  [
    'BGB 288(2): two half-years',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2025-05-30' },
    '2025-08-29',
    '66.13',
    '40.00',
  ],
  [
    'BGB 288(2): while the Basiszinssatz was negative',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2021-05-31' },
    '2021-08-31',
    '51.17',
    '40.00',
  ],
  [
    'BGB 288(1): a consumer',
    { country: 'DE', kind: 'consumer', currency: 'EUR', amount: '2500.00', dueOn: '2025-05-30' },
    '2025-08-29',
    '41.20',
    '0.00',
  ],
  [
    'BGB 288(1): a consumer, Basiszinssatz -0.88',
    { country: 'DE', kind: 'consumer', currency: 'EUR', amount: '2500.00', dueOn: '2021-05-31' },
    '2021-08-31',
    '25.96',
    '0.00',
  ],
  [
    'BGB 193: due Sat 31 May 2025, from 3 June',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2025-05-31' },
    '2025-06-30',
    '21.61',
    '40.00',
  ],
  [
    'BGB 193: due on Good Friday 2026, the next working day is Easter Tuesday',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2026-04-03' },
    '2026-04-30',
    '16.18',
    '40.00',
  ],
  [
    'BGB 193: due on 1 May 2026, a Friday, moves to Monday 4 May',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2026-05-01' },
    '2026-05-31',
    '18.99',
    '40.00',
  ],
  [
    'BGB 193: due on 3 October 2025, a Friday, moves to Monday 6 October',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2025-10-03' },
    '2025-10-31',
    '17.59',
    '40.00',
  ],
  [
    'BGB 193: due on 25 December 2025, over two holidays and a weekend, moves to the 29th',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2025-12-25' },
    '2026-01-31',
    '23.21',
    '40.00',
  ],
  [
    'BGB 193: the eve of a holiday does not move',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '2500.00', dueOn: '2025-12-24' },
    '2026-01-31',
    '26.73',
    '40.00',
  ],
  [
    'BGB 193: paid on the day it moved to is in time',
    {
      country: 'DE',
      kind: 'business',
      currency: 'EUR',
      amount: '2500.00',
      dueOn: '2025-05-31',
      movements: [['2025-06-02', '-2500.00', 'payment']],
    },
    '2025-06-30',
    '0.00',
    '0.00',
  ],
  [
    '1998 Act: 999.99 is of the first band',
    { country: 'GB', kind: 'business', currency: 'GBP', amount: '999.99', dueOn: '2025-08-31' },
    '2025-09-30',
    '10.07',
    '40.00',
  ],
  [
    '1998 Act: 1,000 is of the second',
    { country: 'GB', kind: 'business', currency: 'GBP', amount: '1000.00', dueOn: '2025-08-31' },
    '2025-09-30',
    '10.07',
    '70.00',
  ],
  [
    '1998 Act: 9,999.99 is of the second',
    { country: 'GB', kind: 'business', currency: 'GBP', amount: '9999.99', dueOn: '2025-08-31' },
    '2025-09-30',
    '100.68',
    '70.00',
  ],
  [
    '1998 Act: 10,000 is of the third',
    { country: 'GB', kind: 'business', currency: 'GBP', amount: '10000.00', dueOn: '2025-08-31' },
    '2025-09-30',
    '100.68',
    '100.00',
  ],
  [
    '1998 Act: the band goes by what was unpaid when the delay began',
    {
      country: 'GB',
      kind: 'business',
      currency: 'GBP',
      amount: '10000.00',
      dueOn: '2025-08-31',
      movements: [['2025-08-15', '-9000.00', 'payment']],
    },
    '2025-09-30',
    '10.07',
    '70.00',
  ],
  [
    'SI 2002/1675: due on 30 June 2025 has the reference rate of 30 June',
    { country: 'GB', kind: 'business', currency: 'GBP', amount: '5000.00', dueOn: '2025-06-30' },
    '2025-12-31',
    '308.77',
    '70.00',
  ],
  [
    'SI 2002/1675: due on 29 June 2025 has that of 31 December, for good',
    { country: 'GB', kind: 'business', currency: 'GBP', amount: '5000.00', dueOn: '2025-06-29' },
    '2025-12-31',
    '323.12',
    '70.00',
  ],
  [
    'Directive 2011/7: another member, at the floor',
    { country: 'AT', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2025-09-15',
    '480.56',
    '40.00',
  ],
  [
    'BE, Act of 2002: 11.15 is rounded up to 11.5, 10.15 to 10.5',
    { country: 'BE', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2025-09-15',
    '496.44',
    '40.00',
  ],
  [
    'IE: one rate, that of the day it was due',
    { country: 'IE', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2025-09-15',
    '505.87',
    '40.00',
  ],
  [
    'a currency without decimals: JPY',
    { country: 'FR', kind: 'business', currency: 'JPY', amount: '1200000', dueOn: '2025-04-30' },
    '2025-09-15',
    '57130',
    '0',
  ],
  [
    'a currency of three decimals: BHD',
    { country: 'FR', kind: 'business', currency: 'BHD', amount: '1200.000', dueOn: '2025-04-30' },
    '2025-09-15',
    '57.130',
    '0.000',
  ],
  [
    'pounds of a French customer bear interest, but no euros',
    { country: 'FR', kind: 'business', currency: 'GBP', amount: '1200.00', dueOn: '2025-04-30' },
    '2025-09-15',
    '57.13',
    '0.00',
  ],
  [
    'euros of a British customer bear interest, but no pounds',
    { country: 'GB', kind: 'business', currency: 'EUR', amount: '1200.00', dueOn: '2025-04-30' },
    '2025-09-15',
    '57.85',
    '0.00',
  ],
  [
    'law reference, section 1, V1',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2026-09-15',
    '2035.63',
    '40.00',
  ],
  [
    'law reference, section 1, V2',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '1000.00', dueOn: '2026-06-15' },
    '2026-07-15',
    '10.09',
    '40.00',
  ],
  [
    'law reference, section 1, V3 (EU floor)',
    { country: 'AT', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2026-09-15',
    '1704.89',
    '40.00',
  ],
  [
    'law reference, section 1, V4',
    { country: 'GB', kind: 'business', currency: 'GBP', amount: '5000.00', dueOn: '2025-05-31' },
    '2025-09-09',
    '176.40',
    '70.00',
  ],
  [
    'law reference, section 1, E1',
    { country: 'DE', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2026-09-15',
    '1724.73',
    '40.00',
  ],
  [
    'law reference, section 1, E2',
    { country: 'FR', kind: 'publicBody', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2026-09-15',
    '1843.87',
    '40.00',
  ],
  [
    'law reference, section 1, E3',
    {
      country: 'FR',
      kind: 'consumer',
      currency: 'EUR',
      amount: '1200.00',
      dueOn: '2025-12-31',
      noticeReceivedOn: '2026-01-14',
    },
    '2026-03-31',
    '6.55',
    '0.00',
  ],
  [
    'law reference, section 6, E4',
    {
      country: 'FR',
      kind: 'business',
      currency: 'EUR',
      amount: '12000.00',
      dueOn: '2025-04-30',
      judgmentOn: '2025-07-15',
    },
    '2026-06-30',
    '319.64',
    '40.00',
  ],
  [
    'law reference, section 9, E5: before the payment',
    { country: 'FR', kind: 'business', currency: 'EUR', amount: '12000.00', dueOn: '2025-04-30' },
    '2025-07-31',
    '387.55',
    '40.00',
  ],
];

const signed = (text: string, currency: string): bigint =>
  text.startsWith('-') ? -parseAmount(text.slice(1), currency) : parseAmount(text, currency);

const BOOK = rateBook();

describe('the claim, worked out by hand', () => {
  test.each(CASES)('%s', (_, given, asOf, interest, compensation) => {
    const { amount, movements = [], currency, ...rest } = given;
    const claim = claimOf(
      claimFacts({
        ...rest,
        currency,
        amountMinor: parseAmount(amount, currency),
        movements: movements.map(([on, minor, kind]) => ({ on, amountMinor: signed(minor, currency), kind })),
        holidays: dueDateHolidays(given.country, 2019, 2027),
      }),
      BOOK,
      asOf,
    );
    expect({ interest: claim.accruedMinor, compensation: claim.compensationMinor }).toEqual({
      interest: parseAmount(interest, currency),
      compensation: parseAmount(compensation, currency),
    });
    expect(claim.periods.reduce((sum, period) => sum + period.amountMinor, 0n)).toBe(claim.accruedMinor);
  });
});

describe('the fixed compensation', () => {
  const pounds = (movements: PrincipalMovement[]) =>
    claimOf(
      claimFacts({ country: 'GB', currency: 'GBP', amountMinor: 99_999n, dueOn: '2025-08-31', movements }),
      BOOK,
      '2025-09-30',
    ).compensationMinor;

  test('1998 Act, section 5A: a credit of before the due date that is taken back later counts once', () => {
    // 999.99 is owed after all, of the first band; counted twice it would be 1,499.99, of the second.
    const credit = { on: '2025-08-20', amountMinor: -50_000n, kind: 'credit' as const };
    expect(pounds([credit, { ...credit, on: '2025-09-10', amountMinor: 50_000n }])).toBe(4_000n);
  });

  test('1998 Act, section 5A: what was credited was never owed, whenever that was', () => {
    const owed = claimFacts({ country: 'GB', currency: 'GBP', amountMinor: 1_049_999n, dueOn: '2025-08-31' });
    for (const on of ['2025-08-20', '2025-09-20']) {
      const movements = [{ on, amountMinor: -50_000n, kind: 'credit' as const }];
      // 9,999.99: the second band.
      expect(claimOf({ ...owed, movements }, BOOK, '2025-09-30').compensationMinor).toBe(7_000n);
    }
  });
});

describe('what is refused or not claimed', () => {
  test('a principal of nothing claims nothing', () => {
    const claim = claimOf(claimFacts({ amountMinor: 0n }), BOOK, '2025-09-30');
    expect([claim.totalMinor, claim.perDayMinor, claim.periods]).toEqual([0n, 0n, []]);
  });

  test('interest that was paid beyond what had run is not owed back here, nor claimed', () => {
    const over = [{ on: '2025-06-01', part: 'interest' as const, amountMinor: 1_000_000n, how: 'paid' as const }];
    const claim = claimOf(claimFacts({ accessories: over }), BOOK, '2025-09-30');
    expect([claim.interestMinor, claim.accruedMinor > 0n]).toEqual([0n, true]);
  });

  test('a payment that went back with its interest leaves the claim as if nothing had been paid of interest', () => {
    const untouched = claimOf(claimFacts(), BOOK, '2025-09-30');
    const back = claimOf(
      claimFacts({
        movements: [
          { on: '2025-07-31', amountMinor: -461_245n, kind: 'payment' },
          { on: '2025-07-31', amountMinor: 461_245n, kind: 'payment' },
        ],
        accessories: [
          { on: '2025-07-31', part: 'interest', amountMinor: 38_755n, how: 'paid' },
          { on: '2025-08-05', part: 'interest', amountMinor: -38_755n, how: 'paid' },
        ],
      }),
      BOOK,
      '2025-09-30',
    );
    expect(back).toEqual(untouched);
  });

  test('BGB § 193: due on 26 December 2025, a holiday before a weekend, interest runs from the 30th', () => {
    const holidays = dueDateHolidays('DE', 2025, 2026);
    const due = claimFacts({ country: 'DE', dueOn: '2025-12-26', holidays });
    expect(claimOf(due, BOOK, '2025-12-29').periods).toEqual([]);
    expect(claimOf(due, BOOK, '2025-12-30').periods).toMatchObject([{ from: '2025-12-30', days: 1 }]);
  });

  test('ECB rate: nothing beyond 31 December 2026 is extrapolated', () => {
    expect(() => claimOf(claimFacts(), BOOK, '2027-01-01')).toThrow(RateUnknown);
    expect(claimOf(claimFacts(), BOOK, '2026-12-31').interestMinor).toBeGreaterThan(0n);
  });

  test('French legal rate: none is known for the second half of 2026', () => {
    const consumer = claimFacts({ kind: 'consumer', noticeReceivedOn: '2026-01-14' });
    expect(claimOf(consumer, BOOK, '2026-06-30').interestMinor).toBeGreaterThan(0n);
    expect(() => claimOf(consumer, BOOK, '2026-07-01')).toThrow(/frLegalProfessional/);
  });

  test('C. civ. 1344-1: a consumer without a notice owes no interest, and the claim says why', () => {
    const claim = claimOf(claimFacts({ kind: 'consumer' }), BOOK, '2026-09-15');
    expect([claim.interestMinor, claim.compensationMinor]).toEqual([0n, 0n]);
    expect(claim.notes.map((note) => note.code)).toEqual(['noticeNotReceived']);
  });

  test.each([
    ['US', 'business', 'lawUnknown'],
    ['GB', 'consumer', 'notClaimable'],
    ['AT', 'consumer', 'notClaimable'],
  ] as const)('%s %s: the principal alone', (country, kind, code) => {
    const claim = claimOf(claimFacts({ country, kind }), BOOK, '2026-09-15');
    expect([claim.totalMinor, claim.notes[0]?.code]).toEqual([1_200_000n, code]);
  });

  test('three times the legal rate (2024 first half: 15.21): the default of 14.50 stands, a clause of 15 is noted', () => {
    const late = { dueOn: '2024-01-31' };
    expect(claimOf(claimFacts(late), BOOK, '2024-02-29').notes).toEqual([]);
    const clause = claimOf(claimFacts({ ...late, contractRate: '15' }), BOOK, '2024-02-29');
    expect(clause.notes[0]?.message).toContain('15.21');
    expect(claimOf(claimFacts({ ...late, contractRate: '15.21' }), BOOK, '2024-02-29').notes).toEqual([]);
    const untested = claimOf(claimFacts({ dueOn: '2026-06-30', contractRate: '15' }), BOOK, '2026-07-31');
    expect(untested.notes.map((note) => note.code)).toEqual(['floorUnknown']);
  });

  test('L441-10: what was paid of interest and compensation is not owed again', () => {
    const claim = claimOf(
      claimFacts({
        accessories: [
          { on: '2025-07-31', part: 'interest', amountMinor: 38_755n, how: 'paid' },
          { on: '2025-07-31', part: 'compensation', amountMinor: 4_000n, how: 'waived' },
        ],
        movements: [{ on: '2025-07-31', amountMinor: -461_245n, kind: 'payment' }],
      }),
      BOOK,
      '2025-09-30',
    );
    expect([claim.principalMinor, claim.interestMinor, claim.compensationMinor]).toEqual([738_755n, 15_001n, 0n]);
  });

  test('C-585/20: 40 EUR for each of three late invoices of a firm, none of a consumer', () => {
    const three = [1, 2, 3].map(() => claimOf(claimFacts(), BOOK, '2025-06-30').compensationMinor);
    expect(three.reduce((sum, one) => sum + one, 0n)).toBe(12_000n);
  });

  test('BGB § 288(5) sentence 2: 40 EUR more for each late instalment', () => {
    const claim = claimOf(
      claimFacts({ country: 'DE', lateInstalments: ['2025-05-15', '2025-06-15', '2025-07-15'] }),
      BOOK,
      '2025-06-30',
    );
    expect(claim.compensationMinor).toBe(12_000n);
  });
});
