import type { Db, Tx } from '../db/database.ts';
import { collectorLetters } from '../db/repositories/collector-letters.ts';
import { newReference, type WrittenMessage } from '../db/repositories/contacts.ts';
import {
  loadHistory,
  loadInvoiceLines,
  loadParties,
  peopleOf,
  peopleToCall,
  type InvoiceLine,
  type MessageParties,
} from '../db/repositories/message-data.ts';
import { claimsOfMessage, type MessageClaims } from '../db/repositories/message-claims.ts';
import { sharesOfPlan } from '../db/repositories/plans.ts';
import { findTemplate } from '../db/repositories/templates.ts';
import type { PlanFact } from '../domain/case/facts.ts';
import { instalmentRests } from '../domain/case/plan-course.ts';
import type { Claim as LawClaim } from '../domain/law/claim.ts';
import type { Channel, ContactRole, Tone } from '../domain/policy/types.ts';
import { addressLines } from '../domain/address.ts';
import { DomainError } from '../domain/errors.ts';
import { collectorFaults } from '../domain/law/collector.ts';
import { formatAmount } from '../domain/money.ts';
import { addDays, daysBetween, type LocalDate } from '../domain/time/dates.ts';
import { languageOf } from './mail/format.ts';
import { historyLines } from './mail/history.ts';
import type { MessageModel, MessageRow, RowNote } from './mail/message-model.ts';
import { renderLetterMessage } from './letters/letter-message.ts';
import { renderMessage } from './mail/render.ts';
import type { TemplateParts } from './mail/templates.ts';
import { mailboxOf } from './mail/resend-client.ts';

/** What is to be written: one message over any number of invoices of one customer. Amounts are minor units. */
export interface MessageOrder {
  customerId: string;
  template: string;
  tone: Tone;
  channel: Channel;
  /** Roles of the people to be called; of a call only. */
  roles?: readonly ContactRole[];
  /** Keys of the recipients; for calls and letters none. */
  to: readonly string[];
  cc: readonly string[];
  today: LocalDate;
  items: readonly { invoiceId: string; amountMinor: bigint; currency: string; step?: string }[];
  /** Days for paying from receipt, where it is a formal notice. */
  deadlineDays?: number;
  /** It is the copy by e-mail of a letter. */
  copy?: boolean;
  /** The plan that the message is a note of; it then speaks of all the invoices of the plan. */
  plan?: PlanFact | null;
}

export interface GatheredMessage {
  model: MessageModel;
  parties: MessageParties;
  to: ReturnType<typeof peopleOf>;
  cc: ReturnType<typeof peopleOf>;
  /** The first number to call; null for anything but a call, and where none is known. */
  phone: string | null;
  claims: MessageClaims;
}

export type Written = WrittenMessage &
  Pick<GatheredMessage, 'parties' | 'phone' | 'model' | 'claims'> & { letterPdf: Uint8Array | null };

/**
 * Writes a message in the customer's language from the facts under the caller's locks: with the creditor's own text where
 * there is one, in its newest version, else with the built-in one. What is written is final.
 */
export async function writeMessage(tx: Tx, order: MessageOrder): Promise<Written> {
  const reference = newReference();
  const { model, parties, to, cc, phone, claims } = await gatherMessage(tx, order, reference);
  const own = await findTemplate(tx, parties.creditorId, order.template, languageOf(parties.customer.locale));
  const rendered = renderMessage(order.template, model, own?.parts ?? undefined);
  return {
    reference,
    sender: mailboxOf(parties.creditor.name, parties.creditor.senderEmail),
    replyTo: parties.creditor.replyTo,
    subject: rendered.subject,
    text: rendered.text,
    html: order.channel === 'email' ? rendered.html : null,
    locale: parties.customer.locale,
    templateVersion: own?.parts ? own.version : null,
    recipients: to.map((p) => p.email),
    cc: cc.map((p) => p.email),
    parties,
    model,
    letterPdf: await letterOf(order, model, parties, own?.parts ?? undefined),
    phone,
    claims,
  };
}

