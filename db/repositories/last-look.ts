import type { CaseFacts } from '../../domain/case/facts.ts';
import { calendarOf } from '../../domain/case/moments.ts';
import { THANK_YOU } from '../../domain/case/requests.ts';
import { isTimely, requestsOf } from '../../domain/case/plan-contacts.ts';
import { standing } from '../../domain/case/standing.ts';
import { nextMoment } from '../../domain/time/contact-window.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import type { Tx } from '../database.ts';
import type { ItemRow } from './contacts.ts';
import type { SendingRow } from './sending.ts';
import { recipientKeyOf, type HolidaysOf } from './customer-facts.ts';
import { loadCase } from './facts.ts';

/** Why a message may not be sent as it was written. */
export type Untrue = 'amountChanged' | 'held' | 'noLongerDue' | 'addressStopped' | 'outsideWindow' | 'caseReopened';

/**
 * The second look (design rule 6), under the locks of the customer and every invoice: whether outreach would ask for each
 * item just as it was written, nothing holds it, and the addresses are still good. `now` is the instant that is judged:
 * the planned one, or the clock's where it comes `late`; then day and window are judged again. Null when all of it is
 * true.
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
  const { contact, now } = look;
  for (const item of look.items) {
    const loaded = await loadCase(tx, item.invoice_id, look.holidays, now, contact.customer_id);
    if (!loaded) return 'noLongerDue';
    const { facts, customer } = loaded;
    const today = localDate(now, customer.creditorZone);
    if (item.step === THANK_YOU) {
      if (facts.balanceMinor > 0n) return 'caseReopened';
    } else if (contact.kind !== 'plan' && standing(facts, today).heldWhole) {
      return 'held';
    }
    const usable = new Set(customer.recipients.filter((r) => r.usable).map((r) => r.key));
    if ([...contact.recipients, ...contact.cc].some((email) => !usable.has(recipientKeyOf(email)))) {
      return 'addressStopped';
    }
    if (item.step !== THANK_YOU) {
      const [request] = requestsOf(asAsked(facts, item), customer, today);
      if (!request) return facts.balanceMinor < item.amount_minor ? 'amountChanged' : 'noLongerDue';
      if (request.amountMinor !== item.amount_minor) return 'amountChanged';
      if (!isTimely(request, facts, customer, now)) return 'noLongerDue';
    }
    if (look.late && contact.status === 'queued') {
      const calendar = calendarOf(customer, facts.policy.contact);
      if (localDate(now, customer.zone) !== contact.day || nextMoment(now, calendar) !== now) return 'outsideWindow';
    }
  }
  return look.items.length === 0 ? 'noLongerDue' : null;
}

/** The case as it was when it asked for this item: its step is an open request and nothing else is. */
function asAsked(facts: CaseFacts, item: ItemRow): CaseFacts {
  return {
    ...facts,
    steps: facts.steps.flatMap((s) => {
      if (s.step === item.step && s.occurrence === item.occurrence) {
        return [{ ...s, status: 'requested' as const, leftOn: null }];
      }
      return s.status === 'requested' ? [] : [s];
    }),
  };
}
