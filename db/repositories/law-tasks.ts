import type { ClaimNote } from '../../domain/law/claim.ts';
import type { RateUnknown } from '../../domain/law/rates.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { openTask } from './tasks.ts';

interface Where {
  creditorId: string;
  /** The case that met it first. */
  invoiceId: string;
  customerId: string;
}

/**
 * A reference rate is missing: cases go on without interest until somebody enters it. One task a creditor, series and
 * half-year, however many cases wait for it.
 */
export async function askForRate(tx: Tx, act: Act, where: Where, missing: RateUnknown): Promise<void> {
  const half = `${missing.on.slice(0, 4)}-${missing.on.slice(5, 7) <= '06' ? '01-01' : '07-01'}`;
  await openTask(tx, act, {
    ...where,
    kind: 'rateUnknown',
    key: `rateUnknown:${missing.series}:${half}`,
    subject: `The reference rate ${missing.series} from ${half} on is not known`,
    body: `${missing.message} Until then no interest is claimed that needs it.`,
    data: { series: missing.series, from: half },
    dueAt: act.at,
  });
}

/** What a person has to look at before more is claimed: a clause below the floor of the law. Once an invoice's policy. */
export async function askAboutClaim(
  tx: Tx,
  act: Act,
  where: Where,
  policy: { name: string; version: number },
  notes: readonly ClaimNote[],
): Promise<void> {
  const below = notes.find(({ code }) => code === 'contractRateBelowFloor');
  if (below === undefined) return;
  await openTask(tx, act, {
    ...where,
    kind: 'contractRateBelowFloor',
    key: `contractRateBelowFloor:${policy.name}:${policy.version}`,
    role: 'approver',
    subject: `The contract rate of the policy ${policy.name} is below the legal floor`,
    body: below.message,
    data: { policy: policy.name, version: policy.version },
    dueAt: act.at,
  });
}
