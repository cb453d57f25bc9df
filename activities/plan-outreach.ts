import { systemAct, type Act } from '../db/act.ts';
import { inTransaction, type Tx } from '../db/database.ts';
import { failUnwritten } from '../db/repositories/unwritten.ts';
import { markTasksOpened, openStepTask } from '../db/repositories/chase-contacts.ts';
import { queueContact } from '../db/repositories/contacts.ts';
import { openLetter } from '../db/repositories/letters.ts';
import { keepModel, recordLook } from '../db/repositories/decision-log.ts';
import { reportClaims } from '../db/repositories/message-claims.ts';
import { loadCustomer } from '../db/repositories/facts.ts';
import { foretellNext } from '../db/repositories/foretell.ts';
import { lockCustomers, lockInvoices } from '../db/repositories/locks.ts';
import { wakeCases } from '../db/repositories/outbox.ts';
import {
  dropNotes,
  dropThanks,
  laggingCases,
  noteNextLook,
  outreachMoments,
  requestingInvoices,
  type Asking,
} from '../db/repositories/outreach.ts';

import type { CustomerFacts, PlanFact } from '../domain/case/facts.ts';
import { isAside, NOTICE_COPY, planNoteOf, shownStep, THANK_YOU } from '../domain/case/requests.ts';
import { planContacts, requestsOf, type ContactRequest, type MessagePlan } from '../domain/case/plan-contacts.ts';
import { formatAmount } from '../domain/money.ts';
import { stepByKey } from '../domain/policy/parse.ts';
import type { ContactRole } from '../domain/policy/types.ts';
import type { LocalDate } from '../domain/time/dates.ts';
import { isoInstant, localDate, type Instant } from '../domain/time/zones.ts';
import type { ActivityDeps } from './deps.ts';
import { plannedNow, PUNCTUAL_MS } from './planned-now.ts';
import { unwritten, writeMessage, type Written } from './write-message.ts';

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

/** How soon, in real time, outreach looks again while it waits for the other cases of the same moment. */
const COLLECT_EVERY_MS = 150;
/**
 * Where thousands of cases are due at once and those it waits for come late, each look doubles the time to the next: a case
 * that asks pokes outreach itself, so this is for those that turn out to have nothing to ask.
 */
const COLLECT_AT_LEAST_EVERY_MS = 5 * 60_000;
/**
 * How long, in business time, it waits for them at most: one that is stuck does not hold up the others. In compressed
 * time that is less than a punctual case may take, which is waited for in any case.
 */
const COLLECT_FOR_MS = 15 * 60_000;
/** While a file is imported its invoices are waited for; its end rings, this is for when that was lost. */
const IMPORT_EVERY_MS = 10_000;
/** What nothing lets leave is looked at once a day: a table of holidays or an address may change. */
const DAY_MS = 86_400_000;
/** Moments one look catches up with; the next look goes on from there. */
const MOMENTS_A_LOOK = 50;

/**
 * One look of outreach: queues in one transaction everything that may leave now (design rule 6). Balances and holds are
 * read under the locks of the customer and of every invoice that asks. Where it comes a little late, it goes through the
 * moments that were planned one after the other, as if it had come to each in time (design rule 8).
 */
export function createPlanOutreach(deps: ActivityDeps) {
  return async function planOutreach({ customerId }: { customerId: string }): Promise<OutreachResult> {
    return await inTransaction(deps.db, async (tx) => look(deps, tx, customerId));
  };
}

async function look(deps: ActivityDeps, tx: Tx, customerId: string): Promise<OutreachResult> {
  await lockCustomers(tx, [customerId]);
  let asking = await requestingInvoices(tx, customerId);
  if (asking.length === 0) return await resting(deps, tx, customerId, 0, 0, null);
  await lockInvoices(
    tx,
    asking.map((a) => a.invoiceId),
  );
  const wait = await collectingDelay(deps, tx, customerId);
  if (wait !== null) {
    const at = deps.clock.now();
    // Where it waits for long the sweep is told that it does.
    if (wait > COLLECT_EVERY_MS) await noteNextLook(tx, customerId, at + (wait * DAY_MS) / deps.clock.setting.dayMs);
    return { wakeAt: isoInstant(at), wakeInMs: wait, queued: 0, waiting: asking.length, collecting: true };
  }

  const moments = await outreachMoments(tx, customerId);
  const dayOf = (at: Instant): LocalDate => localDate(at, moments.zone);
  let at = firstMoment(deps, asking, moments, dayOf);
  let queued = 0;
  for (let looked = 1; ; looked++) {
    const customer = await loadCustomer(tx, customerId, deps.holidays, at, 'requesting');
    await dropThanks(tx, thanksToNobody(customer, localDate(at, customer.creditorZone)));
    await dropNotes(tx, untrueNotes(customer, localDate(at, customer.creditorZone)));
    const plan = planContacts(customer, at);
    // A look that queues nothing leaves nothing to derive again.
    const lookId = plan.messages.length > 0 ? await recordLook(tx, at, customer, plan) : null;
    for (const message of plan.messages) await queueMessage(deps, tx, systemAct(at), customer, message, lookId);
    queued += plan.messages.length;
    await wakeCases(tx, plan.expired);
    asking = await requestingInvoices(tx, customerId);
    const now = deps.clock.now();
    if (plan.until === null || plan.until > now || looked === MOMENTS_A_LOOK) {
      return await resting(deps, tx, customerId, queued, asking.length, plan.until);
    }
    at = plannedNow(deps.clock, lastOfDay(asking, plan.until, now, dayOf));
  }
}

