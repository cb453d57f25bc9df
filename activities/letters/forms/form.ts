import type { LocalDate } from '../../../domain/time/dates.ts';
import { formatterFor, languageOf } from '../../mail/format.ts';
import { Flow } from '../flow.ts';
import { frameBetween, furnish } from '../furniture.ts';
import type { Layout } from '../page.ts';
import { recorded } from '../text.ts';

/** What heads every form. */
export interface FormHead {
  /** BCP 47: the form is in French, German or English; numbers and dates follow the region. */
  locale: string;
  title: string;
  /** Below the title: what or whom it is about. */
  subtitle?: string | null;
  /** The day it bears. */
  date: LocalDate;
  /** Whose form it is; stands at the foot of each page. */
  issuer: string;
  reference?: string | null;
}

/** Somebody as a form shows them: the address and whatever else is known, in lines as they are to be printed. */
export interface FormParty {
  name: string;
  addressLines: readonly string[];
  /** SIREN, trade register and the like. */
  registration?: string | null;
  vatId?: string | null;
  email?: string | null;
  phone?: string | null;
}

const LEFT = 20;
const RIGHT = 190;
const TOP = 18;
const COLUMN_GAP = 8;

/** The first page with its title. A form is a record: it always prints (see `recorded`). */
export function startForm({ locale, title, subtitle, date, reference }: FormHead): Flow {
  const flow = new Flow(frameBetween(LEFT, RIGHT), TOP, recorded);
  flow.paragraph(title, { size: 16, weight: 'bold', after: 1 });
  const below = [subtitle, reference, formatterFor(locale).longDate(date)].filter((part) => part);
  flow.paragraph(below.join(' · '), { size: 9, grey: true, after: 3 });
  flow.rule(flow.y - 1);
  flow.gap(3);
  return flow;
}

/** The form with its running head, footer and page numbers. */
export function finishForm(flow: Flow, { locale, title, date, issuer, reference }: FormHead): Layout {
  furnish(flow, {
    locale,
    running: {
      left: title,
      right: [reference, formatterFor(locale).longDate(date)].filter((part) => part).join(' · '),
    },
    footer: [issuer, reference],
  });
  return { title: recorded(title), language: languageOf(locale), date, pages: flow.pages };
}

/** Two parties side by side. */
export function putParties(
  flow: Flow,
  left: { role: string; party: FormParty },
  right: { role: string; party: FormParty },
): void {
  const middle = (flow.frame.left + flow.frame.right) / 2;
  const top = flow.y;
  putParty(flow, left, flow.frame.left, middle - COLUMN_GAP / 2);
  const end = flow.y;
  flow.y = top;
  putParty(flow, right, middle + COLUMN_GAP / 2, flow.frame.right);
  flow.y = Math.max(flow.y, end);
  flow.gap(4);
}

function putParty(flow: Flow, { role, party }: { role: string; party: FormParty }, left: number, right: number): void {
  flow.paragraph(role, { size: 8, grey: true, after: 0.4 }, left, right);
  flow.paragraph(party.name, { weight: 'bold', after: 0 }, left, right);
  for (const line of [...party.addressLines, party.registration, party.vatId, party.email, party.phone]) {
    if (line) flow.paragraph(line, { size: 9, after: 0 }, left, right);
  }
}
