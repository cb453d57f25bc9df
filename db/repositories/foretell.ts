import { decide } from '../../domain/case/decide.ts';
import { isoInstant, type Instant } from '../../domain/time/zones.ts';
import { json, type Tx } from '../database.ts';
import type { HolidaysOf } from './customer-facts.ts';
import { loadCase } from './facts.ts';

/**
 * What is next for these cases now that a contact of theirs has left. Their workflows sleep on: the wake-up they have is
 * the one this would give them, so only what lists and answers show is written.
 */
export async function foretellNext(
  tx: Tx,
  invoiceIds: readonly string[],
  holidays: HolidaysOf,
  now: Instant,
): Promise<void> {
  for (const invoiceId of new Set(invoiceIds)) {
    const loaded = await loadCase(tx, invoiceId, holidays, now);
    if (!loaded || loaded.facts.balanceMinor === 0n) continue;
    const decision = decide(loaded.facts, loaded.customer, now);
    if (decision.decision !== 'wait') continue;
    const next = decision.next === null ? null : json({ ...decision.next, at: isoInstant(decision.next.at) });
    await tx.updateTable('invoices').set({ next }).where('id', '=', invoiceId).execute();
  }
}
