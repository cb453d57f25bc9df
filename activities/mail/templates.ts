import { existsSync, readFileSync } from 'node:fs';
import type { KnownTemplate, Language, TemplateParts } from '../../domain/policy/templates.ts';

export { isTemplateName, TEMPLATE_NAMES } from '../../domain/policy/templates.ts';
export type { KnownTemplate as BuiltInTemplate, TemplateParts } from '../../domain/policy/templates.ts';

/** The words around the texts, `templates/LANGUAGE/labels.json`. */
export interface Labels {
  salutation: string;
  salutationNamed: string;
  reachUs: { reply: string; write: string; other: string };
  subject: string;
  /** Above the copy by e-mail of a letter. */
  copyOfLetter: string;
  invoice: string;
  due: string;
  toPay: string;
  issuedOn: string;
  dueOn: string;
  dueSoonOn: string;
  late: { one: string; other: string };
  outOf: string;
  total: string;
  notes: { partPaid: string; partDisputed: string; partPromised: string; accessoriesOnly: string };
  payment: string;
  beneficiary: string;
  iban: string;
  referenceToQuote: string;
  portal: string;
  colon: string;
  replyTo: string;
  /** What only a printed letter says. */
  letter: {
    registered: string;
    placeAndDate: string;
    reference: string;
    page: string;
    carriedOut: string;
    carriedIn: string;
    issued: string;
    lateDays: string;
    invoiceTotal: string;
    signature: string;
    registration: string;
    vatId: string;
    tableIn: string;
  };
  history: HistoryWords;
}

/** How a call script tells what was said and promised so far. */
export interface HistoryWords {
  /** With `{amount}`, `{date}`, `{number}` and `{status}`. */
  promise: string;
  promiseStatus: Record<'active' | 'kept' | 'broken' | 'withdrawn', string>;
  /** With `{amount}`, `{category}`, `{number}` and `{status}`. */
  dispute: string;
  disputeStatus: Record<'open' | 'upheld' | 'rejected' | 'partly' | 'closed', string>;
  categories: Record<
    'price' | 'quantity' | 'quality' | 'delivery' | 'duplicate' | 'alreadyPaid' | 'missingDocument' | 'other',
    string
  >;
  /** In place of an amount where it is about the whole. */
  whole: string;
  inbound: Record<'email' | 'call' | 'letter', string>;
  calls: Record<string, string> & { reached: string };
}

/** From the sources, or from the compiled tree one folder deeper. */
const FOLDER = [new URL('../../templates/', import.meta.url), new URL('../../../templates/', import.meta.url)].find(
  (folder) => existsSync(new URL('layout.html.liquid', folder)),
);

const read = (path: string): string => {
  if (!FOLDER) throw new Error('The folder "templates" is missing beside the program.');
  return readFileSync(new URL(path, FOLDER), 'utf8');
};

const remembered = new Map<string, unknown>();

function once<T>(key: string, make: () => T): T {
  if (!remembered.has(key)) remembered.set(key, make());
  return remembered.get(key) as T;
}

/** The file of a template as it stands. The name is one of ours, so no path can be smuggled in. */
export function readTemplate(name: KnownTemplate, language: Language): string {
  return once(`${language}/${name}`, () => read(`${language}/${name}.liquid`));
}

export function readLayout(kind: 'html' | 'text'): string {
  return once(`layout.${kind}`, () => read(`layout.${kind}.liquid`));
}

export function readLabels(language: Language): Labels {
  return once(`${language}/labels`, () => JSON.parse(read(`${language}/labels.json`)) as Labels);
}

/** Splits a template's file at its `=== part ===` lines. */
export function partsOf(source: string): TemplateParts {
  const parts: Record<string, string> = {};
  const pieces = source.split(/^=== (\w+) ===$/m);
  for (let i = 1; i < pieces.length; i += 2) parts[pieces[i]!] = pieces[i + 1]!.trim();
  const { subject, lead, close } = parts;
  if (subject === undefined || lead === undefined || close === undefined) {
    throw new Error('A template needs the parts subject, lead and close.');
  }
  return { subject, lead, close };
}

/** Puts values into `{name}` places; the values are not looked at again. */
export function fill(pattern: string, values: Record<string, string>): string {
  return pattern.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}
