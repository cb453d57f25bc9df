import { amountFor } from '../money.ts';
import { TONES, type Channel, type Policy, type Step, type Tone } from '../policy/types.ts';
import { later, type LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import { dueDateBegins, isBeforeDueDate } from './choose-step.ts';
import { isCollecting } from './collection.ts';
import type { CaseFacts, CustomerFacts, StepFact } from './facts.ts';
import { ladder, notesBeforeDue, openStep } from './ladder.ts';
import { isPlaced, noticeCopy, noticeForbidden, NOTICE_TO, repeatsForNothing } from './beyond-ladder.ts';
import { activePlan, noteHolds, noteMinor, notesSilent, PLAN_TO } from './plan-course.ts';
import { FORMAL_NOTICE, NOTICE_COPY, planNoteOf, THANK_YOU } from './requests.ts';
import { allowedMoment, recipientKeyOf, recipientsOf, sameRecipient, type Recipients, type Way } from './moments.ts';
import { paidUntil, standing } from './standing.ts';

export type ContactKind = 'beforeDue' | 'reminder' | 'formalNotice' | 'plan' | 'thankYou';

/** What one case asks outreach to send. */
export interface ContactRequest {
  invoiceId: string;
  policy: Policy;
  step: string;
  occurrence: number;
  kind: ContactKind;
  channel: Channel;
  template: string;
  tone: Tone;
  attachInvoice: boolean;
  recipients: Recipients;
  plannedAt: Instant;
  /** Minor units; what a reminder asks for, or what a thank-you confirms. */
  amountMinor: bigint;
  currency: string;
  asks: boolean;
}

/** One message: everything that goes to the same recipients over the same channel on the same day. */
export interface MessagePlan {
  kind: ContactKind;
  channel: Channel;
  template: string;
  tone: Tone;
  recipients: Recipients;
  plannedAt: Instant;
  day: LocalDate;
  items: ContactRequest[];
}

export interface ContactPlan {
  /** To be queued now. */
  messages: MessagePlan[];
  /**
   * The earliest moment at which something that waits may leave, or at which a note that waits meets its due date; null
   * when nothing waits.
   */
  until: Instant | null;
  /** Invoices whose note did not leave before the due date began: their cases have to look, and drop it (design rule 2). */
  expired: string[];
}

/**
 * What leaves for one customer at `now`, grouped how, and when to look again (design rule 1). Requests that belong
 * together become one message: same kind and channel, and a recipient in common; the firmest tone wins and brings its
 * template. Before-due notes are never mixed with overdue ones, and each note of a plan is a message of its own: where
 * two are ready for one recipient, the more urgent go first and the others try another day. Each item obeys its own
 * policy's `contact` (api.md).
 */
export function planContacts(customer: CustomerFacts, now: Instant): ContactPlan {
  const today = localDate(now, customer.creditorZone);
  const requests = customer.cases
    .filter((facts) => facts.steps.some((s) => s.status === 'requested'))
    .flatMap((facts) => requestsOf(facts, customer, today).filter((r) => isTimely(r, facts, customer, now)))
    .sort(byUrgency);
  let messages: MessagePlan[] = [];
  const waiting: ContactRequest[] = [];
  for (const request of requests) {
    const mayLeave = earliestFor(request, customer, now) === now;
    const near = mayLeave ? messages.filter((m) => sameRecipient(wayOfMessage(m), wayOfMessage(request))) : [];
    if (!mayLeave || near.some((m) => !belongTogether(m, request))) waiting.push(request);
    else
      messages = [
        ...messages.filter((m) => !near.includes(m)),
        messageOf([...near.flatMap((m) => m.items), request], customer, now),
      ];
  }

  const notes = customer.cases.filter(hasNoteWaiting);
  const leaving = new Set(messages.flatMap((m) => m.items.map((i) => i.invoiceId)));
  const deadlines = notes
    .filter((facts) => isBeforeDueDate(facts, customer, now) && !leaving.has(facts.invoiceId))
    .map((facts) => dueDateBegins(facts, customer));

  const day = localDate(now, customer.zone);
  const contacts = [...customer.contacts, ...messages.map((m) => ({ ...wayOfMessage(m), day }))];
  const moments = waiting
    .map((request) => earliestFor(request, { ...customer, contacts }, now))
    .filter((at): at is Instant => at !== null)
    .concat(deadlines);
  return {
    messages,
    until: moments.length > 0 ? Math.min(...moments) : null,
    expired: notes.filter((facts) => !isBeforeDueDate(facts, customer, now)).map((facts) => facts.invoiceId),
  };
}

/** Each note of a plan is a message of its own, and the copies of notices are no notices. */
function belongTogether({ kind, items }: MessagePlan, request: ContactRequest): boolean {
  if (kind !== request.kind || kind === 'plan') return false;
  return items.every(({ step }) => (step === NOTICE_COPY) === (request.step === NOTICE_COPY));
}

/** What speaks of a day to come is never sent on or after it, be that day the creditor's or the customer's. */
export function isTimely(
  { kind, step }: Pick<ContactRequest, 'kind' | 'step'>,
  facts: CaseFacts,
  customer: CustomerFacts,
  now: Instant,
): boolean {
  if (kind === 'plan') return noteHolds(facts, step, localDate(now, customer.zone));
  return kind !== 'beforeDue' || isBeforeDueDate(facts, customer, now);
}

/** Whether outreach was asked for a note before the due date that is still here. */
function hasNoteWaiting(facts: CaseFacts): boolean {
  const open = openStep(facts);
  if (open?.status !== 'requested') return false;
  return notesBeforeDue(facts)[facts.policy.steps.findIndex((s) => s.key === open.step)] === true;
}

const wayOfMessage = (m: Pick<MessagePlan, 'channel' | 'recipients'>): Way => ({
  channel: m.channel,
  recipientKey: m.recipients.recipientKey,
});

function messageOf(items: ContactRequest[], customer: CustomerFacts, now: Instant): MessagePlan {
  const firmest = items.reduce((a, b) => (TONES.indexOf(b.tone) > TONES.indexOf(a.tone) ? b : a));
  const to = distinct(items.flatMap((i) => i.recipients.to));
  const cc = distinct(items.flatMap((i) => i.recipients.cc)).filter((key) => !to.includes(key));
  const { kind, channel, template, tone } = firmest;
  const recipients = channel === 'email' ? { to, cc, recipientKey: recipientKeyOf(to) } : { ...firmest.recipients };
  return { kind, channel, template, tone, recipients, plannedAt: now, day: localDate(now, customer.zone), items };
}

const distinct = (keys: readonly string[]): string[] => [...new Set(keys)].sort();

function earliestFor(request: ContactRequest, customer: CustomerFacts, now: Instant): Instant | null {
  return allowedMoment(customer, request.policy.contact, Math.max(now, request.plannedAt), {
    ignoreGapAndCap: request.kind === 'thankYou' || request.kind === 'plan' || request.kind === 'formalNotice',
    onceADay: wayOfMessage(request),
  });
}

/** Overdue before before-due, and thanks last; then oldest request first, so that plans are the same every time. */
const KIND_ORDER: readonly ContactKind[] = ['formalNotice', 'reminder', 'plan', 'beforeDue', 'thankYou'];

function byUrgency(a: ContactRequest, b: ContactRequest): number {
  return (
    KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind) ||
    a.plannedAt - b.plannedAt ||
    (a.invoiceId < b.invoiceId ? -1 : a.invoiceId > b.invoiceId ? 1 : 0)
  );
}

