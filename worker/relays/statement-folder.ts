import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { BusinessClock } from '../../activities/deps.ts';
import { inTransaction, type Db } from '../../db/database.ts';
import { findFeed } from '../../db/repositories/feeds.ts';
import { importStatement } from '../../db/repositories/statements.ts';
import { DomainError } from '../../domain/errors.ts';
import { startRelay, type Relay } from './loop.ts';

const EVERY_MS = 2_000;
/** Real milliseconds that a file must not have changed for: whoever writes it may not be done. */
const QUIET_MS = 3_000;
/** Real milliseconds after which a file whose taker died is taken again. */
const LOST_MS = 15 * 60_000;

export interface FolderDeps {
  db: Db;
  clock: Pick<BusinessClock, 'now'>;
  /** Holds a folder for each feed, by its id. */
  folder: string;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Real time, epoch milliseconds. */
  realNow?: () => number;
}

/**
 * Takes in bank files that appear in `FOLDER/{feedId}/`: a file is moved to `working/`, read, and moved on to `done/`, or
 * to `refused/` with the reason beside it. Several workers may watch one folder, since only one can move a file; a file
 * that was taken in before changes nothing.
 */
export function startStatementFolder(deps: FolderDeps & { log: Logger }): Relay {
  return startRelay('statement folder', deps.log, async () => ({
    worked: (await takeFiles(deps)) > 0,
    pauseMs: EVERY_MS,
  }));
}

/** One round; how many files were taken in or refused. */
export async function takeFiles(deps: FolderDeps): Promise<number> {
  let taken = 0;
  for (const feedId of await foldersIn(deps.folder)) {
    const feed = await findFeed(deps.db, feedId);
    if (!feed) continue;
    const home = join(deps.folder, feedId);
    for (const name of ['working', 'done', 'refused']) await mkdir(join(home, name), { recursive: true });
    await takeBack(deps, home);
    for (const name of await quietFiles(deps, home)) {
      if (await takeFile(deps, feed, home, name)) taken += 1;
    }
  }
  return taken;
}

async function takeFile(
  deps: FolderDeps,
  feed: { id: string; creditor_id: string; iban: string | null },
  home: string,
  name: string,
): Promise<boolean> {
  const path = join(home, 'working', name);
  if (!(await moved(join(home, name), path))) return false;
  try {
    const { row, repeated } = await inTransaction(deps.db, (tx) =>
      importStatement(
        tx,
        { actor: 'folder', at: deps.clock.now() },
        { feedId: feed.id, creditorId: feed.creditor_id, iban: feed.iban },
        { path, filename: name.slice(0, 255), options: {}, requireBalance: false },
      ),
    );
    await rename(path, join(home, 'done', name));
    deps.log.info({ feed: feed.id, statement: row.id, repeated }, 'a bank file was taken in');
  } catch (error) {
    // Anything but the file's own fault is tried again: it goes back to where it lay.
    if (!(error instanceof DomainError)) {
      await rename(path, join(home, name));
      throw error;
    }
    await rename(path, join(home, 'refused', name));
    await writeFile(join(home, 'refused', `${name}.reason.txt`), `${error.code}: ${error.message}\n`);
    deps.log.warn({ feed: feed.id, code: error.code }, 'a bank file was refused');
  }
  return true;
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && /^fee_[0-9a-z]{26}$/.test(entry.name))
    .map(({ name }) => name);
}

/** Files that nobody writes to any more, the oldest name first; hidden ones are somebody's own business. */
async function quietFiles(deps: FolderDeps, home: string): Promise<string[]> {
  const entries = await readdir(home, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name);
  const quiet: string[] = [];
  for (const name of names.sort()) {
    const age = await ageOf(deps, join(home, name));
    if (age !== null && age >= QUIET_MS) quiet.push(name);
  }
  return quiet;
}

async function takeBack(deps: FolderDeps, home: string): Promise<void> {
  for (const name of await readdir(join(home, 'working'))) {
    const path = join(home, 'working', name);
    const age = await ageOf(deps, path, 'ctime');
    if (age !== null && age >= LOST_MS) await moved(path, join(home, name));
  }
}

/** Milliseconds since it was written, or moved (`ctime`); null where it is gone. */
async function ageOf(deps: FolderDeps, path: string, by: 'mtime' | 'ctime' = 'mtime'): Promise<number | null> {
  try {
    const { mtimeMs, ctimeMs } = await stat(path);
    return (deps.realNow ?? Date.now)() - (by === 'mtime' ? Math.max(mtimeMs, ctimeMs) : ctimeMs);
  } catch {
    return null;
  }
}

/** False where another one was faster. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
