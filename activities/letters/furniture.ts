import { formatterFor, languageOf } from '../mail/format.ts';
import { fill, readLabels } from '../mail/templates.ts';
import type { Flow, Frame } from './flow.ts';
import { wrapped } from './text.ts';

/** What stands around the text on every page. */
export interface Furniture {
  locale: string;
  /** Repeated at the head of every page but the first. */
  running: { left: string; right: string };
  /** At the foot of every page; parts without a value are left out. */
  footer: readonly (string | null | undefined)[];
}

const SMALL = 7.5;
const RUNNING_TOP = 12;
const FOOTER_TOP = 279;
const FOOTER_LINE = 3.6;
const FOOTER_LINES = 2;
const PAGE_NUMBER_WIDTH = 26;

/** The frame for text below the running head and above the footer. */
export const frameBetween = (left: number, right: number): Frame => ({ left, right, top: 22, bottom: 272 });

/** Puts head, footer and "Page 1/3" on pages that are complete. */
export function furnish(flow: Flow, { locale, running, footer }: Furniture): void {
  const { left, right } = flow.frame;
  const labels = readLabels(languageOf(locale)).letter;
  const text = flow.clean(footer.filter((part) => part !== null && part !== undefined && part !== '').join(' · '));
  const lines = wrapped(text, SMALL, 'regular', right - left - PAGE_NUMBER_WIDTH).slice(0, FOOTER_LINES);
  const style = { size: SMALL, grey: true } as const;
  const pages = flow.pages.length;
  for (const [i, page] of flow.pages.entries()) {
    const own = flow.on(page);
    if (i > 0) {
      const [head = ''] = wrapped(flow.clean(running.left), SMALL, 'regular', (right - left) * 0.6);
      own.put(head, left, RUNNING_TOP, style);
      own.put(flow.clean(running.right), right, RUNNING_TOP, { ...style, align: 'right' });
      own.rule(RUNNING_TOP + 5);
    }
    own.rule(FOOTER_TOP - 1.5);
    for (const [n, line] of lines.entries()) own.put(line, left, FOOTER_TOP + n * FOOTER_LINE, style);
    const number = fill(labels.page, { n: String(i + 1), of: String(pages) });
    own.put(number, right, FOOTER_TOP, { size: SMALL, align: 'right' });
  }
}

/** `Lyon, le 21 novembre 2026`, or the date alone. */
export function placeAndDate(locale: string, place: string | null | undefined, date: string): string {
  const day = formatterFor(locale).longDate(date);
  return place ? fill(readLabels(languageOf(locale)).letter.placeAndDate, { place, date: day }) : day;
}
