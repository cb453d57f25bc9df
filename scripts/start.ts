import { DomainError } from '../domain/errors.ts';
import { instantAt, parseInstant } from '../domain/time/zones.ts';
import { bookFigures, figureLines } from './book/figures.ts';
import { playBook, type HowFar } from './book/play.ts';
import { bookProgress } from './book/progress.ts';
import { readYear, type BookYear } from './book/year.ts';
import { CLOCK_BEGINS } from './demo/book.ts';
import { Client } from './demo/client.ts';
import { readEndings, savePapers } from './demo/endings.ts';
import { saveBooks } from './demo/papers-of-books.ts';
import { BOOK_CHECKS, checkInvariants } from './demo/invariants.ts';
import { play } from './demo/play.ts';
import { Progress } from './demo/progress.ts';
import { caseTable, endingLines, invariantLines } from './demo/summary.ts';
import { ZONE } from './demo/words.ts';
import { errorText, StackError } from './stack/errors.ts';
import { stopOnSignals } from './stack/supervisor.ts';
import { HELP, readOptions, UsageError, type MatchingRules, type StartOptions } from './start/options.ts';
import { startStack, stopStack, type Running, type Stack, type StackPlan } from './start/stack.ts';

const EMPTY: StackPlan = { mode: 'empty', clock: {}, fillingMs: 0 };
/** Eight weeks in about two minutes. */
const DEMO: StackPlan = { mode: 'demo', clock: { dayMs: 2_000, now: parseInstant(CLOCK_BEGINS) }, fillingMs: 4_000 };

/** `npm start`: the whole stack in one command. See HELP. */
async function main(options: StartOptions): Promise<number> {
  const log = (line: string): void => void process.stdout.write(`${line}\n`);
  const running: Running = { closing: [], released: [] };
  const stopping = new AbortController();
  stopOnSignals(() => {
    stopping.abort();
    return stopStack(running);
  }, log);
  try {
    const wanted = options.book;
    const book = wanted === undefined ? null : { ...readYear(wanted.prefix, wanted.year), rules: wanted.rules };
    const plan = options.empty ? EMPTY : book ? planOf(book, book.rules) : DEMO;
    const stack = await startStack(options, plan, running, log);
    whereToLook(stack, log);
    if (!options.empty) {
      const holds = book
        ? await playYear(stack, book, book.rules, stopping.signal, log)
        : await demo(stack, stopping.signal, log);
      if (options.once) {
        await stopStack(running);
        return holds ? 0 : 1;
      }
      log('Everything stays up; Ctrl-C stops it.');
    }
    return await new Promise<never>(() => undefined);
  } catch (error) {
    // Whoever asked for the stop decides how the process ends.
    if (stopping.signal.aborted) return await new Promise<never>(() => undefined);
    await stopStack(running).catch((second: unknown) => log(errorText(second)));
    throw error;
  }
}

/** Plays the story, prints what every case did and whether everything that must hold does. */
async function demo(stack: Stack, stopped: AbortSignal, log: (line: string) => void): Promise<boolean> {
  const { ready, supervisor, db, clock, temporal } = stack;
  const { apiUrl, apiKey, creditorId, mailUrl } = ready;
  const { dataDir } = supervisor;
  await play({ apiUrl, apiKey, creditorId, dataDir, clock, print: log, stopped });
  const invariants = await checkInvariants({ db, temporal, mailUrl, apiUrl });
  log('');
  for (const line of await caseTable(db)) log(line);
  log('');
  const reached = await readEndings(db);
  for (const line of endingLines(reached, await savePapers(new Client(apiUrl, apiKey, stopped), reached, dataDir)))
    log(line);
  log('');
  for (const line of await saveBooks(new Client(apiUrl, apiKey, stopped), reached, dataDir)) log(line);
  log('');
  for (const line of invariantLines(invariants)) log(line);
  log('');
  return invariants.every(({ problems }) => problems.length === 0);
}

/** Plays a year of a table, prints what came of it and whether everything that must hold does. */
async function playYear(
  { ready, supervisor, db, clock, temporal }: Stack,
  book: BookYear,
  rules: MatchingRules,
  stopped: AbortSignal,
  log: (line: string) => void,
): Promise<boolean> {
  const { apiUrl, apiKey, mailUrl } = ready;
  const progress = new Progress(supervisor.dataDir, 'book.json');
  const shown = bookProgress(process.stderr, log);
  const onProgress = (far: HowFar): void => shown.show(far);
  const client = new Client(apiUrl, apiKey, stopped);
  try {
    await playBook({ book, rules, db, client, clock, progress, onProgress, stopped });
  } finally {
    shown.stop();
  }
  log('');
  log('The book is played; what must hold is checked.');
  const invariants = await checkInvariants({ db, temporal, mailUrl, apiUrl }, undefined, BOOK_CHECKS);
  const figures = await bookFigures(db, book);
  log('');
  for (const line of figureLines(book, figures)) log(line);
  log('');
  for (const line of invariantLines(invariants)) log(line);
  log('');
  const hold = invariants.every(({ problems }) => problems.length === 0);
  return hold && figures.contacts.afterPayment === 0 && figures.bookProblems.length === 0;
}

/** Eight weeks in about six minutes, from the first hour of the first invoice's date. */
function planOf(book: BookYear, rules: MatchingRules): StackPlan {
  const now = instantAt(book.from, '00:30', ZONE);
  const name = `${book.table} ${book.year}, rules ${rules}`;
  return { mode: 'book', book: name, clock: { dayMs: 6_000, now }, fillingMs: 40_000 };
}

function whereToLook({ ready }: Stack, log: (line: string) => void): void {
  log('');
  log(`API           ${ready.apiUrl}`);
  log(`its documents ${ready.docsUrl}`);
  if (ready.temporalUiUrl !== null) {
    log(`Temporal UI   ${ready.temporalUiUrl}/namespaces/${encodeURIComponent(ready.temporalNamespace)}/workflows`);
  }
  log(`mail inbox    ${ready.mailUrl}`);
  log('');
}

function tell(error: unknown): void {
  const isSentence = error instanceof StackError || error instanceof DomainError || error instanceof UsageError;
  process.stderr.write(
    `${isSentence ? error.message : `Something went wrong that should not: ${error instanceof Error ? error.stack : String(error)}`}\n`,
  );
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(`${HELP}\n`);
  else process.exit(await main(options));
} catch (error) {
  tell(error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
