import { execFileSync } from 'node:child_process';
import { outputOf } from './find-program.ts';
import type { RunAs } from './processes.ts';

/** A user of this machine as whom root runs PostgreSQL, which refuses to run as root. */
export interface UnprivilegedUser extends RunAs {
  readonly name: string;
}

/** `postgres` where a package has made it, else `nobody`; undefined where neither exists. */
export async function unprivilegedUser(): Promise<UnprivilegedUser | undefined> {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [await outputOf('id', ['-u', name]), await outputOf('id', ['-g', name])];
    if (uid !== undefined && gid !== undefined && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** Whether that user can enter the folder (every folder above it included). Asked of the system, since access lists and mounts count too. */
export function canEnter(user: RunAs, folder: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
      uid: user.uid,
      gid: user.gid,
      cwd: '/',
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
