import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, explained, StackError } from './errors.ts';
import { readRecord, writeAtomically } from './files.ts';
import { isAlive, ownIdentity, parseIdentity, startTimeOf, type ProcessIdentity } from './identity.ts';
import { logPath, logSince, openLog, sizeOf } from './logs.ts';

/** One line for the person who looks on. */
export type Log = (line: string) => void;

/** The user and group as whom a child runs; absent: our own. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** What to run. `name` names its log and its record in the data folder. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly runAs?: RunAs;
  /** A Node child gets a channel to us, whose closing tells it that we are gone. See exit-with-parent.ts. */
  readonly channel?: boolean;
  /** What asks it to end. Default SIGTERM; PostgreSQL's fast shutdown is SIGINT. */
  readonly stopSignal?: NodeJS.Signals;
  /** What ends it when it does not end by itself. Default SIGKILL; PostgreSQL's immediate shutdown is SIGQUIT. */
  readonly killSignal?: NodeJS.Signals;
}

/** How a process ended: one of the two is set. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child that runs or has run. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Resolves when it has ended for whatever reason. */
  readonly ended: Promise<Ending>;
  ending(): Ending | undefined;
  /** What it has written since this start (the last 16 KiB). */
  output(): string;
  /** Asks it to end and, after `graceMs`, ends it. Resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

/** How long a child may take to end before it is killed, in milliseconds. */
const defaultGraceMs = 10_000;

/** What ends each child that must not outlive us. */
const living = new Map<ChildProcess, NodeJS.Signals>();

/** Those of {@link startProcess}, with the data folder they belong to. */
const running = new Map<RunningProcess, string>();

/** The last resort when this process dies of an error: nothing that it started outlives it. */
process.on('exit', () => {
  for (const [child, signal] of living) signalGroup(child.pid, signal);
});

/**
 * Starts a child in a process group of its own (so that Ctrl-C in the terminal reaches only us and we stop all in order), its output
 * going to `DIR/logs/NAME.log`, and records it in `DIR/run/NAME.json` for the next start.
 * @throws StackError when it cannot be started at all.
 */
export async function startProcess(dataDir: string, spec: ProcessSpec): Promise<RunningProcess> {
  const path = logPath(dataDir, spec.name);
  const logStart = sizeOf(path);
  const log = openLog(path);
  const child = spawnChild(spec, log);
  const { pid } = child;
  if (pid !== undefined) {
    living.set(child, spec.killSignal ?? 'SIGKILL');
    recordProcess(dataDir, spec, pid);
  }
  closeSync(log);
  let ending: Ending | undefined;
  let self: RunningProcess | undefined;
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => {
      ending = { code, signal };
      living.delete(child);
      if (self !== undefined) running.delete(self);
      removeRecord(dataDir, spec.name, pid);
      resolve(ending);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      living.delete(child);
      reject(new StackError(`Cannot start ${spec.name} (${spec.command}): ${spawnProblem(error)}.`, { cause: error }));
    });
  });
  // A channel that breaks (EPIPE while the child dies) is no error of ours; the exit is what counts.
  child.on('error', () => undefined);
  if (pid === undefined) throw new StackError(`Cannot start ${spec.name} (${spec.command}).`);
  self = {
    name: spec.name,
    pid,
    logPath: path,
    ended,
    ending: () => ending,
    output: () => logSince(path, logStart),
    stop: async (graceMs = defaultGraceMs) => {
      if (ending !== undefined) return;
      kill(pid, spec.stopSignal ?? 'SIGTERM');
      if (!(await settledWithin(ended, graceMs))) signalGroup(pid, spec.killSignal ?? 'SIGKILL');
      if (!(await settledWithin(ended, 5_000))) signalGroup(pid, 'SIGKILL');
      await ended;
    },
  };
  if (ending === undefined) running.set(self, dataDir);
  return self;
}

/**
 * Runs a short-lived helper to its end. It and whatever it starts end with us, or when the time is over.
 * @param options.timeoutMs real time
 * @throws Error with what it wrote to its standard error, when it fails.
 */
export async function runHelper(
  command: string,
  args: readonly string[],
  options: { cwd: string; timeoutMs: number },
): Promise<void> {
  const child = spawn(command, args, { cwd: options.cwd, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  living.set(child, 'SIGKILL');
  const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), options.timeoutMs);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-16_384);
  });
  try {
    const ending = await new Promise<Ending>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    if (ending.code !== 0) throw new Error(stderr.trim() === '' ? describeEnding(ending) : stderr);
  } finally {
    clearTimeout(timer);
    living.delete(child);
  }
}

/**
 * Stops what runs in a data folder (only what is called `name`, when given): for an end that comes in the middle of a start.
 * @returns how many there were
 */
export async function stopRunning(dataDir: string, name?: string, graceMs?: number): Promise<number> {
  const found = [...running].filter(
    ([child, folder]) => folder === dataDir && (name === undefined || child.name === name),
  );
  await Promise.all(found.map(([child]) => child.stop(graceMs)));
  return found.length;
}