/** The open requests of a case that still hold: something to ask, and somebody to ask it from. */
export function requestsOf(facts: CaseFacts, customer: CustomerFacts, today: LocalDate): ContactRequest[] {
  return facts.steps.flatMap((s) => (s.status === 'requested' ? (requestOf(facts, s, customer, today) ?? []) : []));
}

function requestOf(
  facts: CaseFacts,
  record: StepFact,
  customer: CustomerFacts,
  today: LocalDate,
): ContactRequest | null {
  if (record.step === THANK_YOU) return thankYouOf(facts, record, customer);
  if (planNoteOf(record.step) !== null) return planNoteRequest(facts, record, customer, today);
  // An agency has the case: the customer hears nothing from us about it.
  if (isPlaced(facts)) return null;
  if (record.step === FORMAL_NOTICE) return noticeOf(facts, record, customer, today);
  if (record.step === NOTICE_COPY) return noticeCopyOf(facts, record, customer, today);
  const index = facts.policy.steps.findIndex((s) => s.key === record.step);
  const step = facts.policy.steps[index];
  if (!step) return null;
  const asks = standing(facts, today).asksMinor;
  const minimum = amountFor(facts.policy.minimumAmount, facts.currency) ?? 0n;
  const recipients = recipientsOf(customer, record.channel, step);
  if (asks <= 0n || asks < minimum || recipients.to.length === 0) return null;
  if (repeatsForNothing(facts, record, asks)) return null;
  if (isCollecting(facts) || (facts.limitationOn !== null && today > facts.limitationOn)) return null;
  // The due date came, or moved, while the request waited: the case's next turn takes it back.
  const beforeDue = notesBeforeDue(facts)[index] === true;
  if (beforeDue && today >= facts.dueOn) return null;
  const ownDay = ladder(facts, today)[index]!.ownDay;
  if (ownDay !== null && ownDay > later(record.plannedOn, today)) return null;
  return {
    ...common(facts, record),
    kind: beforeDue ? 'beforeDue' : 'reminder',
    template: step.template,
    tone: step.tone,
    attachInvoice: step.attachInvoice,
    recipients,
    amountMinor: asks,
    asks: true,
  };
}

