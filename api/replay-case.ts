import {
  asRecorded,
  looksAt,
  messagesAbout,
  turnsOf,
  type RecordedLook,
  type RecordedMessage,
  type RecordedTurn,
} from '../db/repositories/decision-log.ts';
import { canonicalJson } from '../db/canonical-json.ts';
import type { Db } from '../db/database.ts';
import { eventsOf } from '../db/repositories/events.ts';
import { recipientKeyOf } from '../db/repositories/customer-facts.ts';
import type { InvoiceRow } from '../db/repositories/invoices.ts';
import { applyAct } from '../domain/case/apply.ts';
import { decide } from '../domain/case/decide.ts';
import { planContacts } from '../domain/case/plan-contacts.ts';
import { compareWithLog, notRebuilt, type LoggedEvent, type LoggedTurn, type Origin } from '../domain/case/rebuild.ts';
import { firstDifference } from '../domain/case/record.ts';
import { formatAmount } from '../domain/money.ts';
import type { Instant } from '../domain/time/zones.ts';

/** Puts a message into words again, with the text of its day; injected, since templates belong to the activities. */
export type RenderMessage = (
  db: Db,
  before: { creditorId: string; template: string; version: number | null; model: object },
) => Promise<{ subject: string; text: string; html: string }>;

/** Something that the record of a case does not give again. */
export interface ReplayDifference {
  /**
   * `record`: a row is not what was written; `facts`: the log gives other facts; `decision`, `plan`: other acts of the case
   * or other messages of outreach follow; `message`: it says something else.
   */
  of: 'record' | 'facts' | 'decision' | 'plan' | 'message';
  at: Instant;
  /** What differs: a field, a path into a decision, or a contact's id and what of it. */
  what: string;
  recorded: unknown;
  derived: unknown;
}

export interface Replay {
  equal: boolean;
  /** Turns and looks of outreach that were derived again. */
  decisions: number;
  /** Messages that were rendered again. */
  messages: number;
  /** Messages whose text was erased: what they asked for was compared, their words were not. */
  erased: number;
  /** Messages of before the record began. */
  unrecorded: number;
  /** What was taken from the record, since no log gives it. */
  notRebuilt: string[];
  differences: ReplayDifference[];
}

/**
 * Goes through a case again: rebuilds its facts from the log, asks `decide` and `planContacts` what follows from them at
 * the moments and with the policies of the day, renders every message from what it was made of, and compares.
 */
export async function replayCase(db: Db, invoice: InvoiceRow, render: RenderMessage): Promise<Replay> {
  const { id, creditor_id: creditorId } = invoice;
  // A case goes on while it is replayed: everything is read as of one moment.
  const record = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
  const { events, turns, looks, messages } = await record.execute(async (tx) => ({
    events: (await eventsOf(tx, [id])).get(id) ?? [],
    turns: await turnsOf(tx, creditorId, id),
    looks: await looksAt(tx, creditorId, invoice.customer_id, id),
    messages: await messagesAbout(tx, id),
  }));

  const outcomes: Said[] = [];
  for (const message of messages) outcomes.push(await sayAgain(db, message, looks, render, invoice));
  const differences = [
    ...turns.flatMap(decideAgain),
    ...factsOfLog(invoice, events, logged(id, turns, looks)),
    ...looks.flatMap(planAgain),
    ...outcomes.flatMap((one) => one.differences),
  ].sort((a, b) => a.at - b.at);
  return {
    equal: differences.length === 0,
    decisions: turns.length + looks.length,
    messages: outcomes.filter((one) => one.how === 'rendered').length,
    erased: outcomes.filter((one) => one.how === 'erased').length,
    unrecorded: outcomes.filter((one) => one.how === 'unrecorded').length,
    notRebuilt: turns[0] ? notRebuilt(turns[0].facts) : [],
    differences,
  };
}

const altered = (at: Instant, what: string): ReplayDifference => ({
  of: 'record',
  at,
  what,
  recorded: 'was altered',
  derived: null,
});

