import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { removeDistantDatabase } from '../../scripts/stack/postgres-home.ts';

/** A data folder with a space and an accent in its path, removed when the test is over. */
export function dataFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'relance été ')));
  onTestFinished(async () => {
    await removeDistantDatabase(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Collects what a starter says. */
export function collected(): { lines: string[]; log: (line: string) => void } {
  const lines: string[] = [];
  return { lines, log: (line) => void lines.push(line) };
}