/** Everything a message says, before it is put into words. Reads only; a preview does the same. */
export async function gatherMessage(db: Db | Tx, order: MessageOrder, reference: string): Promise<GatheredMessage> {
  const parties = await loadParties(db, order.customerId);
  const shares = order.plan ? await sharesOfPlan(db, order.plan.id) : null;
  const ids = shares === null ? order.items.map((i) => i.invoiceId) : [...shares.keys()];
  const lines = await loadInvoiceLines(db, ids);
  const email = order.channel === 'email';
  const to = email ? peopleOf(parties.customer.contacts, order.to) : [];
  const cc = email ? peopleOf(parties.customer.contacts, order.cc) : [];
  const isCall = order.channel === 'call';
  const history = isCall ? await loadHistory(db, order.customerId, ids) : [];
  const phones = isCall ? peopleToCall(parties.customer.contacts, order.roles ?? []) : [];
  const collector = await collectorOf(db, order, parties, ids);
  const states = !order.plan && order.template !== 'thank-you';
  const claims = await claimsOfMessage(db, states ? order.items : [], order.today);
  const model = modelOf(order, parties, lines, shares, reference, claims, {
    ...(collector === null ? {} : { collector }),
    contact: { name: to[0]?.name ?? phones[0]?.name ?? null, phones },
    history: historyLines(history, parties.customer.locale),
  });
  return { model, parties, to, cc, phone: phones[0]?.number ?? null, claims };
}

/**
 * What somebody who collects for others has to say of it; null for a creditor of its own claims, and in thanks, which ask
 * for nothing. Refused (`collectorSetIncomplete`) when the insurance has ended or anything else of R124-2 is missing, and
 * (`collectorLetterFirst`) for whatever is no letter while no letter of R124-4 about one of the invoices has left.
 */
async function collectorOf(
  db: Db | Tx,
  order: MessageOrder,
  { creditor }: MessageParties,
  invoiceIds: readonly string[],
): Promise<NonNullable<MessageModel['collector']> | null> {
  const { collectsFor } = creditor;
  if (collectsFor === null || order.template === 'thank-you') return null;
  const faults = collectorFaults(collectsFor, order.today, creditor.address !== null);
  if (faults.length > 0) {
    const message = 'Collecting for others needs more than is on record for the creditor.';
    throw new DomainError('collectorSetIncomplete', message, faults);
  }
  const letters = await collectorLetters(db, invoiceIds);
  const isLetter = order.channel === 'letter' || order.channel === 'registeredLetter';
  const all = invoiceIds.every((id) => letters.has(id));
  if (!all && !isLetter) {
    throw new DomainError('collectorLetterFirst', 'Whoever collects for others presents itself by letter first.');
  }
  const known = new Map([...letters.values()].map((letter) => [letter.reference, letter]));
  return { principal: collectsFor.principal, letters: all ? [...known.values()] : [] };
}

/** On paper: its PDF, or null where nobody knows where to send it and a person has to find out. */
async function letterOf(
  order: MessageOrder,
  model: MessageModel,
  { creditor, customer }: MessageParties,
  own: TemplateParts | undefined,
): Promise<Uint8Array | null> {
  if ((order.channel !== 'letter' && order.channel !== 'registeredLetter') || customer.address === null) return null;
  const details = {
    creditorCountry: creditor.country,
    place: creditor.address?.city ?? null,
    registration: creditor.registrationId,
    vatId: creditor.vatId,
  };
  const { pdf } = await renderLetterMessage(order.template, model, details, own);
  return pdf;
}

/** What a text or letter is refused for that would fail again. */
const UNWRITTEN = [
  'templateFailed',
  'unknownTemplate',
  'unprintable',
  'addressTooLong',
  'collectorSetIncomplete',
  'collectorLetterFirst',
];

/** The code of a text that could not be made, which would fail again; null for every other error. */
export const unwritten = (error: unknown): string | null =>
  error instanceof DomainError && UNWRITTEN.includes(error.code) ? error.code : null;

function modelOf(
  order: MessageOrder,
  parties: MessageParties,
  lines: readonly InvoiceLine[],
  shares: ReadonlyMap<string, bigint> | null,
  reference: string,
  { claims }: MessageClaims,
  said: Required<Pick<MessageModel, 'contact' | 'history'>> & Pick<MessageModel, 'collector'>,
): MessageModel {
  const { creditor, customer } = parties;
  const thanks = order.template === 'thank-you';
  const amounts = shares ?? new Map(order.items.map((i) => [i.invoiceId, i.amountMinor]));
  const untabled = thanks || (order.plan && order.template !== 'plan-note');
  const currencies = [...new Set(order.items.map((i) => i.currency))].sort();
  return {
    locale: customer.locale,
    tone: order.tone,
    channel: order.channel,
    creditor: {
      name: creditor.name,
      replyTo: creditor.replyTo ?? creditor.senderEmail,
      // What is collected for others goes to the account that has nothing else on it (CPCE R124-2).
      iban: creditor.collectsFor?.dedicatedIban ?? creditor.iban,
      addressLines: addressLines(creditor.address),
    },
    customer: { name: customer.name, addressLines: addressLines(customer.address) },
    customerKind: customer.kind,
    country: customer.country,
    ...(order.deadlineDays === undefined ? {} : { deadlineDays: order.deadlineDays }),
    ...(order.copy === true ? { copy: true } : {}),
    reference,
    today: order.today,
    tables: untabled ? [] : currencies.map((currency) => tableOf(currency, lines, amounts, order.today)),
    ...claimedIn(currencies, order, claims),
    ...said,
    ...(thanks
      ? {
          paid: {
            amounts: currencies.map((currency) => ({
              currency,
              amount: formatAmount(
                order.items.reduce((sum, i) => (i.currency === currency ? sum + i.amountMinor : sum), 0n),
                currency,
              ),
            })),
            numbers: lines.map((l) => l.number),
          },
        }
      : {}),
    ...(order.plan ? planWords(order, order.plan, currencies[0]!) : {}),
    portalUrl: null,
  };
}

