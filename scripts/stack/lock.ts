import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, explained, StackError } from './errors.ts';
import { isAlive, ownIdentity, parseIdentity, type ProcessIdentity } from './identity.ts';

/** A lock that this process holds until `release`. */
export interface Lock {
  /** False once the file was removed or taken over, for instance because somebody deleted the whole folder. */
  isHeld(): boolean;
  release(): void;
}

/**
 * Takes the lock file `path`, or says who holds it. A lock whose holder has ended, even by SIGKILL or a power cut, is recognised
 * by pid and start time and taken over.
 */
export async function tryLock(path: string): Promise<Lock | ProcessIdentity> {
  const text = JSON.stringify(ownIdentity());
  for (;;) {
    try {
      writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
      return { isHeld: () => readLock(path) === text, release: () => releaseIfOurs(path, text) };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw explained(error, path);
    }
    const found = readLock(path);
    if (found === undefined) continue;
    const holder = parse(found);
    if (holder !== undefined && isAlive(holder)) return holder;
    // Another starter may be between creating the file and writing to it.
    if (found === '' && ageMs(path) < 2_000) await sleep(50);
    else takeAway(path, found);
  }
}

/** Waits for the lock `path` at most `timeoutMs`, polling; `onWait` is told once when somebody else holds it. */
export async function waitForLock(path: string, timeoutMs: number, onWait: (pid: number) => void): Promise<Lock> {
  const deadline = Date.now() + timeoutMs;
  for (let told = false; ; told = true) {
    const lock = await tryLock(path);
    if ('release' in lock) return lock;
    if (Date.now() > deadline) {
      throw new StackError(`Process ${lock.pid} has held ${path} for too long; end it or delete that file.`);
    }
    if (!told) onWait(lock.pid);
    await sleep(200);
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw explained(error, path);
  }
}

function parse(text: string): ProcessIdentity | undefined {
  try {
    return parseIdentity(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/**
 * Removes a stale lock. Two starters can judge the same lock stale at once, and the slower one would then remove the faster one's new lock:
 * so the file is moved aside first and put back when it is not what was judged.
 */
function takeAway(path: string, judged: string): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw explained(error, path);
  }
  const moved = readLock(aside);
  if (moved !== undefined && moved !== judged) {
    try {
      writeFileSync(path, moved, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw explained(error, path);
    }
  }
  rmSync(aside, { force: true });
}

function releaseIfOurs(path: string, text: string): void {
  if (readLock(path) === text) rmSync(path, { force: true });
}
