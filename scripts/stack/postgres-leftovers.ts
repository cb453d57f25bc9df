import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from './files.ts';
import { startTimeOf } from './identity.ts';
import { endProcess } from './processes.ts';

/**
 * Ends the server that still runs on a cluster, also one of which there is no record: postmaster.pid names it. When that pid has meanwhile
 * gone to another program the file is removed, since PostgreSQL itself would take that program for its server.
 * @returns whether one was ended
 */
export async function endServerOf(cluster: string): Promise<boolean> {
  const path = join(cluster, 'postmaster.pid');
  const pid = Number(readText(path)?.split('\n')[0]);
  const startTime = startTimeOf(pid);
  if (startTime === undefined) return false;
  if (runsOn(pid, cluster)) {
    await endProcess({ pid, startTime }, 'SIGINT');
    return true;
  }
  rmSync(path, { force: true });
  return false;
}

/** PostgreSQL's main process works inside its cluster. */
function runsOn(pid: number, cluster: string): boolean {
  try {
    if (process.platform === 'linux') {
      const isPostgres = /^(?:postgres|postmaster)$/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
      return isPostgres && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster);
    }
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(cluster);
  } catch {
    return false;
  }
}
