import { z } from 'zod';
import { amountOut, currency, localDate } from './common.ts';

/** What is owed on an invoice at the end of a day. */
export const claim = z
  .object({
    asOf: localDate,
    currency,
    principal: amountOut,
    interest: amountOut.meta({ description: 'Open: accrued, less what was paid and waived.' }),
    compensation: amountOut,
    costs: amountOut,
    total: amountOut,
    perDay: amountOut.meta({ description: 'Interest of a further day at the rate and on the principal of now.' }),
    accrued: amountOut.meta({ description: 'All interest so far; the periods add up to it.' }),
    periods: z.array(
      z.object({
        from: localDate,
        to: localDate,
        days: z.int(),
        base: amountOut,
        rate: z.string().meta({ description: 'Per cent a year.' }),
        source: z.string(),
        amount: amountOut,
      }),
    ),
    regime: z.string().nullable().meta({ description: 'The rule that was applied; null where none claims interest.' }),
    sources: z.array(z.string()),
    notes: z.array(z.object({ code: z.string(), message: z.string() })),
  })
  .meta({
    id: 'Claim',
    example: {
      asOf: '2025-07-31',
      currency: 'EUR',
      principal: '12000.00',
      interest: '387.55',
      compensation: '40.00',
      costs: '0.00',
      total: '12427.55',
      perDay: '3.99',
      accrued: '387.55',
      periods: [
        {
          from: '2025-05-01',
          to: '2025-06-30',
          days: 61,
          base: '12000.00',
          rate: '13.15',
          source: 'C. com. art. L441-10 II: 3.15 (ECB, main refinancing operations, fixed rate, 2025-01-01) + 10',
          amount: '263.72',
        },
        {
          from: '2025-07-01',
          to: '2025-07-31',
          days: 31,
          base: '12000.00',
          rate: '12.15',
          source: 'C. com. art. L441-10 II: 2.15 (ECB, main refinancing operations, fixed rate, 2025-07-01) + 10',
          amount: '123.83',
        },
      ],
      regime: 'frBusiness',
      sources: ['C. com. art. L441-10 II', 'C. com. art. L441-10 II, D441-5'],
      notes: [],
    },
  });
