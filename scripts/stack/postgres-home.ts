import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { explaining, StackError } from './errors.ts';
import { isRoot, readRecord, writeAtomically } from './files.ts';
import type { Log } from './processes.ts';
import { canEnter, unprivilegedUser, type UnprivilegedUser } from './unprivileged.ts';
import { endServerOf } from './postgres-leftovers.ts';
import type { PostgresPrograms } from './postgres-programs.ts';

/** Where the database of a data folder lives and as whom it runs. */
export interface PostgresHome {
  /** The folder that holds the cluster; PostgreSQL's user may enter it. */
  readonly folder: string;
  /** The cluster itself (PGDATA). */
  readonly cluster: string;
  /** Set only when we are root. */
  readonly runAs: UnprivilegedUser | undefined;
}

/** For data folders that PostgreSQL's user cannot enter, such as one below /root. Only root writes there. */
const reachableRoot = '/var/lib/relance';

/**
 * Decides where the cluster of a data folder lives: inside it, or, when we are root and the unprivileged user that runs PostgreSQL cannot
 * enter it, in a folder of its own below /var/lib, named after the data folder. The data folder remembers the choice.
 * @throws StackError when we are root and there is no such user.
 */
export async function postgresHome(dataDir: string, log: Log): Promise<PostgresHome> {
  if (!isRoot) return { folder: dataDir, cluster: join(dataDir, 'postgres'), runAs: undefined };
  const runAs = await unprivilegedUser();
  if (runAs === undefined) {
    throw new StackError(
      'PostgreSQL does not run as root, and there is no user postgres or nobody to run it; start as an ordinary user or set DATABASE_URL.',
    );
  }
  const remembered = readRecord(pointerFile(dataDir))?.['folder'];
  if (typeof remembered === 'string' && existsSync(remembered)) {
    return { folder: remembered, cluster: join(remembered, 'postgres'), runAs };
  }
  if (canEnter(runAs, dataDir)) return { folder: dataDir, cluster: join(dataDir, 'postgres'), runAs };
  const folder = reachableFolder(dataDir);
  log(`user ${runAs.name} cannot enter ${dataDir}, so the database lives in ${folder}`);
  await endServerOf(join(folder, 'postgres'));
  explaining(folder, () => {
    // A database there belongs to a data folder that was deleted by hand: what was beside it is gone, so it is of no use.
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o711 });
  });
  writeAtomically(pointerFile(dataDir), `${JSON.stringify({ folder })}\n`);
  return { folder, cluster: join(folder, 'postgres'), runAs };
}

/** Removes the database that a data folder keeps elsewhere, if it does. For `--fresh`, before the folder itself is removed. */
export async function removeDistantDatabase(dataDir: string): Promise<void> {
  const folder = readRecord(pointerFile(dataDir))?.['folder'];
  if (typeof folder !== 'string' || !folder.startsWith(`${reachableRoot}/`)) return;
  await endServerOf(join(folder, 'postgres'));
  explaining(folder, () => rmSync(folder, { recursive: true, force: true }));
}

/** Gives a file or folder, not what it holds, to PostgreSQL's user. */
export function giveTo(home: PostgresHome, path: string): void {
  if (home.runAs !== undefined) chownSync(path, home.runAs.uid, home.runAs.gid);
}

/**
 * The folder of programs that PostgreSQL's user can run: the installation's own, or, for the npm package in a checkout that this user
 * cannot enter, a copy beside the cluster.
 */
export function reachablePrograms(programs: PostgresPrograms, home: PostgresHome): string {
  const { packageRoot } = programs;
  if (home.runAs === undefined || packageRoot === undefined || canEnter(home.runAs, programs.binDir))
    return programs.binDir;
  const copy = join(home.folder, `postgres-${programs.major}-programs`);
  if (!existsSync(copy)) {
    explaining(copy, () => {
      for (const name of readdirSync(home.folder)) {
        if (name.startsWith('postgres-') && name.endsWith('.copying'))
          rmSync(join(home.folder, name), { recursive: true });
      }
      const copying = `${copy}.${process.pid}.copying`;
      cpSync(packageRoot, copying, { recursive: true, verbatimSymlinks: true });
      renameSync(copying, copy);
    });
  }
  return join(copy, 'bin');
}

function reachableFolder(dataDir: string): string {
  return join(reachableRoot, createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
}

function pointerFile(dataDir: string): string {
  return join(dataDir, 'postgres-home.json');
}
