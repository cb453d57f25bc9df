import { inTransaction, type Tx } from '../db/database.ts';
import { loadCustomer } from '../db/repositories/facts.ts';
import { lockCustomers, lockInvoices } from '../db/repositories/locks.ts';
import { findPolicy } from '../db/repositories/policies.ts';
import {
  casesToList,
  countRollout,
  countScope,
  customersToList,
  customersToMove,
  failRollout,
  finishListing,
  finishRollout,
  listingOf,
  loadRollout,
  markCase,
  moveToVersion,
  promisedOf,
  writeListing,
  type CaseNews,
  type RolloutRow,
} from '../db/repositories/rollouts.ts';
import type { RolloutCaseStatus } from '../db/types.ts';
import { isOpen } from '../domain/case/facts.ts';
import { isLeaving, listedUntil, listMove, moved, moveRefusal, NOTHING, planMove } from '../domain/case/rollout.ts';
import { DomainError } from '../domain/errors.ts';
import type { Policy } from '../domain/policy/types.ts';
import { localDate } from '../domain/time/zones.ts';
import type { ActivityDeps } from './deps.ts';
import { giveWay } from './give-way.ts';

type RolloutDeps = Pick<ActivityDeps, 'db' | 'holidays'> & { clock: Pick<ActivityDeps['clock'], 'now'> };

/** Customers that are looked up at once. */
const CUSTOMERS = 50;

/**
 * Lists for each case of a roll-out what it has before it now and would have afterwards. Each customer is one transaction
 * together with how far the listing is: whoever goes on after a crash begins where it ended. `moves`: whether cases are to
 * be moved next.
 */
export function createPlanRollout(deps: RolloutDeps) {
  return async function planRollout({ rolloutId }: { rolloutId: string }): Promise<{ moves: boolean }> {
    const rollout = await loadRollout(deps.db, rolloutId);
    if (rollout.status !== 'planning') return { moves: rollout.status === 'running' };
    const to = await target(deps, rollout);
    if (!to) return { moves: false };
    await countScope(deps.db, rollout);
    let done = 0;
    for (let after = rollout.planned_to; ;) {
      const customers = await customersToList(deps.db, rollout, after, CUSTOMERS);
      for (const customerId of customers) {
        await inTransaction(deps.db, (tx) => listCustomer(deps, tx, rollout, to, customerId));
        await giveWay(deps.db, (done += 1));
      }
      after = customers.at(-1) ?? null;
      if (after === null) break;
    }
    await finishListing(deps.db, rolloutId);
    return { moves: !rollout.dry_run };
  };
}

/** The version that cases are to pin; null, and the roll-out has failed, where it is not to be read. */
async function target(deps: RolloutDeps, rollout: RolloutRow): Promise<Policy | null> {
  try {
    const found = await findPolicy(deps.db, rollout.creditor_id, rollout.policy, rollout.version);
    if (found) return found.policy;
    await failRollout(deps.db, rollout.id, 'unknownPolicy');
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    await failRollout(deps.db, rollout.id, error.code);
  }
  return null;
}

async function listCustomer(
  deps: RolloutDeps,
  tx: Tx,
  rollout: RolloutRow,
  to: Policy,
  customerId: string,
): Promise<void> {
  // Nothing of the customer moves while it is looked at.
  await lockCustomers(tx, [customerId]);
  const now = deps.clock.now();
  const ids = await casesToList(tx, rollout, customerId);
  const customer = await loadCustomer(tx, customerId, deps.holidays, now);
  const days = { listedOn: localDate(now, customer.zone), until: listedUntil(now, customer.zone) };
  await writeListing(tx, rollout.id, customerId, listMove(customer, ids, to, now), days);
}

/**
 * Moves the listed cases, all of a customer in one transaction, since they share its days: moved one by one they would
 * meanwhile stand as no listing showed them. Each is judged again under the locks; where something would leave that was
 * not listed it stays and is marked. Cases of which a message is just leaving stay listed for another round; in the last
 * one they are refused. `left`: how many are still to be moved.
 */
export function createMoveCases(deps: RolloutDeps) {
  return async function moveCases(input: { rolloutId: string; isLastRound: boolean }): Promise<{ left: number }> {
    const rollout = await loadRollout(deps.db, input.rolloutId);
    if (rollout.status !== 'running') return { left: 0 };
    const to = await target(deps, rollout);
    if (!to) return { left: 0 };
    let done = 0;
    for (let after: string | null = null; ;) {
      const customers = await customersToMove(deps.db, rollout.id, after, CUSTOMERS);
      for (const customerId of customers) {
        await inTransaction(deps.db, (tx) => moveCustomer(deps, tx, rollout, to, customerId, input.isLastRound));
        await giveWay(deps.db, (done += 1));
      }
      after = customers.at(-1) ?? null;
      if (after === null) break;
    }
    const { listed } = await countRollout(deps.db, rollout.id);
    if (listed === 0) await finishRollout(deps.db, rollout.id);
    return { left: listed };
  };
}

async function moveCustomer(
  deps: RolloutDeps,
  tx: Tx,
  rollout: RolloutRow,
  to: Policy,
  customerId: string,
  isLastRound: boolean,
): Promise<void> {
  await lockCustomers(tx, [customerId]);
  const listing = await listingOf(tx, rollout.id, customerId);
  const toMove = listing.filter((row) => row.status === 'listed').map((row) => row.invoice_id);
  const rows = new Map((await lockInvoices(tx, toMove)).map((row) => [row.id, row]));
  const now = deps.clock.now();
  const customer = await loadCustomer(tx, customerId, deps.holidays, now);
  const facts = new Map(customer.cases.map((c) => [c.invoiceId, c]));
  const mark = (id: string, status: RolloutCaseStatus, rest?: CaseNews): Promise<void> =>
    markCase(tx, rollout.id, id, status, rest);

  const open = new Set<string>();
  for (const id of toMove) {
    const row = rows.get(id)!;
    const own = facts.get(id);
    if (!isOpen(row.stage) || !own) await mark(id, 'skipped', { code: 'caseClosed' });
    else if (row.policy_version === rollout.version) await mark(id, 'unchanged');
    else {
      const code = moveRefusal(own, to);
      if (code === null) open.add(id);
      else await mark(id, 'refused', { code });
    }
  }
  const leaving = [...open].filter((id) => isLeaving(facts.get(id)!));
  // The others of the customer wait too: they were listed as moving together.
  if (leaving.length > 0 && !isLastRound) return;
  for (const id of leaving) {
    open.delete(id);
    await mark(id, 'refused', { code: 'stepUnderWay' });
  }

  const promised = new Map(listing.map((row) => [row.invoice_id, promisedOf(row)]));
  const plan = planMove(customer, open, to, promised, now);
  const changes = [...plan.move].map((id) => {
    const row = rows.get(id)!;
    const one = { invoiceId: id, customerId, creditorId: row.creditor_id, number: row.number };
    return { one, from: row.policy_version, ...moved(facts.get(id)!, to, customer, now) };
  });
  const { before, after } = plan;
  for (const id of plan.differs) await mark(id, 'differs', { before: before.get(id) ?? NOTHING });
  for (const id of plan.move)
    await mark(id, 'moved', { before: before.get(id) ?? NOTHING, after: after.get(id) ?? NOTHING });
  await moveToVersion(tx, { actor: rollout.actor, at: now, reason: rollout.reason }, rollout, changes);
}
