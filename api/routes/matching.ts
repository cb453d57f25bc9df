import { z } from 'zod';
import { invoiceNumbers } from '../../db/repositories/match-decisions.ts';
import { previewMatching, receiptsBetween, type Previewed } from '../../db/repositories/matching-preview.ts';
import { findMatching, putMatching, type StoredMatching } from '../../db/repositories/matching-settings.ts';
import { DEFAULT_MODES, type MatchingDocument } from '../../domain/matching/settings.ts';
import { RULES, type Rule, type RuleMode } from '../../domain/matching/types.ts';
import { formatAmount, isCurrency, parseAmount } from '../../domain/money.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { across, amount, amountFault, amountOut, id, isBefore, localDate, refusals } from '../schemas/common.ts';
import { ok, write } from '../write.ts';

const mode = z.enum(['automatic', 'propose', 'off']);

const modes = z.partialRecord(z.enum(RULES), mode).meta({
  description:
    'What each rule may do: apply by itself, propose to a person, nothing. What is left out does as by default.',
});

const bankFees = z.record(z.string(), amount).meta({
  description: 'What a payer’s bank may keep at most, by currency; nothing where a currency is not listed.',
});

/** Amounts by currency are amounts of their currencies. */
const feesFit = () =>
  across(({ bankFees: fees }) =>
    Object.entries(typeof fees === 'object' && fees !== null ? fees : {}).flatMap(([code, text]: [string, unknown]) => {
      if (!isCurrency(code)) {
        return [{ path: ['bankFees', code], code: 'unknownCurrency', message: 'is not an ISO 4217 currency' }];
      }
      const fault = typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? amountFault(text, code) : null;
      return fault ? [{ path: ['bankFees', code], ...fault }] : [];
    }),
  );

const settingsBody = z
  .strictObject({ modes, bankFees })
  .check(feesFit())
  .meta({ id: 'MatchingSetting', example: { modes: { subsetSum: 'automatic' }, bankFees: { EUR: '5.00' } } });

const settingsOut = z
  .object({
    version: z.int().meta({ description: '0 until somebody sets it.' }),
    modes: z.record(z.enum(RULES), mode),
    bankFees: z.record(z.string(), amountOut),
  })
  .meta({ id: 'Matching' });

/** Receipts that a preview goes through at most, over all its pages. */
const MOST_PREVIEWED = 1_000;

const previewBody = z
  .strictObject({
    modes,
    bankFees: bankFees.optional(),
    from: localDate,
    to: localDate,
    limit: z.int().min(1).max(200).default(100),
    cursor: z.string().max(200).optional(),
  })
  .check(feesFit())
  .check(
    across(({ from, to }) =>
      isBefore(to, from) ? [{ path: ['to'], code: 'periodInvalid', message: 'lies before the first day' }] : [],
    ),
  )
  .meta({ example: { modes: { subsetSum: 'automatic' }, from: '2026-10-01', to: '2026-11-20' } });

const counts = z.object({ same: z.int(), other: z.int(), review: z.int() });

const previewOut = z
  .object({
    data: z.array(
      z.object({
        receiptId: id('rec'),
        bookedOn: localDate,
        amount: amountOut,
        currency: z.string(),
        outcome: z.enum(['applied', 'review']),
        rule: z.enum(RULES).nullable(),
        confidence: z.string().nullable(),
        reason: z.string().nullable(),
        allocations: z.array(z.object({ invoiceId: id('inv'), number: z.string(), amount: amountOut })),
        compared: z.enum(['same', 'other', 'review']).meta({ description: 'With where the money stands now.' }),
      }),
    ),
    totals: z
      .object({ receipts: z.int(), ...counts.shape, byRule: z.record(z.string(), counts) })
      .meta({ description: 'Of this page; a review counts for the rule of its first proposal, or `none`.' }),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'MatchingPreview' });

