import { closeSync, copyFileSync, fstatSync, openSync, readSync, renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { explaining } from './errors.ts';

/** A log is rotated at this size; one former log is kept beside it as `NAME.log.1`. Bytes. */
export const maxLogBytes = 10 * 1024 * 1024;

/** Where the process `name` of a data folder writes its standard output and error. */
export function logPath(dataDir: string, name: string): string {
  return join(dataDir, 'logs', `${name}.log`);
}

/**
 * Opens the log for a new child, rotated when it had grown large. The child writes to the file itself, so that neither a slow nor a
 * vanished parent can block it. The caller closes the descriptor after the spawn.
 */
export function openLog(path: string): number {
  return explaining(path, () => {
    if (sizeOf(path) > maxLogBytes) renameSync(path, `${path}.1`);
    return openSync(path, 'a', 0o600);
  });
}

/**
 * Rotates the log of a running child: copied aside, then emptied, since the child keeps the file open for appending. Lines written
 * between the two are lost, which a log can bear. Never throws: on a full disk the log is emptied all the same.
 */
export function rotateLiveLog(path: string): void {
  if (sizeOf(path) <= maxLogBytes) return;
  try {
    copyFileSync(path, `${path}.1`);
  } catch {
    // Emptying what is there matters more than keeping a copy.
  }
  try {
    truncateSync(path);
  } catch {
    // Tried again at the next round.
  }
}

/** What was appended to a log since it had `from` bytes, at most its last 16 KiB. */
export function logSince(path: string, from: number): string {
  try {
    const file = openSync(path, 'r');
    try {
      const end = fstatSync(file).size;
      const start = Math.max(from <= end ? from : 0, end - 16_384);
      const buffer = Buffer.alloc(end - start);
      const read = readSync(file, buffer, 0, buffer.length, start);
      return buffer.subarray(0, read).toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** Size in bytes, 0 for a missing file. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
