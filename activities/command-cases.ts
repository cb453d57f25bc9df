import { inTransaction } from '../db/database.ts';
import type { Act } from '../db/act.ts';
import {
  bulkCommandId,
  countBulk,
  finishBulk,
  listBulkCases,
  loadBulk,
  markBulkCase,
  type BulkRow,
} from '../db/repositories/bulk-commands.ts';
import { findCommands, insertCommand, type StoredOutcome } from '../db/repositories/commands.ts';
import { findInvoice } from '../db/repositories/invoices.ts';
import { reopenByHand } from '../db/repositories/reopening.ts';
import { isOpenStage } from '../db/repositories/runs.ts';
import { bulkCommandOf } from '../domain/case/bulk.ts';
import type { ActivityDeps } from './deps.ts';
import { giveWay } from './give-way.ts';
import { stayAlive } from './import-alive.ts';

type BulkDeps = Pick<ActivityDeps, 'db' | 'commands'> & { clock: Pick<ActivityDeps['clock'], 'now'> };

/** Cases that are looked up at once, and of those so many that are asked side by side. */
const BATCH = 40;
const SIDE_BY_SIDE = 4;

/**
 * Hands a bulk command to each of its cases, as a single one with actor and reason, and writes what became of it. The
 * command of a case has an id that follows from both: whoever goes on after a crash joins what was begun. A case that does
 * not answer stays for another round; in the last one it counts as refused. `left`: how many have not answered.
 */
export function createCommandCases(deps: BulkDeps) {
  return async function commandCases(input: { bulkId: string; isLastRound: boolean }): Promise<{ left: number }> {
    const bulk = await loadBulk(deps.db, input.bulkId);
    if (bulk.status === 'done') return { left: 0 };
    let done = 0;
    for (let after: bigint | null = null; ;) {
      const cases = await listBulkCases(deps.db, bulk.id, { status: 'pending' }, after, BATCH);
      const waiting = [...cases];
      const runners = Array.from({ length: SIDE_BY_SIDE }, async () => {
        for (let one = waiting.shift(); one; one = waiting.shift()) {
          await commandOne(deps, bulk, one.invoice_id, input.isLastRound);
          await stayAlive({ rows: (done += 1) });
        }
      });
      await Promise.all(runners);
      await giveWay(deps.db, done);
      if (cases.length < BATCH) break;
      after = cases.at(-1)!.seq;
    }
    const { pending } = await countBulk(deps.db, bulk.id);
    if (pending === 0) await finishBulk(deps.db, bulk.id);
    return { left: pending };
  };
}

async function commandOne(deps: BulkDeps, bulk: BulkRow, invoiceId: string, isLastRound: boolean): Promise<void> {
  const act: Act = { actor: bulk.actor, at: deps.clock.now(), reason: bulk.reason };
  const { update } = bulkCommandOf(bulk.kind);
  if (update === null) return await reopenOne(deps, act, bulk, invoiceId);
  const commandId = bulkCommandId(bulk.id, invoiceId);
  const stored = async (): Promise<StoredOutcome | null> =>
    (await findCommands(deps.db, invoiceId, [commandId]))[0]?.outcome ?? null;

  // The case judges what the role behind the key may do by itself.
  const args = { role: bulk.role, ...bulk.args };
  await inTransaction(deps.db, (tx) => insertCommand(tx, act, { id: commandId, invoiceId, kind: update, args }));
  let outcome = await stored();
  if (!outcome) {
    const invoice = await findInvoice(deps.db, bulk.creditor_id, invoiceId);
    // A closed case has no workflow that would answer.
    const answered =
      invoice && isOpenStage(invoice.stage)
        ? await deps.commands.execute({ invoiceId, commandId, name: update })
        : { accepted: false, code: 'caseClosed' };
    // What the turn stored is the truth, whichever run answered.
    outcome = (await stored()) ?? answered;
  }
  if (!outcome && !isLastRound) return;
  const code = outcome ? (outcome.accepted ? null : (outcome.code ?? 'stageForbids')) : 'outcomeUnknown';
  await markBulkCase(deps.db, bulk.id, invoiceId, code);
}

async function reopenOne(deps: BulkDeps, act: Act, bulk: BulkRow, invoiceId: string): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    await markBulkCase(tx, bulk.id, invoiceId, await reopenByHand(tx, act, bulk.creditor_id, invoiceId));
  });
}
