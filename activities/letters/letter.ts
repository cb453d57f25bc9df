import { formatAmount, parseAmount } from '../../domain/money.ts';
import type { Block } from '../mail/blocks.ts';
import { formatterFor, languageOf } from '../mail/format.ts';
import type { MessageModel } from '../mail/message-model.ts';
import { fill, readLabels } from '../mail/templates.ts';
import { runningSums } from './amounts.ts';
import { draw } from './draw.ts';
import type { Flow } from './flow.ts';
import { furnishLetter, letterFlow, type LetterHead } from './letter-head.ts';
import { LEADING, mm, type Layout } from './page.ts';
import { putTable, type Table } from './table.ts';
import { printable } from './text.ts';

/** A letter to one recipient. Texts may hold anything; they are cleaned, or refused, on the way to the paper. */
export interface LetterModel extends LetterHead {
  subject: string;
  lead: readonly Block[];
  tables: MessageModel['tables'];
  /** Left out where nothing is to be paid. */
  payment?: { beneficiary: string; iban: string | null; reference: string; portalUrl?: string | null } | null;
  /** The last block is the complimentary close; the sender's name follows it. */
  close: readonly Block[];
  /** A line to sign on, with the name of who signs where it is known. */
  signature?: { name: string | null } | null;
}

/** A letter's signature, its name and the line for it, stands on one page with the close. */
const SIGNATURE_ROOM = 30;
const SIGNING_ROOM = 22;

/**
 * The letter as a PDF (A4, fonts embedded); equal models give equal bytes.
 * @throws DomainError `unprintable` (see `printable`), `addressTooLong`
 */
export async function renderLetter(model: LetterModel): Promise<Uint8Array> {
  return draw(layoutLetter(model));
}

/** Where everything of a letter stands. Errors as `renderLetter`. */
export function layoutLetter(model: LetterModel): Layout {
  const flow = letterFlow(model);
  body(flow, model);
  furnishLetter(flow, model);
  return { title: printable(model.subject), language: languageOf(model.locale), date: model.date, pages: flow.pages };
}

function body(flow: Flow, model: LetterModel): void {
  const labels = readLabels(languageOf(model.locale));
  const subject = languageOf(model.locale) === 'fr' ? `${labels.subject}${labels.colon}` : '';
  flow.paragraph(`${subject}${model.subject}`, { size: 11, weight: 'bold', after: 5 });
  flow.blocks(model.lead);
  const tables = model.tables.filter((table) => table.rows.length > 0);
  for (const table of tables) {
    flow.gap(1);
    if (tables.length > 1) flow.heading(fill(labels.letter.tableIn, { currency: table.currency }), 9);
    putTable(flow, invoiceTable(model.locale, table));
  }
  if (model.payment) paymentBlock(flow, model, model.payment);
  // The close takes a paragraph with it, so that no page holds a greeting alone.
  flow.blocks(model.close.slice(0, -2));
  flow.need(SIGNATURE_ROOM + (model.signature ? SIGNING_ROOM : 0));
  flow.blocks(model.close.slice(-2));
  flow.gap(1);
  flow.paragraph(model.sender.name, { weight: 'bold' });
  if (model.signature) signingLine(flow, labels.letter.signature, model.signature.name);
}

/** A line to sign on, below it who signs, or the word. */
export function signingLine(flow: Flow, word: string, name: string | null): void {
  flow.need(SIGNING_ROOM);
  flow.gap(13);
  flow.rule(flow.y, false, flow.frame.left, flow.frame.left + 65);
  flow.gap(0.8);
  flow.paragraph(name ?? word, { size: 8, grey: name === null, after: 0 });
}

function paymentBlock(flow: Flow, model: LetterModel, payment: NonNullable<LetterModel['payment']>): void {
  const labels = readLabels(languageOf(model.locale));
  const rows = [
    [labels.beneficiary, payment.beneficiary],
    [labels.iban, payment.iban],
    [labels.referenceToQuote, payment.reference],
    [labels.portal, payment.portalUrl],
  ] as const;
  flow.need(12 + rows.length * mm(10 * LEADING.text));
  flow.heading(labels.payment, 10);
  flow.details(rows, 46);
}

/** The invoices of one currency, with what has come together at the foot and head of each page. */
function invoiceTable(locale: string, { currency, total, rows }: MessageModel['tables'][number]): Table {
  const labels = readLabels(languageOf(locale));
  const format = formatterFor(locale);
  const money = (amount: string): string => format.money(amount, currency);
  const sums = runningSums(rows.map((row) => parseAmount(row.amount, currency)));
  const late = rows.some((row) => row.daysLate > 0);
  return {
    columns: [
      { title: labels.invoice, share: 26 },
      { title: labels.letter.issued, share: 17 },
      { title: labels.due, share: 17 },
      ...(late ? [{ title: labels.letter.lateDays, share: 12, align: 'right' } as const] : []),
      { title: labels.letter.invoiceTotal, share: 19, align: 'right' },
      { title: labels.toPay, share: 19, align: 'right' },
    ],
    rows: rows.map((row) => ({
      cells: [
        row.number,
        format.shortDate(row.issuedOn),
        format.shortDate(row.dueOn),
        ...(late ? [row.daysLate > 0 ? String(row.daysLate) : ''] : []),
        money(row.invoiceTotal),
        money(row.amount),
      ],
      note: row.note ? labels.notes[row.note] : null,
    })),
    totals: [{ label: labels.total, values: [money(total)] }],
    carried: {
      out: labels.letter.carriedOut,
      in: labels.letter.carriedIn,
      values: (count) => [money(formatAmount(sums[count] ?? 0n, currency))],
    },
  };
}
