import { calendarOf } from '../../domain/case/moments.ts';
import { THANK_YOU } from '../../domain/case/ladder.ts';
import { standing } from '../../domain/case/standing.ts';
import { nextMoment } from '../../domain/time/contact-window.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import type { Tx } from '../database.ts';
import type { ItemRow, SendingRow } from './contacts.ts';
import { loadCase, recipientKeyOf, type HolidaysOf } from './facts.ts';

/** Why a message may not be sent as it was written. */
export type Untrue = 'amountChanged' | 'held' | 'addressStopped' | 'outsideWindow' | 'caseReopened';

/**
 * The second look (design rule 6), under the locks of the customer and every invoice: whether each item still asks for
 * exactly what the invoice owes, nothing holds it, and the addresses are still good. `late`: it comes so much after its
 * planned moment that the window is judged again. Null when all of it is true.
 */
export async function lastLook(
  tx: Tx,
  look: {
    contact: SendingRow;
    items: readonly ItemRow[];
    now: Instant;
    holidays: HolidaysOf;
    late: boolean;
  },
): Promise<Untrue | null> {
  for (const item of look.items) {
    const loaded = await loadCase(tx, item.invoice_id, look.holidays, look.now);
    if (!loaded) return 'amountChanged';
    const { facts, customer } = loaded;
    if (item.step === THANK_YOU) {
      if (facts.balanceMinor > 0n) return 'caseReopened';
    } else {
      const here = standing(facts, localDate(look.now, customer.creditorZone));
      if (here.heldWhole) return 'held';
      if (here.asksMinor !== item.amount_minor) return 'amountChanged';
    }
    const usable = new Set(customer.recipients.filter((r) => r.usable).map((r) => r.key));
    if (look.contact.recipients.some((email) => !usable.has(recipientKeyOf(email)))) return 'addressStopped';
    if (look.late && look.contact.status === 'queued') {
      const calendar = calendarOf(customer, facts.policy.contact);
      if (nextMoment(look.now, calendar) !== look.now) return 'outsideWindow';
    }
  }
  return look.items.length === 0 ? 'amountChanged' : null;
}
