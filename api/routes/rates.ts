import { z } from 'zod';
import { addedRates, addRates, loadRates } from '../../db/repositories/rates.ts';
import { RATE_SERIES } from '../../domain/law/rates.ts';
import type { ApiDeps } from '../deps.ts';
import type { App } from '../routing.ts';
import { line, localDate, refusals } from '../schemas/common.ts';
import { ok, write } from '../write.ts';
import type { Db, Tx } from '../../db/database.ts';

const rate = z.object({
  series: z.enum(RATE_SERIES),
  from: localDate,
  to: localDate,
  rate: z.string().meta({ example: '2.40', description: 'Per cent a year.' }),
  source: z.string(),
});
const rateIn = z.strictObject({ ...rate.shape, rate: z.string().max(12), source: line(300) });

const rates = z
  .object({
    data: z.array(
      rate.extend({ addedBy: z.string().nullable().meta({ description: 'Null: came with the program.' }) }),
    ),
  })
  .meta({ id: 'Rates' });

/** Reference rates of the law, the same for all creditors: a person adds what was published since, with its source. */
export async function rateRoutes(app: App, deps: ApiDeps): Promise<void> {
  app.get(
    '/v1/rates',
    {
      config: { access: 'keys' },
      schema: {
        operationId: 'listRates',
        tags: ['law'],
        summary: 'The reference rates that are known',
        response: { 200: rates, ...refusals },
      },
    },
    () => answer(deps.db),
  );

  app.put(
    '/v1/rates',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'addRates',
        tags: ['law'],
        summary: 'Add reference rates with their source',
        description:
          'Each is of one half-year and follows its series without gap; one that is known with the same value changes ' +
          'nothing. Any other refuses the whole list: 422 `ratesInvalid`.',
        body: z.strictObject({ rates: z.array(rateIn).min(1).max(200) }).meta({
          example: {
            rates: [
              {
                series: 'frLegalProfessional',
                from: '2026-07-01',
                to: '2026-12-31',
                rate: '2.65',
                source: 'Arrêté of the day it was published, JORF',
              },
            ],
          },
        }),
        response: { 200: rates, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        await addRates(tx, act, request.body.rates);
        return ok(await answer(tx));
      }),
  );
}

async function answer(db: Db | Tx): Promise<z.output<typeof rates>> {
  const book = await loadRates(db);
  const added = new Map((await addedRates(db)).map((row) => [`${row.series} ${row.from}`, row.actor]));
  return {
    data: [...book.values()].flat().map((row) => ({ ...row, addedBy: added.get(`${row.series} ${row.from}`) ?? null })),
  };
}
