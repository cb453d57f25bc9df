import { systemAct, type Act } from '../db/act.ts';
import { inTransaction, type Tx } from '../db/database.ts';
import { markTasksOpened, openStepTask, queueContact } from '../db/repositories/contacts.ts';
import { loadCustomer } from '../db/repositories/facts.ts';
import { foretellNext } from '../db/repositories/foretell.ts';
import { lockCustomers, lockInvoices } from '../db/repositories/locks.ts';
import { laggingCases, noteNextLook, requestingInvoices, type Lag } from '../db/repositories/outreach.ts';
import type { CustomerFacts } from '../domain/case/facts.ts';
import { planContacts, type MessagePlan } from '../domain/case/plan-contacts.ts';
import { formatAmount } from '../domain/money.ts';
import { isoInstant, localDate, type Instant } from '../domain/time/zones.ts';
import type { ActivityDeps } from './deps.ts';
import { plannedNow, PUNCTUAL_MS } from './planned-now.ts';
import { writeMessage } from './write-message.ts';

export interface OutreachResult {
  /** Business instant, ISO 8601, of the next look; null when nothing waits. */
  wakeAt: string | null;
  wakeInMs: number | null;
  /** Messages queued by this look. */
  queued: number;
  /** Requests that still wait. */
  waiting: number;
  /** Other cases of the customer are about to ask as well: looking again in a moment, so that one message serves all. */
  collecting: boolean;
}

/** How long, in real time, outreach waits for the other cases of the same moment before it writes. */
const COLLECT_EVERY_MS = 150;
/** While a file is imported, its invoices are waited for this often, in real time. */
const IMPORT_EVERY_MS = 1_000;

/**
 * One look of outreach: queues in one transaction everything that may leave now (design rule 6). Balances and holds are
 * read under the locks of the customer and of every invoice that asks.
 */
export function createPlanOutreach(deps: ActivityDeps) {
  return async function planOutreach({ customerId }: { customerId: string }): Promise<OutreachResult> {
    return await inTransaction(deps.db, async (tx) => look(deps, tx, customerId));
  };
}

async function look(deps: ActivityDeps, tx: Tx, customerId: string): Promise<OutreachResult> {
  await lockCustomers(tx, [customerId]);
  const asking = await requestingInvoices(tx, customerId);
  if (asking.length === 0) return resting(0, 0);
  await lockInvoices(
    tx,
    asking.map((a) => a.invoiceId),
  );
  const now = momentOf(deps, asking);
  const lag = await laggingCases(tx, customerId, now, PUNCTUAL_MS);
  const wait = collectingDelay(lag);
  if (wait !== null) {
    const at = deps.clock.now();
    return { wakeAt: isoInstant(at), wakeInMs: wait, queued: 0, waiting: asking.length, collecting: true };
  }
  const customer = await loadCustomer(tx, customerId, deps.holidays, now, 'requesting');
  const plan = planContacts(customer, now);
  const act = systemAct(now);
  let queued = 0;
  for (const message of plan.messages) {
    await queueMessage(deps, tx, act, customer, message);
    queued += message.items.length;
  }
  // What nothing lets leave is looked at once a day: a holiday table or an address may change.
  await noteNextLook(tx, customerId, plan.until ?? now + 86_400_000);
  if (plan.until === null) return resting(plan.messages.length, asking.length - queued);
  return {
    wakeAt: isoInstant(plan.until),
    wakeInMs: deps.clock.delayUntil(plan.until),
    queued: plan.messages.length,
    waiting: asking.length - queued,
    collecting: false,
  };
}

const resting = (queued: number, waiting: number): OutreachResult => ({
  wakeAt: null,
  wakeInMs: null,
  queued,
  waiting,
  collecting: false,
});

/**
 * The instant that is judged: the latest of the moments planned for the earliest day that has come, so that everything
 * asked for on one day is seen together; now, when that was missed by an outage.
 */
function momentOf(deps: ActivityDeps, asking: readonly { plannedAt: Instant; plannedOn: string }[]): Instant {
  const now = deps.clock.now();
  const come = asking.filter((a) => a.plannedAt <= now);
  if (come.length === 0) return now;
  const day = come.map((a) => a.plannedOn).reduce((a, b) => (a < b ? a : b));
  const latest = Math.max(...come.filter((a) => a.plannedOn === day).map((a) => a.plannedAt));
  return plannedNow(deps.clock, latest);
}

function collectingDelay(lag: Lag): number | null {
  if (lag.importing) return IMPORT_EVERY_MS;
  return lag.cases > 0 ? COLLECT_EVERY_MS : null;
}

async function queueMessage(
  deps: ActivityDeps,
  tx: Tx,
  act: Act,
  customer: CustomerFacts,
  plan: MessagePlan,
): Promise<void> {
  const message = await writeMessage(tx, {
    customerId: customer.customerId,
    template: plan.template,
    tone: plan.tone,
    channel: plan.channel,
    to: plan.recipients.to,
    cc: plan.recipients.cc,
    today: localDate(plan.plannedAt, customer.creditorZone),
    items: plan.items,
  });
  const home = { creditorId: message.parties.creditorId, customerId: customer.customerId };
  const contactId = await queueContact(tx, act, home, plan, message);
  if (plan.channel === 'email') return;
  for (const item of plan.items) {
    const own =
      plan.items.length === 1
        ? message
        : await writeMessage(tx, {
            customerId: customer.customerId,
            template: item.template,
            tone: item.tone,
            channel: plan.channel,
            to: [],
            cc: [],
            today: localDate(plan.plannedAt, customer.creditorZone),
            items: [item],
          });
    await openStepTask(tx, act, {
      ...home,
      invoiceId: item.invoiceId,
      contactId,
      channel: plan.channel,
      step: item.step,
      occurrence: item.occurrence,
      drawing: 0,
      subject: own.subject,
      body: own.text,
      amount: formatAmount(item.amountMinor, item.currency),
      currency: item.currency,
    });
  }
  await foretellNext(tx, await markTasksOpened(tx, act, contactId), deps.holidays, act.at);
}
