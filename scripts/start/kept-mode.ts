import { join } from 'node:path';
import { StackError } from '../stack/errors.ts';
import { readRecord, writeAtomically } from '../stack/files.ts';

/** What a data folder is for: the demo's book, or whatever somebody puts into it. */
export type Mode = 'demo' | 'empty';

/** What a data folder was first started for; undefined when it is new. */
export function keptMode(dataDir: string): Mode | undefined {
  const mode = readRecord(path(dataDir))?.['mode'];
  return mode === 'demo' || mode === 'empty' ? mode : undefined;
}

/**
 * Refuses to play the demo into somebody's own data, or to let it stop half played.
 * @throws StackError a sentence with the remedy
 */
export function checkMode(dataDir: string, mode: Mode): void {
  const kept = keptMode(dataDir);
  if (kept === undefined || kept === mode) return;
  throw new StackError(
    kept === 'empty'
      ? `${dataDir} was started with --empty and is not the demo's: add --empty, choose another folder with --data DIR, or wipe it with --fresh.`
      : `${dataDir} holds the demo: leave --empty out, choose another folder with --data DIR, or wipe it with --fresh.`,
  );
}

export function keepMode(dataDir: string, mode: Mode): void {
  if (keptMode(dataDir) === undefined) writeAtomically(path(dataDir), `${JSON.stringify({ mode })}\n`);
}

const path = (dataDir: string): string => join(dataDir, 'stack.json');
