import type { LocalDate } from '../../domain/time/dates.ts';
import { formatterFor, languageOf } from '../mail/format.ts';
import { readLabels } from '../mail/templates.ts';
import { addressField, fitAddress, type AddressField } from './address.ts';
import { Flow } from './flow.ts';
import { frameBetween, furnish, placeAndDate } from './furniture.ts';
import { mm } from './page.ts';
import { wrapped } from './text.ts';

/** What the head of a letter says. */
export interface LetterHead {
  /** BCP 47: the words around the text are French, German or English; numbers and dates follow the region. */
  locale: string;
  /** Where the letter is posted (ISO 3166-1 alpha-2): France has its own envelopes. */
  fromCountry: string;
  sender: {
    name: string;
    addressLines: readonly string[];
    /** An address or number to answer to. */
    contact?: string | null;
    /** For the footer, as they are to be printed: `RCS Lyon 123 456 789`, `DE123456789`. */
    registration?: string | null;
    vatId?: string | null;
  };
  /** All lines of the window, in their order; six are what the post reads, two more fit in smaller type. */
  recipientLines: readonly string[];
  registered: boolean;
  place?: string | null;
  date: LocalDate;
  reference: string;
}

const RIGHT = 190;
const SENDER_SIZE = 9;
/** Where the second column of a letter's head begins. */
const COLUMN: Readonly<Record<'french' | 'din', number>> = { french: 105, din: 125 };
const FOLD_MARK = { from: 5, to: 9 } as const;

/**
 * The first page with its head: sender, window, date, reference, fold marks. The pen stands where the text begins.
 * @throws DomainError `unprintable`, `addressTooLong`
 */
export function letterFlow(head: LetterHead): Flow {
  const french = head.fromCountry === 'FR';
  const flow = new Flow(frameBetween(french ? 20 : 25, RIGHT));
  const field = addressField(head.fromCountry);
  if (french) frenchHead(flow, head);
  else dinHead(flow, head, field);
  const address = fitAddress(head.recipientLines, field);
  for (const { text, y } of address.lines) flow.put(text, field.left, y, { size: address.size });
  for (const y of field.folds) {
    flow.mark({ kind: 'line', x1: FOLD_MARK.from, y1: y, x2: FOLD_MARK.to, y2: y, width: 0.5, grey: true });
  }
  return flow;
}

/** Running head, footer and page numbers of a letter whose text is complete. */
export function furnishLetter(flow: Flow, head: LetterHead): void {
  const { sender, locale, reference, date } = head;
  const labels = readLabels(languageOf(locale));
  const named = (label: string, value: string | null | undefined): string | null =>
    value ? `${label}${labels.colon}${value}` : null;
  furnish(flow, {
    locale,
    running: { left: sender.name, right: `${reference} · ${formatterFor(locale).longDate(date)}` },
    footer: [
      sender.name,
      named(labels.letter.registration, sender.registration),
      named(labels.letter.vatId, sender.vatId),
    ],
  });
}

/** Sender on the left, date on the right below the window, then what kind of letter it is. */
function frenchHead(flow: Flow, model: LetterHead): void {
  const labels = readLabels(languageOf(model.locale)).letter;
  const { left, right } = flow.frame;
  senderBlock(flow, model, left, COLUMN.french - 7);
  flow.y = Math.max(flow.y + 3, 84);
  const top = flow.y;
  flow.paragraph(placeAndDate(model.locale, model.place, model.date), { after: 0 }, COLUMN.french, right);
  const below = flow.y;
  flow.y = top;
  if (model.registered) flow.paragraph(labels.registered, { weight: 'bold', after: 0 }, left, COLUMN.french - 4);
  referenceLine(flow, model, left, COLUMN.french - 4);
  flow.y = Math.max(flow.y, below) + 6;
}

/** DIN 5008 form B: letterhead and information on the right, return address and remark above the address. */
function dinHead(flow: Flow, model: LetterHead, field: AddressField): void {
  const labels = readLabels(languageOf(model.locale)).letter;
  const { right } = flow.frame;
  senderBlock(flow, model, COLUMN.din, right);
  flow.y = Math.max(flow.y + 4, 50);
  flow.paragraph(placeAndDate(model.locale, model.place, model.date), { size: 9, after: 1 }, COLUMN.din, right);
  referenceLine(flow, model, COLUMN.din, right);
  const back = [model.sender.name, ...model.sender.addressLines].join(' · ');
  const [first = ''] = wrapped(flow.clean(back), 6.5, 'regular', field.width);
  flow.put(first, field.left, field.top - 4.2, { size: 6.5, grey: true });
  flow.rule(field.top - 1, true, field.left, field.left + field.width);
  if (model.registered) flow.put(flow.clean(labels.registered), field.left, field.top - 9, { size: 9, weight: 'bold' });
  flow.y = Math.max(flow.y + 4, 98.5);
}

function senderBlock(flow: Flow, { sender }: LetterHead, left: number, right: number): void {
  flow.y = 15;
  flow.paragraph(sender.name, { size: 11, weight: 'bold', after: 0.6 }, left, right);
  for (const line of [...sender.addressLines, sender.contact ?? '']) {
    if (line !== '') flow.paragraph(line, { size: SENDER_SIZE, after: -mm(SENDER_SIZE * 0.12) }, left, right);
  }
}

function referenceLine(flow: Flow, model: LetterHead, left: number, right: number): void {
  const { letter, colon } = readLabels(languageOf(model.locale));
  flow.paragraph(`${letter.reference}${colon}${model.reference}`, { size: 9, after: 0 }, left, right);
}