/** What each rule of matching may do, and what it would have done. */
export async function matchingRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/matching',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getMatching',
        tags: ['money'],
        summary: 'What each rule of matching may do',
        response: { 200: settingsOut, ...refusals },
      },
    },
    async (request) => present(await findMatching(db, callerOf(request).creditorId)),
  );

  app.put(
    '/v1/matching',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'putMatching',
        tags: ['money'],
        summary: 'Set what each rule of matching may do',
        description: 'As a whole, as a new version; it counts for money that comes or is looked at again.',
        body: settingsBody,
        response: { 200: settingsOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) =>
        ok(present(await putMatching(tx, act, callerOf(request).creditorId, documentOf(request.body)))),
      ),
  );

  app.post(
    '/v1/matching/preview',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'previewMatching',
        tags: ['money'],
        summary: 'What such settings would have decided about past money',
        description:
          'For money that came by feeds between two days, with the books as they were when it came, the newest first; nothing ' +
          `is written. More than ${MOST_PREVIEWED} receipts are refused with 422 \`tooManyReceipts\`: ask for fewer days.`,
        body: previewBody,
        response: { 200: previewOut, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const { body } = request;
      const { from, to, limit, cursor } = body;
      const over = await receiptsBetween(db, creditorId, from, to, null, MOST_PREVIEWED + 1);
      if (over.length > MOST_PREVIEWED) {
        throw new Problem('tooManyReceipts', `More than ${MOST_PREVIEWED} receipts came between these days.`, {
          faults: [{ pointer: '/from', code: 'tooManyReceipts', message: 'ask for fewer days' }],
        });
      }
      let previewed: Previewed[] = [];
      const paged = await readPage(
        'matching-preview',
        { limit, cursor },
        (after, count) => receiptsBetween(db, creditorId, from, to, after, count),
        (row) => row.seq,
        async (rows) => {
          previewed = await previewMatching(db, creditorId, documentOf(body), rows);
          const numbers = await invoiceNumbers(
            db,
            previewed.flatMap(({ decision }) => sharesOf(decision).map(({ invoiceId }) => invoiceId)),
          );
          return previewed.map((one) => presentOne(one, numbers));
        },
      );
      return { ...paged, totals: totalsOf(previewed) };
    },
  );
}

const documentOf = (body: {
  modes: Partial<Record<Rule, RuleMode>>;
  bankFees?: Record<string, string> | undefined;
}): MatchingDocument => ({ modes: body.modes, bankFees: body.bankFees ?? {} });

const present = ({ version, document }: StoredMatching): z.input<typeof settingsOut> => ({
  version,
  modes: { ...DEFAULT_MODES, ...document.modes },
  bankFees: Object.fromEntries(
    Object.entries(document.bankFees).map(([code, text]) => [code, formatAmount(parseAmount(text ?? '0', code), code)]),
  ),
});

const sharesOf = (decision: Previewed['decision']) => (decision.kind === 'apply' ? decision.proposal.shares : []);

const presentOne = (
  { receipt, decision, compared }: Previewed,
  numbers: ReadonlyMap<string, string>,
): z.input<typeof previewOut>['data'][number] => ({
  receiptId: receipt.id,
  bookedOn: receipt.booked_on,
  amount: formatAmount(receipt.amount_minor, receipt.currency),
  currency: receipt.currency,
  outcome: decision.kind === 'apply' ? 'applied' : 'review',
  rule: decision.kind === 'apply' ? decision.proposal.rule : (decision.rivals[0]?.rule ?? null),
  confidence: decision.kind === 'apply' ? decision.proposal.confidence : (decision.rivals[0]?.confidence ?? null),
  reason: decision.kind === 'apply' ? null : decision.reason,
  allocations: sharesOf(decision).map(({ invoiceId, amountMinor }) => ({
    invoiceId,
    number: numbers.get(invoiceId) ?? invoiceId,
    amount: formatAmount(amountMinor, receipt.currency),
  })),
  compared,
});

function totalsOf(previewed: readonly Previewed[]): z.input<typeof previewOut>['totals'] {
  const none = () => ({ same: 0, other: 0, review: 0 });
  const totals = { receipts: previewed.length, ...none(), byRule: {} as Record<string, ReturnType<typeof none>> };
  for (const { decision, compared } of previewed) {
    const rule = decision.kind === 'apply' ? decision.proposal.rule : (decision.rivals[0]?.rule ?? 'none');
    totals[compared] += 1;
    (totals.byRule[rule] ??= none())[compared] += 1;
  }
  return totals;
}