/** Until when there is nothing to do, noted so that the sweep can tell waiting from being stuck. */
async function resting(
  deps: ActivityDeps,
  tx: Tx,
  customerId: string,
  queued: number,
  waiting: number,
  until: Instant | null,
): Promise<OutreachResult> {
  const wakeAt = until ?? (waiting > 0 ? deps.clock.now() + DAY_MS : null);
  await noteNextLook(tx, customerId, wakeAt);
  return {
    wakeAt: wakeAt === null ? null : isoInstant(wakeAt),
    wakeInMs: wakeAt === null ? null : deps.clock.delayUntil(wakeAt),
    queued,
    waiting,
    collecting: false,
  };
}

/**
 * The instant that is judged first: the earliest moment that something was planned for and that is not too long ago, but
 * never one before the latest message; now, when nothing of that is left.
 */
function firstMoment(
  deps: ActivityDeps,
  asking: readonly Asking[],
  before: { lastMessage: Instant | null; nextLook: Instant | null },
  dayOf: (at: Instant) => LocalDate,
): Instant {
  const now = deps.clock.now();
  const moments = [...asking.map((a) => a.plannedAt), ...(before.nextLook === null ? [] : [before.nextLook])]
    .filter((at) => at <= now)
    .map((at) => Math.max(lastOfDay(asking, at, now, dayOf), before.lastMessage ?? at))
    .filter((at) => plannedNow(deps.clock, at) === at);
  return moments.length > 0 ? Math.min(...moments) : now;
}

/**
 * The last of the moments planned for the day of `at` that have come: what is asked for on one day is seen together, also
 * where `at` is a look of its own, such as the one after waiting for the others.
 */
function lastOfDay(asking: readonly Asking[], at: Instant, now: Instant, dayOf: (at: Instant) => LocalDate): Instant {
  const day = dayOf(at);
  return Math.max(at, ...asking.filter((a) => a.plannedAt <= now && a.plannedOn === day).map((a) => a.plannedAt));
}

/** Thanks that are asked for and that nobody can be given any more. */
function thanksToNobody(customer: CustomerFacts, today: LocalDate): string[] {
  return customer.cases.flatMap((facts) => {
    const asked = facts.steps.some((s) => s.step === THANK_YOU && s.status === 'requested');
    return asked && !requestsOf(facts, customer, today).some((r) => r.kind === 'thankYou') ? [facts.invoiceId] : [];
  });
}

/** Notes of plans and copies of notices that are asked for and no longer true: paid meanwhile, held, or without an address. */
function untrueNotes(customer: CustomerFacts, today: LocalDate): { invoiceId: string; step: string }[] {
  return customer.cases.flatMap((facts) => {
    const isNote = (key: string): boolean => isAside(key) && key !== THANK_YOU;
    const asked = facts.steps.filter((s) => s.status === 'requested' && isNote(s.step));
    if (asked.length === 0) return [];
    const steps = new Set(requestsOf(facts, customer, today).map((r) => r.step));
    return asked.filter((s) => !steps.has(s.step)).map((s) => ({ invoiceId: facts.invoiceId, step: s.step }));
  });
}

/** Real milliseconds until others of the customer are looked for again that will ask as well; null where none will. */
async function collectingDelay(deps: ActivityDeps, tx: Tx, customerId: string): Promise<number | null> {
  const { dayMs } = deps.clock.setting;
  const realMs = Math.max(PUNCTUAL_MS, (COLLECT_FOR_MS * dayMs) / DAY_MS);
  const patience = { realMs, businessMs: (realMs * DAY_MS) / dayMs };
  const lag = await laggingCases(tx, customerId, deps.clock.now(), patience);
  if (lag.importing) return IMPORT_EVERY_MS;
  if (lag.cases === 0) return null;
  const lateMs = Math.max(lag.newForMs, (lag.overdueForMs * dayMs) / DAY_MS);
  return lateMs <= PUNCTUAL_MS ? COLLECT_EVERY_MS : Math.min(COLLECT_AT_LEAST_EVERY_MS, lateMs);
}

