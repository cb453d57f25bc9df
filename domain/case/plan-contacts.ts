import { TONES, type Channel, type Policy, type Step, type Tone } from '../policy/types.ts';
import type { LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import type { CaseFacts, CustomerFacts, StepFact } from './facts.ts';
import { nominalDays, THANK_YOU } from './ladder.ts';
import { allowedMoment, recipientsOf, type Recipients } from './moments.ts';
import { standing } from './standing.ts';

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
  /** The earliest moment at which something that waits may leave; null when nothing waits. */
  until: Instant | null;
}

/**
 * What leaves for one customer at `now`, grouped how, and when to look again (design rule 1). Requests that belong
 * together become one message: same kind, channel and recipients; the firmest tone wins and brings its template.
 * Before-due notes are never mixed with overdue ones: where both are ready for one recipient, the overdue ones go first
 * and the others try another day. Each item obeys its own policy's `contact` (api.md).
 */
export function planContacts(customer: CustomerFacts, now: Instant): ContactPlan {
  const today = localDate(now, customer.creditorZone);
  const requests = customer.cases.flatMap((facts) => requestsOf(facts, customer, today)).sort(byUrgency);
  const messages: MessagePlan[] = [];
  const contacts = [...customer.contacts];
  let until: Instant | null = null;

  for (const request of requests) {
    const at = earliestFor(request, customer, now);
    if (at === null) continue;
    const day = localDate(at, customer.zone);
    const joins = messages.find((m) => at <= now && belongsTo(request, m));
    if (joins) {
      addTo(joins, request);
      continue;
    }
    const taken = contacts.some(
      (c) => c.day === day && c.channel === request.channel && c.recipientKey === request.recipients.recipientKey,
    );
    if (at > now || taken) {
      const again = at > now ? at : earliestFor(request, { ...customer, contacts }, now);
      if (again !== null && (until === null || again < until)) until = again;
      continue;
    }
    messages.push({
      kind: request.kind,
      channel: request.channel,
      template: request.template,
      tone: request.tone,
      recipients: request.recipients,
      plannedAt: now,
      day,
      items: [request],
    });
    contacts.push({ day, channel: request.channel, recipientKey: request.recipients.recipientKey });
  }
  return { messages, until };
}

function earliestFor(request: ContactRequest, customer: CustomerFacts, now: Instant): Instant | null {
  return allowedMoment(customer, request.policy.contact, Math.max(now, request.plannedAt), {
    ignoreGapAndCap: request.kind === 'thankYou' || request.kind === 'plan' || request.kind === 'formalNotice',
    onceADay: { channel: request.channel, recipientKey: request.recipients.recipientKey },
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

function belongsTo(request: ContactRequest, message: MessagePlan): boolean {
  return (
    request.kind === message.kind &&
    request.channel === message.channel &&
    request.recipients.recipientKey === message.recipients.recipientKey
  );
}

function addTo(message: MessagePlan, request: ContactRequest): void {
  message.items.push(request);
  message.recipients = {
    ...message.recipients,
    cc: [...new Set([...message.recipients.cc, ...request.recipients.cc])].sort(),
  };
  if (TONES.indexOf(request.tone) > TONES.indexOf(message.tone)) {
    message.tone = request.tone;
    message.template = request.template;
  }
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
  const index = facts.policy.steps.findIndex((s) => s.key === record.step);
  const step = facts.policy.steps[index];
  if (!step) return null;
  const asks = standing(facts, today).asksMinor;
  const recipients = recipientsOf(customer, record.channel, step);
  if (asks <= 0n || recipients.to.length === 0) return null;
  const beforeDue = nominalDays(facts)[index]! < facts.dueOn;
  // The day moved past the due date while the request waited: the case's next turn drops it.
  if (beforeDue && today >= facts.dueOn) return null;
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

const THANKS: Pick<Step, 'to' | 'cc'> = { to: ['billing'], cc: [] };

function thankYouOf(facts: CaseFacts, record: StepFact, customer: CustomerFacts): ContactRequest | null {
  const template = facts.policy.thankYou;
  const recipients = recipientsOf(customer, 'email', THANKS);
  if (template === null || recipients.to.length === 0 || facts.balanceMinor > 0n) return null;
  return {
    ...common(facts, record),
    kind: 'thankYou',
    template,
    tone: 'courteous',
    attachInvoice: false,
    recipients,
    amountMinor: facts.amountMinor,
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

