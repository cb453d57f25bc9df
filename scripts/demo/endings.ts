import { mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { unzipSync } from 'fflate';
import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import { formatAmount } from '../../domain/money.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import { CUSTOMERS, INVOICES, NOTICE_DAYS } from './book.ts';
import { Refusal, type Client } from './client.ts';
import { numberOf } from './story.ts';
import { money, shortDate } from './words.ts';

/** What is on record of a case, as far as it tells how the case ended. */
interface Course {
  readonly id: string;
  readonly stage: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly balance: bigint;
  readonly writtenOff: bigint;
  readonly recovered: bigint;
  /** Its holds that are not lifted. */
  readonly holds: readonly string[];
  /** What happened, in the order in which it did; `on` by the creditor's calendar. */
  readonly events: readonly { kind: string; on: LocalDate }[];
  /** When the money that is assigned to it was booked, at the latest. */
  readonly bookedOn: LocalDate | null;
  readonly noticeDeliveredOn: LocalDate | null;
}

interface Ending {
  readonly title: string;
  /** The invoice that ends so. */
  readonly number: string;
  /** Another one under the same plan: what ends the plan stands with whichever is still open. */
  readonly also?: string;
  /** The paper that shows it. */
  readonly paper: 'timeline' | 'letter' | 'agencyFile' | 'claimDeclaration';
  /** Kinds of events that it takes, in this order; others may lie between. */
  readonly course: readonly string[];
  /** What else must be so, by its name. */
  readonly holds: Readonly<Record<string, (course: Course) => boolean>>;
  tell(course: Course): string;
}

/** Whether an ending was reached, and in what words. */
export interface Reached {
  readonly ending: Ending;
  readonly customer: string;
  readonly invoiceId: string;
  readonly what: string;
  /** What is not so, where it was not reached. */
  readonly missing: string | null;
}

const last = ({ events }: Course, kind: string): LocalDate => events.findLast((e) => e.kind === kind)?.on ?? '';
const on = (course: Course, kind: string): string => {
  const date = last(course, kind);
  return date === '' ? 'never' : shortDate(date);
};
const show = ({ currency }: Course, minor: bigint): string => money(formatAmount(minor, currency), currency);
const deadline = ({ noticeDeliveredOn }: Course): LocalDate | null =>
  noticeDeliveredOn && addDays(noticeDeliveredOn, NOTICE_DAYS);

const paid = { 'nothing is open': ({ balance }: Course) => balance === 0n };
const settled = { ...paid, 'it is settled': ({ stage }: Course) => stage === 'settled' };

/** All the ways in which a case can end, each with the invoice of the book that does. */
export const ENDINGS: readonly Ending[] = [
  {
    title: 'settled',
    number: numberOf(1),
    paper: 'timeline',
    course: ['paymentAllocated', 'paymentAllocated', 'settled'],
    holds: settled,
    tell: (c) => `paid in two parts, the rest as promised; settled on ${on(c, 'settled')}`,
  },
  {
    title: 'settled through a plan',
    number: numberOf(42),
    also: numberOf(41),
    paper: 'timeline',
    course: ['planAgreed', 'paymentAllocated', 'planKept'],
    holds: settled,
    tell: (c) => `terms agreed on ${on(c, 'planAgreed')}, kept to the end on ${on(c, 'planKept')}`,
  },
  {
    title: 'plan defaulted',
    number: numberOf(43),
    paper: 'letter',
    course: ['planAgreed', 'planBroken', 'formalNoticeSent'],
    holds: { 'the rest is open': ({ balance, amount }) => balance > 0n && balance < amount },
    tell: (c) => `terms broken on ${on(c, 'planBroken')}; formal notice of ${on(c, 'formalNoticeSent')} for the rest`,
  },
  {
    title: 'notice, then paid in time',
    number: numberOf(44),
    paper: 'letter',
    course: ['approved', 'formalNoticeSent', 'paymentAllocated', 'settled'],
    holds: {
      ...settled,
      'the money came by the deadline': (c) => c.bookedOn !== null && c.bookedOn <= (deadline(c) ?? ''),
      'no agency had it': ({ events }) => events.every(({ kind }) => kind !== 'placed'),
    },
    tell: (c) =>
      `notice posted on ${on(c, 'formalNoticeSent')}, to be paid by ${shortDate(deadline(c) ?? '')}, paid on ` +
      shortDate(c.bookedOn ?? ''),
  },
  {
    title: 'placed, then paid directly',
    number: numberOf(45),
    paper: 'agencyFile',
    course: ['formalNoticeSent', 'placed', 'paymentAllocated', 'recalled'],
    holds: settled,
    tell: (c) => `with the agency since ${on(c, 'placed')}, paid to us and recalled on ${on(c, 'recalled')}`,
  },
  {
    title: 'written off',
    number: numberOf(46),
    paper: 'timeline',
    course: ['formalNoticeSent', 'placed', 'agencyGaveUp', 'writtenOff'],
    holds: {
      ...paid,
      'all of it is a loss': ({ writtenOff, amount, recovered }) => writtenOff === amount && recovered === 0n,
      'it is written off': ({ stage }) => stage === 'writtenOff',
    },
    tell: (c) => `the agency gave up on ${on(c, 'agencyGaveUp')}, a loss since ${on(c, 'writtenOff')}`,
  },
  {
    title: 'recovered later',
    number: numberOf(47),
    paper: 'timeline',
    course: ['formalNoticeSent', 'writtenOff', 'recovered'],
    holds: { ...settled, 'all of it came after all': ({ recovered, amount }) => recovered === amount },
    tell: (c) => `a loss on ${on(c, 'writtenOff')}, paid all the same on ${on(c, 'recovered')}`,
  },
  {
    title: 'insolvent',
    number: numberOf(48),
    paper: 'claimDeclaration',
    course: ['insolvencyDeclared'],
    holds: {
      'it is held': ({ holds }) => holds.includes('insolvency'),
      'all of it is declared': ({ balance, amount }) => balance === amount,
      'nothing left since': ({ events }) =>
        events
          .slice(events.findIndex(({ kind }) => kind === 'insolvencyDeclared'))
          .every(({ kind }) => kind !== 'stepTaken'),
    },
    tell: (c) => `stopped on ${on(c, 'insolvencyDeclared')}, ${show(c, c.balance)} and its interest to be declared`,
  },
];

/** How the cases that the endings are about stand. */
export async function readEndings(db: Db): Promise<Reached[]> {
  const courses = await readCourses(db);
  return ENDINGS.map((ending) => {
    const own = courses.get(ending.number);
    const others = ending.also === undefined ? [] : (courses.get(ending.also)?.events ?? []);
    const course = own && { ...own, events: [...own.events, ...others] };
    const customer = CUSTOMERS[INVOICES.find(({ number }) => number === ending.number)!.customer].name;
    if (!course) return { ending, customer, invoiceId: '', what: '', missing: 'there is no such invoice' };
    return { ending, customer, invoiceId: course.id, what: ending.tell(course), missing: missingOf(ending, course) };
  });
}

/** What of an ending a case does not show; null where it shows all of it. */
export function missingOf({ course: wanted, holds }: Ending, course: Course): string | null {
  let from = 0;
  for (const kind of wanted) {
    const found = course.events.findIndex((event, index) => index >= from && event.kind === kind);
    if (found < 0) return `no ${kind} after ${wanted[wanted.indexOf(kind) - 1] ?? 'its beginning'}`;
    from = found + 1;
  }
  const not = Object.entries(holds).find(([, isSo]) => !isSo(course));
  return not ? `not so: ${not[0]} (${course.stage}, ${show(course, course.balance)} open)` : null;
}

async function readCourses(db: Db): Promise<Map<string, Course>> {
  const numbers = ENDINGS.flatMap(({ number, also }) => (also === undefined ? [number] : [number, also]));
  const { rows } = await sql<Course & { number: string }>`
    select i.id, i.number, i.stage, i.currency, i.amount_minor as amount, i.balance_minor as balance,
      i.written_off_minor as "writtenOff", i.recovered_minor as recovered,
      (select coalesce(jsonb_agg(h.kind), '[]') from holds h where h.invoice_id = i.id and h.lifted_on is null) as holds,
      (select coalesce(jsonb_agg(jsonb_build_object('kind', e.kind, 'on',
         to_char(e.at at time zone k.time_zone, 'YYYY-MM-DD')) order by e.n), '[]')
       from events e where e.invoice_id = i.id) as events,
      (select max(r.booked_on)::text from allocations a join receipts r on r.id = a.receipt_id
       where a.invoice_id = i.id and not exists (select 1 from allocation_reversals v where v.allocation_id = a.id))
        as "bookedOn",
      n.delivered_on::text as "noticeDeliveredOn"
    from invoices i join creditors k on k.id = i.creditor_id
    left join lateral (select c.delivered_on from contacts c join contact_items m on m.contact_id = c.id
      where m.invoice_id = i.id and c.kind = 'formalNotice' and c.dispatched_on is not null
      order by c.seq desc limit 1) n on true
    where i.number = any(${numbers})`.execute(db);
  return new Map(rows.map((row) => [row.number, row]));
}

const DOCUMENTS = 'documents';

/**
 * Fetches the paper of each ending and puts it into `documents` of the data folder. Returns where each is, by the title
 * of its ending: relative to where one stands, if it is below.
 */
export async function savePapers(
  client: Client,
  reached: readonly Reached[],
  dataDir: string,
): Promise<Map<string, string>> {
  const folder = join(dataDir, DOCUMENTS);
  mkdirSync(folder, { recursive: true });
  const papers = new Map<string, string>();
  for (const [index, one] of reached.entries()) {
    const { title, number, paper } = one.ending;
    const name = `${index + 1}-${title.replaceAll(/[^a-z]+/g, '-')}-${number}`;
    const files = await papersOf(client, one).catch((error: unknown) => {
      if (error instanceof Refusal) return null;
      throw error;
    });
    if (files === null) continue;
    for (const [ending, bytes] of files) writeFileSync(join(folder, `${name}${ending}`), bytes);
    const kind = {
      timeline: 'its timeline',
      letter: 'the notice',
      agencyFile: 'the claim sheet',
      claimDeclaration: 'the declaration',
    };
    papers.set(title, `${kind[paper]}: ${shown(join(folder, `${name}.pdf`))}`);
  }
  return papers;
}

/** Endings of file names with what is in them; of an agency's file the claim sheet is taken out. Null: there is none. */
async function papersOf(client: Client, { ending, invoiceId }: Reached): Promise<[string, Uint8Array][] | null> {
  switch (ending.paper) {
    case 'timeline':
      return [['.pdf', await client.getBytes(`/v1/invoices/${invoiceId}/timeline?format=pdf`)]];
    case 'agencyFile': {
      const [placement] = await client.list<{ id: string }>(`/v1/placements?invoiceId=${invoiceId}`);
      if (!placement) return null;
      const zip = await client.getBytes(`/v1/placements/${placement.id}/file`);
      const { 'claim-sheet.pdf': sheet } = unzipSync(zip);
      return [['.zip', zip], ...(sheet === undefined ? [] : [['.pdf', sheet] satisfies [string, Uint8Array]])];
    }
    case 'letter':
    case 'claimDeclaration': {
      const documents = await client.list<{ id: string; kind: string; contentType: string }>(
        `/v1/invoices/${invoiceId}/documents`,
      );
      const found = documents.find(
        ({ kind, contentType }) => kind === ending.paper && contentType === 'application/pdf',
      );
      if (!found) return null;
      return [['.pdf', await client.getBytes(`/v1/invoices/${invoiceId}/documents/${found.id}`)]];
    }
  }
}

/** A path as it is printed: relative to where one stands, if it is below. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}
