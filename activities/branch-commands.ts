import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import { askApproval } from '../db/repositories/approvals.ts';
import type { TurningCase } from '../db/repositories/case-steps.ts';
import { writeAct } from '../db/repositories/case-turn.ts';
import type { StoredCommand, StoredOutcome } from '../db/repositories/commands.ts';
import { endPlacement } from '../db/repositories/placements.ts';
import { pokeOutreach } from '../db/repositories/outbox.ts';
import { applyAct } from '../domain/case/apply.ts';
import { branchRequest, isPlaced, noticeForbidden, placementForbidden } from '../domain/case/beyond-ladder.ts';
import type { Act as CaseAct } from '../domain/case/decision.ts';
import type { CaseFacts, CustomerFacts } from '../domain/case/facts.ts';
import { openStep } from '../domain/case/ladder.ts';
import { FORMAL_NOTICE, PLACEMENT } from '../domain/case/requests.ts';
import { standing } from '../domain/case/standing.ts';
import type { View } from '../domain/case/view.ts';
import { localDate } from '../domain/time/zones.ts';

const refused = (code: string): StoredOutcome => ({ accepted: false, code });
const accepted: StoredOutcome = { accepted: true, code: null };

/** A case as a command finds it, inside the turn's transaction. */
export interface Commanded {
  tx: Tx;
  one: TurningCase;
  facts: CaseFacts;
  customer: CustomerFacts;
  command: StoredCommand;
  act: Act;
  /** What was carried out is noted here, for the record of the turn. */
  carried: CaseAct[];
}

/**
 * Sends the formal notice, ahead of the ladder's end if a person wants it, or asks for its approval: an operator's word is
 * enough only where the policy is content with one (api.md).
 */
export async function sendFormalNotice(commanded: Commanded): Promise<StoredOutcome> {
  const { facts, customer } = commanded;
  if (isPlaced(facts) || facts.notice !== null) return refused('stageForbids');
  const ready = freeOfOpenStep(commanded, FORMAL_NOTICE);
  if ('code' in ready) return refused(ready.code);
  const { view, acts } = ready;
  const forbidden = noticeForbidden(view.facts, customer, view.here.asksMinor, view.today);
  if (forbidden !== null) return refused(forbidden);
  const { channel, approval } = facts.policy.formalNotice!;
  const asks = byOperator(commanded) && approval !== 'operator';
  const request = branchRequest(view, asks ? 'askApproval' : 'request', FORMAL_NOTICE, channel);
  await carry(commanded, [...acts, request]);
  return accepted;
}

/** Hands the case over, or asks for the approval of it, once the notice's period is over. */
export async function place(commanded: Commanded): Promise<StoredOutcome> {
  const { facts, customer, command, act } = commanded;
  const today = localDate(act.at, customer.creditorZone);
  const forbidden = placementForbidden(facts, customer, today);
  if (forbidden !== null) return refused(forbidden);
  const ready = freeOfOpenStep(commanded, PLACEMENT);
  if ('code' in ready) return refused(ready.code);
  const { view, acts } = ready;
  const named = command.args['agencyId'];
  const agencyId = typeof named === 'string' ? named : customer.agencyId;
  if (agencyId === null) return refused('agencyRequired');
  const asksMinor = view.here.asksMinor;
  if (byOperator(commanded) && facts.policy.placement!.approval !== 'operator') {
    const request = branchRequest(view, 'askApproval', PLACEMENT, 'letter');
    await carry(commanded, acts);
    await askApproval(commanded.tx, act, commanded.one, view.facts, request, { agencyId });
    commanded.carried.push(request);
    return accepted;
  }
  await carry(commanded, [...acts, { act: 'place', agencyId, asksMinor, on: today, at: act.at }]);
  return accepted;
}

/** Takes the case back from its agency: it stands under formal notice again, and a person says how it goes on. */
export async function recall({ tx, one, facts, customer, act }: Commanded): Promise<StoredOutcome> {
  if (!isPlaced(facts)) return refused('notPlaced');
  const on = localDate(act.at, customer.creditorZone);
  await endPlacement(tx, act, one.invoiceId, { status: 'recalled', reason: 'byPerson', on });
  return accepted;
}

/** Gives the balance up, in any open stage; the route lets approvers alone ask for it. */
export async function writeOff(commanded: Commanded): Promise<StoredOutcome> {
  const { facts, customer, act } = commanded;
  const open = openStep(facts);
  const on = localDate(act.at, customer.creditorZone);
  // A message that is queued is looked at once more before it is sent, and then asks for what is not owed.
  const acts: CaseAct[] =
    open === null || open.status === 'queued'
      ? []
      : [{ act: 'withdrawRequest', step: open.step, reason: 'writtenOff', on }];
  await carry(commanded, [...acts, { act: 'writeOff', balanceMinor: facts.balanceMinor, on, at: act.at }]);
  return accepted;
}

const byOperator = ({ command }: Commanded): boolean => command.args['role'] === 'operator';

/**
 * The view after the open step was taken back, which has to make room; refused where it is on its way, or where something
 * holds the case.
 */
function freeOfOpenStep(
  { facts, customer, act }: Commanded,
  step: string,
): { code: string } | { view: View; acts: CaseAct[] } {
  const today = localDate(act.at, customer.creditorZone);
  const open = openStep(facts);
  if (open?.status === 'queued') return { code: 'stepUnderWay' };
  if (open?.step === step) return { code: open.status === 'awaitingApproval' ? 'approvalAsked' : 'stepUnderWay' };
  const acts: CaseAct[] =
    open === null ? [] : [{ act: 'withdrawRequest', step: open.step, reason: 'byPerson', on: today }];
  const free = acts.reduce(applyAct, facts);
  const here = standing(free, today);
  if (here.heldWhole) return { code: 'held' };
  return { view: { facts: free, customer, now: act.at, today, here, open: null }, acts };
}

async function carry({ tx, one, facts, act, carried }: Commanded, acts: readonly CaseAct[]): Promise<void> {
  let current = facts;
  for (const what of acts) {
    await writeAct(tx, act, one, current, what);
    current = applyAct(current, what);
    carried.push(what);
  }
  await pokeOutreach(tx, one.customerId);
}
