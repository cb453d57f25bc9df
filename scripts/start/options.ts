import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DomainError } from '../../domain/errors.ts';
import { parseDay } from '../../domain/time/business-clock.ts';
import { isLocalDate } from '../../domain/time/dates.ts';
import { parseInstant, type Instant } from '../../domain/time/zones.ts';

/** Which rules of matching apply what they find by themselves: those that do by default, or all. */
export type MatchingRules = 'default' | 'all';

export interface BookOption {
  /** What the names of the table's three files begin with, as it was typed. */
  readonly prefix: string;
  /** Undefined: not said. */
  readonly year: number | undefined;
  readonly rules: MatchingRules;
}

/** What `npm start` is asked to do. */
export interface StartOptions {
  /** No demo book: one creditor and the preset policies, in real time unless told otherwise. */
  readonly empty: boolean;
  /** A year of a table instead of the demo's book. */
  readonly book: BookOption | undefined;
  /** Plays the demo or the book to its end and stops everything. */
  readonly once: boolean;
  /** Wipes the data folder first. */
  readonly fresh: boolean;
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** Real milliseconds of 24 business hours; undefined: as kept with the data, else the default. */
  readonly dayMs: number | undefined;
  /** Where the business clock begins; undefined: as kept with the data, else the default. */
  readonly now: Instant | undefined;
  /** Port of the API; undefined: 3000, else the next free one. */
  readonly port: number | undefined;
}

/** A command line that cannot be followed: one sentence for the person who typed it. */
export class UsageError extends Error {
  constructor(message: string) {
    super(`${message} See npm start -- --help.`);
    this.name = 'UsageError';
  }
}

export const HELP = `npm start [-- OPTIONS]

Starts PostgreSQL, Temporal with its UI, a local mail server, the worker and the API, plays a small creditor's book in
compressed time, and stays up until Ctrl-C. Killed at any moment, it carries on where it was when started again.

  --empty       one creditor and the preset policies, no book, in real time
  --book PREFIX play a year of a table instead of the demo: its invoices are opened on their dates and its payments told by
                signed webhooks on theirs, from PREFIX_invoices.csv, PREFIX_payments.csv and PREFIX_matches.csv
  --year 2017   which year of that table
  --rules all   all rules of matching apply what they find, not only those that do by default
  --once        play the demo or the book to its end, print what was checked, stop everything; exit 1 if something does not hold
  --day 2s      what 24 hours of the business clock last: a number with ms, s, m or h
  --now DATE    where the business clock begins, such as 2026-03-02 or 2026-03-02T08:00:00Z
  --data DIR    where everything is kept (default .relance)
  --fresh       wipe that folder first
  --port N      port of the API (default 3000, else the next free one)
  --help        this text

--day and --now are kept with the data. DATABASE_URL and TEMPORAL_ADDRESS name servers to use instead of starting ones.`;

/**
 * Reads the command line. `help` asks for {@link HELP}.
 * @throws UsageError a sentence that names what cannot be followed
 */
export function readOptions(args: readonly string[]): StartOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  if (values.empty && values.once) {
    throw new UsageError('--once plays the demo to its end and --empty has no demo: leave one of them out.');
  }
  return {
    empty: values.empty,
    book: bookOf(values),
    once: values.once,
    fresh: values.fresh,
    dataDir: resolve(values.data),
    dayMs: values.day === undefined ? undefined : dayOf(values.day),
    now: values.now === undefined ? undefined : nowOf(values.now),
    port: values.port === undefined ? undefined : portOf(values.port),
  };
}

function bookOf(values: ReturnType<typeof parse>): BookOption | undefined {
  const { book, year, rules = 'default' } = values;
  if (book === undefined) {
    if (year !== undefined) throw new UsageError('--year is the year of a book: name its table with --book PREFIX.');
    if (values.rules !== undefined) throw new UsageError('--rules is for a book: name its table with --book PREFIX.');
    return undefined;
  }
  if (book === '') throw new UsageError('--book needs what the names of its files begin with.');
  if (values.empty) throw new UsageError('--book plays a book and --empty has none: leave one of them out.');
  if (values.now !== undefined) {
    throw new UsageError('--now and --book: a book begins on the date of its first invoice, leave --now out.');
  }
  if (year !== undefined && !/^\d{4}$/.test(year)) throw new UsageError(`--year ${year}: give a year such as 2017.`);
  if (rules !== 'default' && rules !== 'all') throw new UsageError(`--rules ${rules}: give default or all.`);
  return { prefix: book, year: year === undefined ? undefined : Number(year), rules };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        empty: { type: 'boolean', default: false },
        once: { type: 'boolean', default: false },
        book: { type: 'string' },
        year: { type: 'string' },
        rules: { type: 'string' },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        data: { type: 'string', default: '.relance' },
        day: { type: 'string' },
        now: { type: 'string' },
        port: { type: 'string' },
      },
    });
    if (values.data === '') throw new UsageError('--data needs a folder.');
    return values;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // parseArgs says what is wrong in its first sentence and then explains how to escape things.
    const [sentence = 'The command line cannot be read'] = (error as Error).message.split(/\.\s/);
    throw new UsageError(`${sentence.replace(/\.$/, '').replaceAll('\n', ' ')}.`);
  }
}

function dayOf(text: string): number {
  try {
    return parseDay(text);
  } catch (error) {
    throw new UsageError(`--day ${text}: ${(error as DomainError).message}`);
  }
}

/** A date is its first moment in UTC, at which it is that date in Paris too. */
function nowOf(text: string): Instant {
  try {
    return parseInstant(isLocalDate(text) ? `${text}T00:00:00Z` : text);
  } catch {
    throw new UsageError(`--now ${text}: give a date such as 2026-03-02, or a moment such as 2026-03-02T08:00:00Z.`);
  }
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new UsageError(`--port ${text}: give a number from 1 to 65535.`);
  return port;
}