/** A message, and the texts of its items where each opens a task of its own. */
interface Texts {
  message: Written;
  tasks: { item: ContactRequest; text: Written }[];
}

/** Writes a message and queues it. One that cannot be written fails by itself: nothing else waits for it. */
async function queueMessage(
  deps: ActivityDeps,
  tx: Tx,
  act: Act,
  customer: CustomerFacts,
  plan: MessagePlan,
  lookId: bigint | null,
): Promise<void> {
  let texts: Texts;
  try {
    texts = await writeTexts(tx, customer, plan);
  } catch (error) {
    const code = unwritten(error);
    if (code === null) throw error;
    deps.log.error({ customer: customer.customerId, code }, 'a message could not be written');
    await failUnwritten(tx, act, customer.customerId, plan.items, code);
    return;
  }
  const home = { creditorId: texts.message.parties.creditorId, customerId: customer.customerId };
  const contactId = await queueContact(tx, act, home, plan, texts.message);
  await reportClaims(tx, act, home, texts.message.claims);
  await keepModel(tx, contactId, { outreachId: lookId, template: plan.template, model: texts.message.model });
  if (plan.channel === 'email') return;
  if (plan.channel !== 'call') {
    const { subject, text, letterPdf } = texts.message;
    const step = shownStep(plan.items[0]!.step);
    const letter = { ...home, contactId, channel: plan.channel, step, subject, text, pdf: letterPdf };
    await foretellNext(tx, await openLetter(tx, act, letter), deps.holidays, act.at);
    return;
  }
  for (const { item, text } of texts.tasks) {
    await openStepTask(tx, act, {
      ...home,
      invoiceId: item.invoiceId,
      contactId,
      channel: plan.channel,
      step: item.step,
      occurrence: item.occurrence,
      drawing: 0,
      subject: text.subject,
      body: text.text,
      amount: formatAmount(item.amountMinor, item.currency),
      currency: item.currency,
      phone: text.phone,
    });
  }
  await foretellNext(tx, await markTasksOpened(tx, act, contactId), deps.holidays, act.at);
}

/** Reads, but writes nothing to the database. */
async function writeTexts(tx: Tx, customer: CustomerFacts, order: MessagePlan): Promise<Texts> {
  const today = localDate(order.plannedAt, customer.creditorZone);
  const { customerId } = customer;
  const { channel, template, tone, recipients, items } = order;
  const { to, cc } = recipients;
  // Where notices of several policies meet in one letter, the kindest deadline is everybody's.
  const deadlines = items.flatMap((i) =>
    i.kind === 'formalNotice' ? (i.policy.formalNotice?.deadlineDays ?? []) : [],
  );
  const deadline = deadlines.length === 0 ? {} : { deadlineDays: Math.max(...deadlines) };
  const plan = planOf(customer, items);
  const roles = rolesOf(items);
  const copy = items.some(({ step }) => step === NOTICE_COPY);
  const written = { customerId, template, tone, channel, roles, to, cc, today, items, plan, copy, ...deadline };
  const message = await writeMessage(tx, written);
  // A letter is one for all of its invoices, as a mail is; a call is made about each.
  if (channel !== 'call') return { message, tasks: [] };
  const tasks: Texts['tasks'] = [];
  for (const item of items) {
    const own = {
      customerId,
      template: item.template,
      tone: item.tone,
      channel,
      roles: rolesOf([item]),
      to: [],
      cc: [],
      today,
      items: [item],
    };
    tasks.push({ item, text: items.length === 1 ? message : await writeMessage(tx, own) });
  }
  return { message, tasks };
}

/** The plan that a message is a note of: such a message has one item. */
function planOf(customer: CustomerFacts, [item]: readonly ContactRequest[]): PlanFact | null {
  const note = item ? planNoteOf(item.step) : null;
  if (!item || note === null) return null;
  const facts = customer.cases.find((one) => one.invoiceId === item.invoiceId);
  return facts?.plans.find((plan) => plan.id === note.planId) ?? null;
}
/** Whom the steps of these items address, by their policies. */
const rolesOf = (items: readonly ContactRequest[]): ContactRole[] =>
  items.flatMap((item) => [...(stepByKey(item.policy, item.step)?.to ?? [])]);
