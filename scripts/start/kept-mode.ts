import { join } from 'node:path';
import { StackError } from '../stack/errors.ts';
import { readRecord, writeAtomically } from '../stack/files.ts';

/** What a data folder is for: the demo's book, a year of a table, or whatever somebody puts into it. */
export type Mode = 'demo' | 'book' | 'empty';

const MODES: readonly unknown[] = ['demo', 'book', 'empty'] satisfies Mode[];

/** What a data folder was first started for; undefined when it is new. */
export function keptMode(dataDir: string): Mode | undefined {
  const mode = readRecord(path(dataDir))?.['mode'];
  return MODES.includes(mode) ? (mode as Mode) : undefined;
}

/**
 * Refuses to play the demo or a book into somebody's own data, or to let it stop half played.
 * @param book which one, in words
 * @throws StackError a sentence with the remedy
 */
export function checkMode(dataDir: string, mode: Mode, book?: string): void {
  const kept = keptMode(dataDir);
  const keptBook = readRecord(path(dataDir))?.['book'];
  if (kept === undefined || (kept === mode && keptBook === book)) return;
  const other = 'choose another folder with --data DIR, or wipe it with --fresh';
  throw new StackError(
    kept === 'empty'
      ? `${dataDir} was started with --empty and is nobody's book: add --empty, ${other}.`
      : kept === 'demo'
        ? `${dataDir} holds the demo: leave ${mode === 'book' ? '--book' : '--empty'} out, ${other}.`
        : `${dataDir} holds the book ${String(keptBook)}: ask for the same one, ${other}.`,
  );
}

export function keepMode(dataDir: string, mode: Mode, book?: string): void {
  if (keptMode(dataDir) === undefined) writeAtomically(path(dataDir), `${JSON.stringify({ mode, book })}\n`);
}

const path = (dataDir: string): string => join(dataDir, 'stack.json');
