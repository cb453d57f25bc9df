import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import type { JsonObject } from '../types.ts';

/** What a person asks one case to do. Arguments and reason stay here: payloads carry the id alone (design rule 3). */
export interface Command {
  id: string;
  invoiceId: string;
  /** Name of the update that carries it: `pause {until}`, `resume {}`, `skipStep {}`, `approve {taskId, decision}`. */
  kind: string;
  args: JsonObject;
}

export interface StoredCommand extends Command {
  act: Act;
  outcome: StoredOutcome | null;
}

export interface StoredOutcome {
  accepted: boolean;
  /** Why it was refused. */
  code: string | null;
}

/** Stores a command before it is handed over; one that is there already stays as it is. */
export async function insertCommand(tx: Tx, act: Act, command: Command): Promise<void> {
  await tx
    .insertInto('commands')
    .values({
      id: command.id,
      invoice_id: command.invoiceId,
      kind: command.kind,
      args: json(command.args),
      actor: act.actor,
      reason: act.reason ?? null,
      at: instant(act.at),
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** These commands of a case, in the order of their ids as given; one that is not there is left out. */
export async function findCommands(
  db: Db | Tx,
  invoiceId: string,
  commandIds: readonly string[],
): Promise<StoredCommand[]> {
  if (commandIds.length === 0) return [];
  const rows = await db
    .selectFrom('commands')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .where('id', 'in', commandIds)
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return commandIds.flatMap((id) => {
    const row = byId.get(id);
    if (!row) return [];
    return {
      id: row.id,
      invoiceId: row.invoice_id,
      kind: row.kind,
      args: row.args,
      act: { actor: row.actor, at: row.at, reason: row.reason },
      outcome: row.outcome as StoredOutcome | null,
    };
  });
}

/** Writes what became of a command, once: the outcome of its first handling stays. */
export async function storeOutcome(tx: Tx, commandId: string, outcome: StoredOutcome): Promise<void> {
  await tx
    .updateTable('commands')
    .set({ outcome: json(outcome) })
    .where('id', '=', commandId)
    .where('outcome', 'is', null)
    .execute();
}
