import { z } from 'zod';
import { findContact, itemsOfContacts } from '../../db/repositories/contact-list.ts';
import { recordPost } from '../../db/repositories/letters.ts';
import {
  batchFile,
  fenceLetters,
  findBatch,
  keepBatch,
  lettersToPrint,
  listBatches,
  postBatch,
  unposted,
  type BatchRow,
} from '../../db/repositories/print-batches.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { holidaysAround } from '../holidays.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import { presentContact } from '../present.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, line, listQuery, localDate, page, refusals } from '../schemas/common.ts';
import { contact } from '../schemas/resources.ts';
import { actorOf, created, ok, write } from '../write.ts';
import { creditorsDate } from '../../db/repositories/creditors.ts';

/** Letters a batch has at most: what one request can put into one PDF. */
const MAX_LETTERS = 200;

const deliveryBody = z
  .strictObject({
    status: z.enum(['dispatched', 'delivered', 'refused', 'returned']),
    on: localDate,
    trackingNumber: line(60).optional(),
  })
  .meta({ example: { status: 'dispatched', on: '2026-11-20', trackingNumber: 'RK 12 345 678 9 FR' } });

const batchBody = z
  .strictObject({
    channels: z
      .array(z.enum(['letter', 'registeredLetter']))
      .min(1)
      .max(2)
      .default(['letter', 'registeredLetter']),
    limit: z.int().min(1).max(MAX_LETTERS).default(MAX_LETTERS),
    duplex: z.boolean().default(false).meta({ description: 'Each letter begins on a sheet of its own.' }),
  })
  .meta({ example: { channels: ['registeredLetter'], duplex: true } });

const dispatchBody = z
  .strictObject({
    on: localDate,
    trackingNumbers: z.record(id('con'), line(60)).default({}).meta({ description: 'By contact.' }),
  })
  .meta({ example: { on: '2026-11-20', trackingNumbers: { con_01jd3k8x7v5r2m9t4w6y0b1c2d: 'RK 12 345 678 9 FR' } } });

const batch = z
  .object({
    id: id('prb'),
    letters: z.int(),
    pages: z.int(),
    unposted: z.int().meta({ description: 'Letters of it that nobody has said were posted.' }),
    actor: z.string(),
    createdAt: instant,
  })
  .meta({ id: 'PrintBatch' });