/**
 * Waits until `probe` says yes. Gives up as soon as the child ends.
 * @param timeoutMs real time
 * @returns true when ready; false when it ended or the time was over.
 */
export async function becomesReady(
  child: RunningProcess,
  probe: () => Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (child.ending() === undefined && Date.now() < deadline) {
    if (await probe()) return true;
    await Promise.race([sleep(50), child.ended]);
  }
  return false;
}

/** Says how something ended: `SIGKILL` or `exit code 3`. */
export function describeEnding(ending: Ending): string {
  return ending.signal ?? `exit code ${ending.code}`;
}

/**
 * Ends what a former starter of this data folder left behind under `name` (or under any name), recognised by pid and start time: a process
 * that merely got the same pid is never touched.
 * @returns the names of what was ended
 * @throws StackError when the former starter still runs, or when what it left belongs to another user.
 */
export async function endLeftovers(dataDir: string, name?: string): Promise<string[]> {
  const ended: string[] = [];
  for (const record of readRecords(dataDir)) {
    if (name !== undefined && record.name !== name) continue;
    if (isAlive(record.process)) {
      if (record.starter !== undefined && record.starter.pid !== process.pid && isAlive(record.starter)) {
        throw new StackError(alreadyRunning(dataDir, record.starter.pid));
      }
      await endProcess(record.process, record.stopSignal);
      ended.push(record.name);
    }
    rmSync(join(dataDir, 'run', `${record.name}.json`), { force: true });
  }
  return ended;
}

/** The sentence for a second start on the same data folder. */
export function alreadyRunning(dataDir: string, pid: number): string {
  return `Relance is already running on ${dataDir}, pid ${pid}; stop it first, or choose another folder with --data DIR.`;
}

/**
 * Ends a process that is not our child: `signal` first, SIGKILL after ten seconds.
 * @throws StackError when it belongs to another user or survives.
 */
export async function endProcess(target: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  for (const [next, waitMs] of [
    [signal, defaultGraceMs],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isAlive(target)) return;
    try {
      process.kill(target.pid, next);
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return;
      throw new StackError(
        `Process ${target.pid}, left by an earlier start, belongs to another user; end it or start as that user.`,
        { cause: error },
      );
    }
    const deadline = Date.now() + waitMs;
    while (isAlive(target) && Date.now() < deadline) await sleep(50);
  }
  if (isAlive(target)) throw new StackError(`Process ${target.pid}, left by an earlier start, cannot be ended.`);
}

interface ProcessRecord {
  readonly name: string;
  readonly process: ProcessIdentity;
  readonly starter: ProcessIdentity | undefined;
  readonly stopSignal: NodeJS.Signals;
}

function spawnChild(spec: ProcessSpec, log: number): ChildProcess {
  try {
    return spawn(spec.command, spec.args, {
      env: spec.env ?? process.env,
      stdio: spec.channel === true ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      detached: true,
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      ...(spec.runAs === undefined ? {} : { uid: spec.runAs.uid, gid: spec.runAs.gid }),
    });
  } catch (error) {
    closeSync(log);
    throw new StackError(`Cannot start ${spec.name} (${spec.command}): ${spawnProblem(error)}.`, { cause: error });
  }
}

function spawnProblem(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ENOENT') return 'the program or its working folder does not exist';
  if (code === 'EACCES') return 'it may not be executed';
  if (code === 'EAGAIN') return 'too many processes run; raise the limit (ulimit -u)';
  return String(code ?? error);
}

function recordProcess(dataDir: string, spec: ProcessSpec, pid: number): void {
  const identity = { pid, startTime: startTimeOf(pid) ?? 'unknown' };
  try {
    writeAtomically(
      join(dataDir, 'run', `${spec.name}.json`),
      `${JSON.stringify({ ...identity, stopSignal: spec.stopSignal ?? 'SIGTERM', starter: ownIdentity() })}\n`,
    );
  } catch (error) {
    // Without its record a leftover could not be recognised later, so it is not kept either.
    signalGroup(pid, 'SIGKILL');
    throw explained(error, dataDir);
  }
}

function removeRecord(dataDir: string, name: string, pid: number | undefined): void {
  const path = join(dataDir, 'run', `${name}.json`);
  try {
    if (readRecord(path)?.['pid'] === pid) rmSync(path, { force: true });
  } catch {
    // A record of a process that has ended does no harm.
  }
}

function readRecords(dataDir: string): ProcessRecord[] {
  const folder = join(dataDir, 'run');
  let files: string[];
  try {
    files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw explained(error, folder);
  }
  return files.flatMap((file) => {
    const record = readRecord(join(folder, file));
    const found = parseIdentity(record);
    if (found === undefined) return [];
    const stopSignal = record?.['stopSignal'] === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
    return [{ name: basename(file, '.json'), process: found, starter: parseIdentity(record?.['starter']), stopSignal }];
  });
}

async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      promise.then(() => true),
      sleep(ms, false, { signal: timer.signal }).catch(() => false),
    ]);
  } finally {
    timer.abort();
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone: its exit event is on the way.
  }
}

/** Signals the child and whatever it started in its group. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    kill(pid, signal);
  }
}