/** The acts of a turn follow from its facts. */
function decideAgain(turn: RecordedTurn): ReplayDifference[] {
  const { at, customer, n } = turn;
  const differences = turn.intact ? [] : [altered(at, `turn ${n}`)];
  let { facts } = turn;
  const wholeCustomer = { ...customer, cases: [facts] };
  for (const [index, recorded] of turn.decisions.entries()) {
    const derived = decide(facts, wholeCustomer, at);
    const found = firstDifference(asRecorded(recorded), asRecorded(derived));
    if (found) {
      const what = `turn ${n}, decision ${index + 1}, ${found.path}`;
      return [...differences, { of: 'decision', at, what, recorded: found.recorded, derived: found.derived }];
    }
    if (recorded.decision === 'act') facts = recorded.acts.reduce(applyAct, facts);
  }
  return differences;
}

/** Turns and looks in the order in which they were taken, as far as they are about this case. */
function logged(invoiceId: string, turns: readonly RecordedTurn[], looks: readonly RecordedLook[]): LoggedTurn[] {
  const ofLooks = looks.flatMap(({ id, at, recordedAt, events, customer }) => {
    const facts = customer.cases.find((one) => one.invoiceId === invoiceId);
    const known = { at, recordedAt, eventsBefore: events, eventsAfter: events, customer, commanded: [], decisions: [] };
    return facts ? [{ ...known, name: `look ${id}`, facts }] : [];
  });
  return [...turns.map((turn) => ({ ...turn, name: `turn ${turn.n}` })), ...ofLooks].sort(
    (a, b) => a.recordedAt - b.recordedAt || a.eventsBefore - b.eventsBefore,
  );
}

function factsOfLog(
  invoice: InvoiceRow,
  events: readonly LoggedEvent[],
  turns: readonly LoggedTurn[],
): ReplayDifference[] {
  const registered = events.find((e) => e.kind === 'invoiceRegistered');
  const dueOn = registered?.data['dueOn'];
  const origin: Origin = {
    invoiceId: invoice.id,
    issuedOn: invoice.issued_on,
    dueOn: typeof dueOn === 'string' ? dueOn : invoice.due_on,
    registeredAt: invoice.registered_at,
    amountMinor: invoice.amount_minor,
    currency: invoice.currency,
    chaseFrom: invoice.chase_from,
    lastStepSent: invoice.last_step_sent,
    collection: { method: invoice.collection_method, on: invoice.collection_on },
    limitationYears: invoice.limitation_years,
  };
  const same = (a: unknown, b: unknown): boolean => canonicalJson(asRecorded(a)) === canonicalJson(asRecorded(b));
  return compareWithLog(origin, events, turns, same).map(({ turn, field, recorded, rebuilt }) => {
    const found = firstDifference(asRecorded(recorded), asRecorded(rebuilt), field);
    return {
      of: 'facts' as const,
      at: turn.at,
      what: `${turn.name}, ${found?.path ?? field}`,
      recorded: found?.recorded ?? null,
      derived: found?.derived ?? null,
    };
  });
}

/** The messages of a look follow from what outreach knew. */
function planAgain(look: RecordedLook): ReplayDifference[] {
  const differences = look.intact ? [] : [altered(look.at, `look ${look.id}`)];
  const found = firstDifference(look.plan, asRecorded(planContacts(look.customer, look.at)));
  if (!found) return differences;
  const { path, recorded, derived } = found;
  return [...differences, { of: 'plan', at: look.at, what: `look ${look.id}, ${path}`, recorded, derived }];
}

interface PlannedMessage {
  channel: string;
  template: string;
  recipients: { to: string[]; cc: string[] };
  items: { invoiceId: string; step: string; occurrence: number; amountMinor: string; currency: string }[];
}

interface Said {
  how: 'rendered' | 'erased' | 'unrecorded';
  differences: ReplayDifference[];
}

