import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StackError } from '../stack/errors.ts';
import { tryLock } from '../stack/lock.ts';
import { freePort, isPortFree } from '../stack/ports.ts';

const FIRST = 3_000;
const TRIED = 100;

/** A port that is ours until it is released: no other start takes it while the API has not begun to listen. */
export interface ClaimedPort {
  readonly port: number;
  release(): void;
}

/**
 * The port of the API: the one asked for, else 3000 or the next free one.
 * @throws StackError when the one asked for is taken
 */
export async function apiPort(wanted: number | undefined): Promise<ClaimedPort> {
  if (wanted !== undefined) {
    const claimed = await claim(wanted, true);
    if (claimed !== null) return claimed;
    throw new StackError(
      `Port ${wanted} cannot be used, another program may have it: end that program, choose another port, or leave --port out to get a free one.`,
    );
  }
  for (let port = FIRST; port < FIRST + TRIED; port += 1) {
    const claimed = await claim(port);
    if (claimed !== null) return claimed;
  }
  return { port: await freePort(), release: () => undefined };
}

async function claim(port: number, asked = false): Promise<ClaimedPort | null> {
  if (!(await isPortFree(port))) return null;
  const path = join(tmpdir(), `relance-port-${port}.lock`);
  try {
    const lock = await tryLock(path);
    return 'release' in lock ? { port, release: () => lock.release() } : null;
  } catch {
    // Another user's claim cannot be read; it is believed where there are other ports, not where this one was asked for.
    if (existsSync(path) && !asked) return null;
    // Nowhere to note it: the port is free, and whoever is faster gets it.
    return { port, release: () => undefined };
  }
}
