import { z } from 'zod';
import { countCases, findHead, latestHead, verifyCases, verifyHeads } from '../../db/repositories/heads.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import type { App } from '../routing.ts';
import { id, localDate, refusals } from '../schemas/common.ts';

const hashText = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hexadecimal')
  .meta({ example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' });

const verification = z
  .object({
    cases: z.int().meta({ description: 'Cases this answer checked.' }),
    events: z.int(),
    anchored: z.int().meta({ description: 'Of these events, those that a head stands for.' }),
    heads: z.int().meta({ description: 'Heads this answer checked.' }),
    totalCases: z.int().meta({ description: 'Cases of the creditor.' }),
    latestHead: z
      .object({ n: z.int(), on: localDate, hash: hashText })
      .nullable()
      .meta({ description: 'Keep its hash elsewhere: with it, nobody can rewrite what is older unnoticed.' }),
    problems: z.array(
      z.object({
        kind: z.enum(['chain', 'anchor', 'head']),
        invoiceId: id('inv').nullable(),
        head: z.int().nullable(),
        message: z.string(),
      }),
    ),
    nextCursor: z.string().nullable().meta({ description: 'For the next part; null when everything was checked.' }),
  })
  .meta({ id: 'Verification' });

const HEADS = 'verification-heads';
const CASES = 'verification-cases';

/** Whether the record still is what was written: heads first, then case by case, a part an answer. */
export async function verificationRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/verification',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'verify',
        tags: ['system'],
        summary: 'Check the chains of all cases and the heads over them',
        description:
          'An answer checks a part; follow `nextCursor` to its end and add up. It holds when no part has a problem. ' +
          '`head` is the hash of a head that was kept elsewhere: that it is missing is a problem.',
        querystring: z.strictObject({
          limit: z.coerce
            .number()
            .int()
            .min(1)
            .max(1_000)
            .default(500)
            .meta({ description: 'Cases an answer, 1 to 1000.' }),
          cursor: z.string().max(200).optional().meta({ description: 'The nextCursor of the part before.' }),
          head: hashText.optional(),
        }),
        response: { 200: verification, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const { limit, cursor, head: known } = request.query;
      const head = await latestHead(db, creditorId);
      const common = {
        totalCases: await countCases(db, creditorId),
        latestHead: head ? { n: head.n, on: head.on_date, hash: head.hash.toString('hex') } : null,
      };
      const inCases = cursor !== undefined && Buffer.from(cursor, 'base64url').toString('utf8').startsWith(CASES);
      if (inCases) {
        const after = decodeCursor(CASES, cursor)!;
        const { lastSeq, done, ...found } = await verifyCases(db, creditorId, after, limit);
        return { ...found, ...common, heads: 0, nextCursor: done ? null : encodeCursor(CASES, lastSeq) };
      }
      const after = Number(decodeCursor(HEADS, cursor) ?? 0n);
      const { heads, lastN, done, problems } = await verifyHeads(db, creditorId, after);
      const missing = cursor === undefined && known !== undefined && (await findHead(db, creditorId, known)) === null;
      return {
        ...{ cases: 0, events: 0, anchored: 0, heads },
        ...common,
        problems: missing ? [...problems, unknownHead(known)] : problems,
        nextCursor: done ? encodeCursor(CASES, 0) : encodeCursor(HEADS, lastN),
      };
    },
  );
}

const unknownHead = (hash: string) => ({
  kind: 'head' as const,
  invoiceId: null,
  head: null,
  message: `there is no head with the hash ${hash}`,
});
