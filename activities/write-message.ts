import type { Db, Tx } from '../db/database.ts';
import { newReference, type WrittenMessage } from '../db/repositories/contacts.ts';
import {
  loadHistory,
  loadInvoiceLines,
  loadParties,
  peopleOf,
  type InvoiceLine,
  type MessageParties,
} from '../db/repositories/message-data.ts';
import { findTemplate } from '../db/repositories/templates.ts';
import type { Channel, Tone } from '../domain/policy/types.ts';
import { DomainError } from '../domain/errors.ts';
import { formatAmount } from '../domain/money.ts';
import { daysBetween, type LocalDate } from '../domain/time/dates.ts';
import { languageOf } from './mail/format.ts';
import type { MessageModel, MessageRow, RowNote } from './mail/message-model.ts';
import { renderMessage } from './mail/render.ts';
import { mailboxOf } from './mail/resend-client.ts';

/** What is to be written: one message over any number of invoices of one customer. Amounts are minor units. */
export interface MessageOrder {
  customerId: string;
  template: string;
  tone: Tone;
  channel: Channel;
  /** Keys of the recipients; for calls and letters none. */
  to: readonly string[];
  cc: readonly string[];
  today: LocalDate;
  items: readonly { invoiceId: string; amountMinor: bigint; currency: string }[];
}

export interface GatheredMessage {
  model: MessageModel;
  parties: MessageParties;
  to: ReturnType<typeof peopleOf>;
  cc: ReturnType<typeof peopleOf>;
}

/**
 * Writes a message in the customer's language from the facts under the caller's locks: with the creditor's own text where
 * there is one, in its newest version, else with the built-in one. What is written is final.
 */
export async function writeMessage(
  tx: Tx,
  order: MessageOrder,
): Promise<WrittenMessage & { parties: MessageParties; model: MessageModel; letterPdf: Uint8Array | null }> {
  const reference = newReference();
  const { model, parties, to, cc } = await gatherMessage(tx, order, reference);
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
  };
}

/** Everything a message says, before it is put into words. Reads only; a preview does the same. */
export async function gatherMessage(db: Db | Tx, order: MessageOrder, reference: string): Promise<GatheredMessage> {
  const parties = await loadParties(db, order.customerId);
  const ids = order.items.map((i) => i.invoiceId);
  const lines = await loadInvoiceLines(db, ids);
  const email = order.channel === 'email';
  const to = email ? peopleOf(parties.customer.contacts, order.to) : [];
  const cc = email ? peopleOf(parties.customer.contacts, order.cc) : [];
  const history = order.channel === 'call' ? await loadHistory(db, ids) : [];
  const model = modelOf(order, parties, lines, reference, to[0]?.name ?? null, history);
  return { model, parties, to, cc };
}

/** The code of a text that could not be made, which would fail again; null for every other error. */
export function unwritten(error: unknown): string | null {
  if (!(error instanceof DomainError)) return null;
  return error.code === 'templateFailed' || error.code === 'unknownTemplate' ? error.code : null;
}

function modelOf(
  order: MessageOrder,
  parties: MessageParties,
  lines: readonly InvoiceLine[],
  reference: string,
  contactName: string | null,
  history: { on: LocalDate; what: string }[],
): MessageModel {
  const { creditor, customer } = parties;
  const thanks = order.template === 'thank-you';
  const amounts = new Map(order.items.map((i) => [i.invoiceId, i.amountMinor]));
  const currencies = [...new Set(order.items.map((i) => i.currency))].sort();
  return {
    locale: customer.locale,
    tone: order.tone,
    channel: order.channel,
    creditor: {
      name: creditor.name,
      replyTo: creditor.replyTo ?? creditor.senderEmail,
      iban: creditor.iban,
      addressLines: linesOf(creditor.address),
    },
    customer: { name: customer.name, addressLines: linesOf(customer.address) },
    contact: { name: contactName },
    reference,
    today: order.today,
    tables: thanks ? [] : currencies.map((currency) => tableOf(currency, lines, amounts, order.today)),
    history,
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
    portalUrl: null,
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
  if (asked < line.balanceMinor) return 'partDisputed';
  return line.balanceMinor < line.amountMinor ? 'partPaid' : null;
}

function linesOf(address: MessageParties['creditor']['address']): string[] {
  if (address === null) return [];
  return [...address.lines, `${address.postalCode} ${address.city}`.trim(), address.country].filter((l) => l !== '');
}