/**
 * What is claimed beside the principal, in the first currency in which anything is: the same claims as `GET …/claim`
 * answers, added up.
 */
function claimedIn(
  currencies: readonly string[],
  order: MessageOrder,
  claims: MessageClaims['claims'],
): Pick<MessageModel, 'claim'> {
  for (const currency of currencies) {
    const own = [...claims.values()].filter((claim) => claim.currency === currency);
    const sum = (of: (claim: LawClaim) => bigint): bigint => own.reduce((total, claim) => total + of(claim), 0n);
    const accessories = sum((c) => c.totalMinor - c.principalMinor);
    if (accessories === 0n) continue;
    const asked = order.items.reduce((total, i) => (i.currency === currency ? total + i.amountMinor : total), 0n);
    const amount = (minor: bigint): string => formatAmount(minor, currency);
    return {
      claim: {
        currency,
        principal: amount(asked),
        interest: amount(sum((c) => c.interestMinor)),
        compensation: amount(sum((c) => c.compensationMinor)),
        costs: amount(sum((c) => c.costsMinor)),
        total: amount(asked + accessories),
        perDay: amount(sum((c) => c.perDayMinor)),
      },
    };
  }
  return {};
}

/** The confirmation of a plan lists all its instalments; the other notes one, and what is still to come. */
function planWords(
  { template }: MessageOrder,
  plan: PlanFact,
  currency: string,
): Pick<MessageModel, 'instalments' | 'instalment'> {
  const of = plan.instalments.length;
  const amount = (minor: bigint): string => formatAmount(minor, currency);
  const rests = instalmentRests(plan);
  if (template === 'plan-note') {
    return { instalments: rests.map((i) => ({ dueOn: i.dueOn, amount: amount(i.amountMinor), currency })) };
  }
  const left = rests.filter((i) => i.restMinor > 0n);
  const [open] = left;
  return {
    instalments: left.map((i) => ({ dueOn: i.dueOn, amount: amount(i.restMinor), currency })),
    ...(open === undefined
      ? {}
      : {
          instalment: {
            dueOn: open.dueOn,
            amount: amount(open.restMinor),
            currency,
            n: open.n,
            of,
            lastGraceDay: addDays(open.dueOn, plan.graceDays),
          },
        }),
  };
}

function tableOf(
  currency: string,
  lines: readonly InvoiceLine[],
  amounts: ReadonlyMap<string, bigint>,
  today: LocalDate,
): MessageModel['tables'][number] {
  const own = lines.filter((l) => l.currency === currency);
  const total = own.reduce((sum, l) => sum + (amounts.get(l.id) ?? 0n), 0n);
  return {
    currency,
    total: formatAmount(total, currency),
    rows: own.map((l) => rowOf(l, amounts.get(l.id) ?? 0n, today)),
  };
}

function rowOf(line: InvoiceLine, asked: bigint, today: LocalDate): MessageRow {
  return {
    number: line.number,
    issuedOn: line.issuedOn,
    dueOn: line.dueOn,
    daysLate: daysBetween(line.dueOn, today),
    amount: formatAmount(asked, line.currency),
    invoiceTotal: formatAmount(line.amountMinor, line.currency),
    note: noteOf(line, asked),
  };
}

/** Why less than the total is asked for: paid in part, or a part is contested or promised. */
function noteOf(line: InvoiceLine, asked: bigint): RowNote | null {
  if (line.balanceMinor === 0n) return 'accessoriesOnly';
  if (asked < line.balanceMinor) return 'partDisputed';
  return line.balanceMinor < line.amountMinor ? 'partPaid' : null;
}