/** What goes by post: batches for a printer or mailing house, and what the post says of each letter. */
export async function letterRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  const present = async (rows: readonly BatchRow[]): Promise<z.input<typeof batch>[]> => {
    const waiting = await unposted(
      db,
      rows.map((row) => row.id),
    );
    return rows.map((row) => ({
      id: row.id,
      letters: row.letters,
      pages: row.pages,
      unposted: waiting.get(row.id) ?? 0,
      actor: row.actor,
      createdAt: isoInstant(row.at),
    }));
  };

  app.post(
    '/v1/contacts/:id/delivery',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'recordDelivery',
        tags: ['contacts'],
        summary: 'Say what the post did with a letter',
        description:
          'Forward only: posted, then delivered or refused, or returned, after which it counts as failed. The deadline of ' +
          'a formal notice counts from delivery or refusal, else from dispatch and the policy’s days of the post. The task ' +
          'of posting it is done with it; 409 where the letter was taken back.',
        params: idParams('con'),
        body: deliveryBody,
        response: { 200: contact, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { status, on, trackingNumber = null } = request.body;
        await recordPost(tx, act, creditorId, request.params.id, { status, on, trackingNumber });
        const row = await findContact(tx, creditorId, request.params.id);
        if (!row) throw notFound();
        return ok(presentContact(row, (await itemsOfContacts(tx, [row.id])).get(row.id) ?? []));
      }),
  );

  app.post(
    '/v1/print-batches',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'createPrintBatch',
        tags: ['contacts'],
        summary: 'Put the letters that wait into one PDF',
        description:
          'Each letter is looked at once more: what is no longer true is taken back, the rest is not taken back from here ' +
          `on. At most ${MAX_LETTERS} letters, oldest first; 409 \`nothingToPrint\` where none waits. Letters without a postal ` +
          'address stay tasks.',
        body: batchBody,
        response: { 201: batch, ...refusals },
      },
    },
    async (request, reply) => {
      const { creditorId } = callerOf(request);
      const { channels, limit, duplex } = request.body;
      const now = deps.clock.now();
      const holidays = holidaysAround(deps, now);
      await fenceLetters(db, { actor: actorOf(request), at: now }, creditorId, {
        channels,
        limit,
        holidays: (country, postalCode) => [...holidays(country, postalCode)],
      });
      return await write(deps, request, reply, async (tx, act) => {
        const letters = await lettersToPrint(db, creditorId, channels, limit);
        if (letters.length === 0) throw new Problem('nothingToPrint', 'No letter waits to be printed.');
        const date = await creditorsDate(tx, act, creditorId);
        const batchId = await keepBatch(tx, act, creditorId, letters, await deps.printer(letters, { date, duplex }));
        if (batchId === null) throw new Problem('printedMeanwhile', 'Another batch took some of these letters.');
        const row = (await findBatch(tx, creditorId, batchId))!;
        return created({ ...(await present([row]))[0]!, unposted: row.letters });
      });
    },
  );

  app.get(
    '/v1/print-batches',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listPrintBatches',
        tags: ['contacts'],
        summary: 'List print batches, newest first',
        querystring: listQuery,
        response: { 200: page(batch), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      return readPage(
        'printBatches',
        request.query,
        (after, count) => listBatches(db, creditorId, after, count),
        (row) => row.seq,
        present,
      );
    },
  );

  app.get(
    '/v1/print-batches/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getPrintBatch',
        tags: ['contacts'],
        summary: 'A print batch',
        params: idParams('prb'),
        response: { 200: batch, ...refusals },
      },
    },
    async (request) => {
      const row = await findBatch(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return (await present([row]))[0]!;
    },
  );

  for (const [part, type, summary] of [
    ['pdf', 'application/pdf', 'The letters of a batch in one PDF'],
    ['manifest', 'text/csv; charset=utf-8', 'The table of a batch: pages, addresses, a column for tracking numbers'],
  ] as const) {
    app.get(
      `/v1/print-batches/:id/${part}`,
      {
        config: { access: 'operator' },
        schema: {
          operationId: part === 'pdf' ? 'getPrintBatchPdf' : 'getPrintBatchManifest',
          tags: ['contacts'],
          summary,
          params: idParams('prb'),
          response: { ...refusals },
        },
      },
      async (request, reply) => {
        const found = await batchFile(db, callerOf(request).creditorId, request.params.id);
        if (!found) throw notFound();
        const extension = part === 'pdf' ? 'pdf' : 'csv';
        return reply
          .type(type)
          .header('content-disposition', `attachment; filename="${request.params.id}.${extension}"`)
          .send(found[part] as never);
      },
    );
  }

  app.post(
    '/v1/print-batches/:id/dispatch',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'dispatchPrintBatch',
        tags: ['contacts'],
        summary: 'Say that the letters of a batch were posted',
        params: idParams('prb'),
        body: dispatchBody,
        response: { 200: batch, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { on, trackingNumbers } = request.body;
        if (!(await findBatch(tx, creditorId, request.params.id))) throw notFound();
        const numbers = new Map(Object.entries(trackingNumbers));
        await postBatch(tx, act, creditorId, request.params.id, { on, trackingNumbers: numbers });
        const row = (await findBatch(tx, creditorId, request.params.id))!;
        return ok({ ...(await present([row]))[0]!, unposted: (await unposted(tx, [row.id])).get(row.id) ?? 0 });
      }),
  );
}
