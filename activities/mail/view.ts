import { formatterFor, languageOf, oneLine, type Formatter } from './format.ts';
import type { Claim, Instalment, MessageModel, MessageRow } from './message-model.ts';
import { fill, type BuiltInTemplate, type Labels } from './templates.ts';

/** More numbers than these make a subject unreadable; the table has them all. */
const NUMBERS_IN_TEXT = 5;

/** What the templates see: everything printed for the locale and on one line, nothing escaped yet. */
export type View = Record<string, unknown>;

/** Turns a model into the words, amounts and dates its templates need. */
export function viewOf(template: BuiltInTemplate, model: MessageModel, labels: Labels): View {
  const format = formatterFor(model.locale);
  const rows = model.tables.flatMap((table) => table.rows);
  const oldest = rows.map((row) => row.dueOn).reduce((a, b) => (a < b ? a : b), rows[0]?.dueOn ?? model.today);
  const mostLate = Math.max(0, ...rows.map((row) => row.daysLate));
  const contactName = model.contact?.name ? oneLine(model.contact.name) : null;
  return {
    lang: languageOf(model.locale),
    labels,
    tone: model.tone,
    channel: model.channel,
    isLetter: model.channel === 'letter' || model.channel === 'registeredLetter',
    isScript: template === 'call-script',
    showPayment: template !== 'call-script' && template !== 'thank-you',
    salutation: contactName === null ? labels.salutation : fill(labels.salutationNamed, { name: contactName }),
    reachUs: reachUs(model, labels),
    creditor: {
      name: oneLine(model.creditor.name),
      replyTo: model.creditor.replyTo === null ? null : oneLine(model.creditor.replyTo),
      iban: model.creditor.iban === null ? null : groupedIban(model.creditor.iban),
      addressLines: lines(model.creditor.addressLines),
    },
    customer: { name: oneLine(model.customer.name), addressLines: lines(model.customer.addressLines) },
    contact: { name: contactName, phones: phonesOf(model) },
    reference: oneLine(model.reference),
    today: format.longDate(model.today),
    payBy: model.payBy ? format.longDate(model.payBy) : null,
    count: rows.length,
    numbers: numbers(
      rows.map((row) => row.number),
      format,
    ),
    totals: format.list(model.tables.map((table) => format.money(table.total, table.currency))),
    oldestDueOn: format.longDate(oldest),
    maxLate: mostLate > 0 ? lateness(mostLate, labels, format) : null,
    tables: model.tables.map((table) => ({
      total: format.money(table.total, table.currency),
      rows: table.rows.map((row) => rowView(row, table.currency, labels, format)),
    })),
    history: model.history.map((item) => ({ on: format.longDate(item.on), what: oneLine(item.what) })),
    paid: model.paid
      ? {
          amounts: format.list(model.paid.amounts.map((one) => format.money(one.amount, one.currency))),
          numbers: numbers(model.paid.numbers, format),
          count: model.paid.numbers.length,
        }
      : null,
    instalments: (model.instalments ?? []).map((one) => ({
      dueOn: format.longDate(one.dueOn),
      amount: format.money(one.amount, one.currency),
    })),
    instalment: model.instalment ? instalmentView(model.instalment, format) : null,
    claim: model.claim ? claimView(model.claim, format) : null,
    asked: format.list(
      model.tables.map(({ total, currency }) =>
        format.money(model.claim?.currency === currency ? model.claim.total : total, currency),
      ),
    ),
    deadlineDays: model.deadlineDays ?? null,
    copyOf: model.copy === true ? labels.copyOfLetter : null,
    customerKind: model.customerKind ?? null,
    country: model.country ?? null,
    portalUrl: model.portalUrl,
  };
}

/** What the layouts alone need. Creditors write parts against the rest, so the rest keeps its names (docs/policies.md). */
const OF_LAYOUTS: ReadonlySet<string> = new Set(['lang', 'labels', 'isLetter', 'isScript', 'showPayment', 'copyOf']);

/** The view as the parts of a text see it. */
export function partView(view: View): View {
  return Object.fromEntries(Object.entries(view).filter(([name]) => !OF_LAYOUTS.has(name)));
}

function instalmentView(one: Instalment, format: Formatter): View {
  return {
    dueOn: format.longDate(one.dueOn),
    amount: format.money(one.amount, one.currency),
    n: one.n,
    of: one.of,
    lastGraceDay: one.lastGraceDay ? format.longDate(one.lastGraceDay) : null,
  };
}

/** What comes to nothing is not mentioned. */
function claimView(claim: Claim, format: Formatter): View {
  const money = (amount: string | null | undefined): string | null =>
    amount && /[1-9]/.test(amount) ? format.money(amount, claim.currency) : null;
  return {
    principal: format.money(claim.principal, claim.currency),
    interest: money(claim.interest),
    compensation: money(claim.compensation),
    costs: money(claim.costs),
    total: format.money(claim.total, claim.currency),
    perDay: money(claim.perDay),
  };
}

function rowView(row: MessageRow, currency: string, labels: Labels, format: Formatter): View {
  const amount = format.money(row.amount, currency);
  const total = format.money(row.invoiceTotal, currency);
  const dueOn = format.shortDate(row.dueOn);
  return {
    number: oneLine(row.number),
    issued: fill(labels.issuedOn, { date: format.shortDate(row.issuedOn) }),
    dueOn,
    due: fill(row.daysLate > 0 ? labels.dueOn : labels.dueSoonOn, { date: dueOn }),
    late: row.daysLate > 0 ? lateness(row.daysLate, labels, format) : null,
    amount,
    outOf: amount === total ? null : fill(labels.outOf, { amount: total }),
    note: row.note ? labels.notes[row.note] : null,
  };
}

function lateness(days: number, labels: Labels, format: Formatter): string {
  return fill(format.plural(days) === 'one' ? labels.late.one : labels.late.other, { n: String(days) });
}

/** The numbers to call, with their names where there are several people; null where none is known. */
function phonesOf({ contact }: MessageModel): string | null {
  const phones = contact?.phones ?? [];
  const several = new Set(phones.map((one) => one.name)).size > 1;
  const texts = phones.map(({ number, name }) =>
    several && name !== null ? `${oneLine(number)} (${oneLine(name)})` : oneLine(number),
  );
  return texts.length > 0 ? texts.join(', ') : null;
}

/** How the reader gets in touch: by answering a mail, by writing to an address, or in general. */
function reachUs(model: MessageModel, labels: Labels): string {
  if (model.channel === 'email') return labels.reachUs.reply;
  if (model.creditor.replyTo === null) return labels.reachUs.other;
  return fill(labels.reachUs.write, { address: oneLine(model.creditor.replyTo) });
}

function numbers(all: string[], format: Formatter): string {
  const shown = all.slice(0, NUMBERS_IN_TEXT).map(oneLine);
  return all.length > shown.length ? `${shown.join(', ')}…` : format.list(shown);
}

/** In groups of four, as on paper; no-break spaces keep it on one line where it fits. */
export function groupedIban(iban: string): string {
  return (
    oneLine(iban)
      .replace(/\s/g, '')
      .match(/.{1,4}/gu) ?? []
  ).join('\u00a0');
}

const lines = (texts: string[]): string[] => texts.map(oneLine).filter((line) => line !== '');