/** The formal notice, for the amount that was approved and no other. */
function noticeOf(
  facts: CaseFacts,
  record: StepFact,
  customer: CustomerFacts,
  today: LocalDate,
): ContactRequest | null {
  const terms = facts.policy.formalNotice;
  if (terms === null) return null;
  const asks = standing(facts, today).asksMinor;
  const recipients = recipientsOf(customer, record.channel, NOTICE_TO);
  if (asks !== record.amountMinor || noticeForbidden(facts, customer, asks, today) !== null) return null;
  if (facts.limitationOn !== null && today > facts.limitationOn) return null;
  return {
    ...common(facts, record),
    kind: 'formalNotice',
    template: terms.template,
    tone: 'final',
    attachInvoice: true,
    recipients,
    amountMinor: asks,
    asks: true,
  };
}

function noticeCopyOf(
  facts: CaseFacts,
  record: StepFact,
  customer: CustomerFacts,
  today: LocalDate,
): ContactRequest | null {
  const copy = noticeCopy(facts, customer, today);
  const terms = facts.policy.formalNotice;
  if (copy === null || terms === null || copy.occurrence !== record.occurrence) return null;
  return {
    ...common(facts, record),
    kind: 'formalNotice',
    template: terms.template,
    tone: 'final',
    attachInvoice: true,
    recipients: copy.recipients,
    amountMinor: copy.amountMinor,
    asks: true,
  };
}

const PLAN_TEMPLATES = { agreed: 'plan-note', before: 'plan-due', after: 'plan-late' } as const;

/**
 * A note of an instalment plan; null once it is no longer true. It is the plan's, whichever case asked for it: that case
 * may have been paid off and closed meanwhile.
 */
function planNoteRequest(
  facts: CaseFacts,
  record: StepFact,
  customer: CustomerFacts,
  today: LocalDate,
): ContactRequest | null {
  const note = planNoteOf(record.step);
  const plan = activePlan(facts);
  if (note === null || plan === null || !noteHolds(facts, record.step, today)) return null;
  const recipients = recipientsOf(customer, record.channel, { to: [...PLAN_TO.to], cc: [] });
  if (recipients.to.length === 0 || notesSilent(facts, plan, today)) return null;
  return {
    ...common(facts, record),
    kind: 'plan',
    template: PLAN_TEMPLATES[note.note],
    tone: note.note === 'after' ? 'neutral' : 'courteous',
    attachInvoice: false,
    recipients,
    amountMinor: noteMinor(plan, note),
    asks: note.note === 'after',
  };
}

const THANKS: Pick<Step, 'to' | 'cc'> = { to: ['billing'], cc: [] };

function thankYouOf(facts: CaseFacts, record: StepFact, customer: CustomerFacts): ContactRequest | null {
  const template = facts.policy.thankYou;
  const recipients = recipientsOf(customer, 'email', THANKS);
  // What is thanked for is what was paid, not what the invoice was for: part of it may have been credited.
  const paidMinor = paidUntil(facts, null);
  if (template === null || recipients.to.length === 0 || facts.balanceMinor > 0n || paidMinor <= 0n) return null;
  return {
    ...common(facts, record),
    kind: 'thankYou',
    template,
    tone: 'courteous',
    attachInvoice: false,
    recipients,
    amountMinor: paidMinor,
    asks: false,
  };
}

function common(
  facts: CaseFacts,
  record: StepFact,
): Pick<ContactRequest, 'invoiceId' | 'policy' | 'step' | 'occurrence' | 'channel' | 'plannedAt' | 'currency'> {
  return {
    invoiceId: facts.invoiceId,
    policy: facts.policy,
    step: record.step,
    occurrence: record.occurrence,
    channel: record.channel,
    plannedAt: record.plannedAt,
    currency: facts.currency,
  };
}

/** Call and letter items have the whole step's weight too: they leave by opening a task (api.md). */
export const opensTask = (channel: Channel): boolean => channel !== 'email';
