import type { CaseFacts } from '../../domain/case/facts.ts';
import { WARN_DAYS, warningKey } from '../../domain/case/limitation-warnings.ts';
import { lawOf } from '../../domain/law/country-law.ts';
import { openSteps } from '../../domain/law/legal-steps.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import type { JsonObject } from '../types.ts';
import type { TurningCase } from './case-steps.ts';
import { closeTaskByKey } from './tasks.ts';

/**
 * What a person is told when a claim will be barred in so many days: until when it can be pursued, by which step, and
 * what may have acknowledged it. The warning takes the place of the one before it.
 */
export async function limitationWarning(
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  { on, days }: { on: LocalDate; days: number },
): Promise<{ key: string; body: string; data: JsonObject }> {
  for (const earlier of WARN_DAYS.filter((ahead) => ahead > days)) {
    await closeTaskByKey(tx, act, one.creditorId, taskKey(one, on, earlier), 'missed', { why: 'nextWarning' });
  }
  const debtor = await tx
    .selectFrom('customers')
    .select(['country', 'kind'])
    .where('id', '=', one.customerId)
    .executeTakeFirstOrThrow();
  const claim = { kind: debtor.kind, amountMinor: facts.balanceMinor, currency: facts.currency };
  const steps = openSteps(lawOf(debtor.country)?.legalSteps ?? [], claim);
  const lines = [
    `The claim can be pursued until ${on}. A reminder or a formal notice does not change that day.`,
    ...steps.map(({ text, source }, index) => `${index === 0 ? 'Next step' : 'Or'}: ${text} (${source})`),
    ...(steps.length === 0 ? ['Which step stops limitation there is not known here: ask a lawyer of the place.'] : []),
    ...(await evidence(tx, one.invoiceId, facts)),
  ];
  return {
    key: taskKey(one, on, days),
    body: lines.join('\n'),
    data: { on, days, steps: steps.map(({ code }) => code) },
  };
}

const taskKey = (one: TurningCase, on: LocalDate, days: number): string => `${warningKey(on, days)}:${one.invoiceId}`;

/** What may have acknowledged the debt: asked about already, or paid and promised before anybody was asked. */
async function evidence(tx: Tx, invoiceId: string, facts: CaseFacts): Promise<string[]> {
  const asked = await tx
    .selectFrom('limitation_events')
    .select(['kind', 'on_date'])
    .where('invoice_id', '=', invoiceId)
    .where('status', '=', 'unconfirmed')
    .orderBy('on_date')
    .execute();
  const known = await tx
    .selectFrom('limitation_events')
    .select('on_date')
    .where('invoice_id', '=', invoiceId)
    .execute();
  const isKnown = (on: LocalDate): boolean => known.some((row) => row.on_date === on);
  const paid = facts.movements.findLast((m) => m.kind === 'payment' && m.amountMinor < 0n)?.on ?? null;
  const promised = facts.promises.at(-1)?.madeOn ?? null;
  return [
    ...asked.map(({ kind, on_date: on }) => `Not confirmed yet: ${kind} on ${on}.`),
    ...(paid !== null && !isKnown(paid) ? [`A part was paid on ${paid}: it may have acknowledged the debt.`] : []),
    ...(promised !== null && !isKnown(promised)
      ? [`The debtor promised to pay on ${promised}: that may have acknowledged the debt.`]
      : []),
  ];
}