/** A message asks for what was planned, from whom it was planned, in the words that its template gives. */
async function sayAgain(
  db: Db,
  message: RecordedMessage,
  looks: readonly RecordedLook[],
  render: RenderMessage,
  invoice: InvoiceRow,
): Promise<Said> {
  const look = looks.find((one) => one.id === message.outreachId);
  const at = look?.at ?? invoice.registered_at;
  const differences: ReplayDifference[] = [];
  const compare = (what: string, recorded: unknown, derived: unknown): void => {
    const found = firstDifference(recorded, derived, what);
    if (!found) return;
    const path = `${message.id}, ${found.path}`;
    differences.push({ of: 'message', at, what: path, recorded: found.recorded, derived: found.derived });
  };
  if (look) comparePlanned(message, look, compare);
  if (message.erased) return { how: 'erased', differences };
  if (message.model === null) return { how: 'unrecorded', differences };
  compare('total', totalsAsked(message), totalsSaid(message.model));
  try {
    const { template, templateVersion: version, model } = message;
    const creditorId = invoice.creditor_id;
    const { subject, text, html } = await render(db, { creditorId, template, version, model });
    const said = { subject: message.subject, text: message.text, html: message.html };
    compare('words', said, { subject, text, html: message.channel === 'email' ? html : null });
  } catch (error) {
    compare('words', 'were rendered', `cannot be rendered: ${String(error)}`);
  }
  return { how: 'rendered', differences };
}

function comparePlanned(
  message: RecordedMessage,
  look: RecordedLook,
  compare: (what: string, recorded: unknown, derived: unknown) => void,
): void {
  const plans = look.plan['messages'] as PlannedMessage[];
  const keysOf = (items: readonly { invoiceId: string; step: string; occurrence: number }[]): string =>
    items
      .map((i) => `${i.invoiceId} ${i.step} ${i.occurrence}`)
      .sort()
      .join(', ');
  const planned = plans.find((p) => p.channel === message.channel && keysOf(p.items) === keysOf(message.items));
  if (!planned) {
    compare('items', keysOf(message.items), plans.map((p) => keysOf(p.items)).join(' | '));
    return;
  }
  const amounts = (items: readonly { invoiceId: string; step: string; amountMinor: unknown }[]): unknown =>
    Object.fromEntries(items.map((i) => [`${i.invoiceId} ${i.step}`, i.amountMinor]));
  compare('amounts', asRecorded(amounts(message.items)), amounts(planned.items));
  compare('template', message.template, planned.template);
  if (message.channel !== 'email' || message.erased) return;
  compare('to', message.recipients.map(recipientKeyOf).sort(), [...planned.recipients.to].sort());
  compare('cc', message.cc.map(recipientKeyOf).sort(), [...planned.recipients.cc].sort());
}

/** What a message asks for or confirms, by currency. */
function totalsAsked(message: RecordedMessage): Record<string, string> {
  const sums = new Map<string, bigint>();
  for (const { currency, amountMinor } of message.items) sums.set(currency, (sums.get(currency) ?? 0n) + amountMinor);
  return Object.fromEntries([...sums].map(([currency, sum]) => [currency, formatAmount(sum, currency)]));
}

/** The same as its text has it: in a table, as what was paid, or as the one instalment that a note of a plan is about. */
function totalsSaid(model: Record<string, unknown>): Record<string, string> {
  const instalment = model['instalment'] as { currency: string; amount: string } | undefined;
  const tables = (model['tables'] ?? []) as { currency: string; total: string }[];
  const paid = (model['paid'] as { amounts: { currency: string; amount: string }[] } | undefined)?.amounts ?? [];
  return Object.fromEntries([
    ...tables.map(({ currency, total }) => [currency, total]),
    ...paid.map(({ currency, amount }) => [currency, amount]),
    ...(instalment ? [[instalment.currency, instalment.amount]] : []),
  ]) as Record<string, string>;
}
