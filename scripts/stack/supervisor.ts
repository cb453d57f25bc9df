import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, StackError } from './errors.ts';
import { emptyDataFolder, prepareDataFolder } from './files.ts';
import { tryLock, type Lock } from './lock.ts';
import { rotateLiveLog } from './logs.ts';
import { removeDistantDatabase } from './postgres-home.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';
import {
  alreadyRunning,
  becomesReady,
  describeEnding,
  endLeftovers,
  startProcess,
  stopRunning,
  type Log,
  type ProcessSpec,
  type RunningProcess,
} from './processes.ts';
import type { SearchAttributes } from './search-attributes.ts';
import { startTemporal, type TemporalServer } from './temporal.ts';

/** One of Relance's own processes. */
export interface ServiceSpec extends Omit<ProcessSpec, 'runAs' | 'channel'> {
  /** Says whether it serves; without it, it counts as ready once started. */
  readonly ready?: () => Promise<boolean>;
  /** How long it may take to become ready, in real milliseconds. Default 60,000. */
  readonly readyMs?: number;
  /** How long it may take to end when asked to, in real milliseconds. Default 10,000. */
  readonly graceMs?: number;
}

/** A process as it stands now. */
export interface ServiceState {
  readonly name: string;
  /** Undefined while it is down and about to be restarted. */
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly logPath: string;
}

/** Starts the processes of one data folder, restarts what dies, and stops all of it. */
export interface Supervisor {
  /** The real path of the data folder. */
  readonly dataDir: string;
  /** Brings up PostgreSQL and keeps it up, at the same port with the same data. See {@link startPostgres}. */
  startPostgres(): Promise<Pick<PostgresServer, 'url' | 'origin'>>;
  /** Brings up Temporal and keeps it up, at the same ports with the same data. See {@link startTemporal}. */
  startTemporal(options: {
    namespace: string;
    searchAttributes: SearchAttributes;
  }): Promise<Pick<TemporalServer, 'address' | 'uiUrl' | 'namespace' | 'origin'>>;
  /** Starts one of Relance's processes, resolves when it is ready, and restarts it whenever it ends unasked. */
  start(spec: ServiceSpec): Promise<void>;
  /** Stops one of them for good; nothing happens when it does not run. */
  stopOne(name: string): Promise<void>;
  /** All that is kept up, in the order of their start. Servers that were given by the environment are not among them. */
  services(): ServiceState[];
  /** Stops everything, last started first, and frees the data folder. Calling it again waits for the same end. */
  stop(): Promise<void>;
}

const firstBackOffMs = 200;
const longestBackOffMs = 5_000;
/** Whoever has run this long has recovered: its next end begins the back-off anew. Real milliseconds. */
const recoveredMs = 30_000;
const logCheckMs = 30_000;

/**
 * Takes a data folder: locks it, ends what a killed supervisor has left there, and returns what runs things in it.
 * @param options.fresh wipe it first
 * @throws StackError when another supervisor runs on it, or the folder cannot be used.
 */
export async function createSupervisor(options: { dataDir: string; log: Log; fresh?: boolean }): Promise<Supervisor> {
  const dataDir = prepareDataFolder(options.dataDir);
  const lock = await tryLock(join(dataDir, 'lock'));
  if (!('release' in lock)) throw new StackError(alreadyRunning(dataDir, lock.pid));
  try {
    const left = await endLeftovers(dataDir);
    if (left.length > 0)
      options.log(`ended what an earlier start had left behind: ${left.join(', ')}; all data is kept`);
    if (options.fresh === true) {
      await removeDistantDatabase(dataDir);
      emptyDataFolder(dataDir, ['lock']);
      prepareDataFolder(dataDir);
    }
  } catch (error) {
    lock.release();
    throw error;
  }
  return new FolderSupervisor(dataDir, options.log, lock);
}

/**
 * Stops all and exits on SIGINT, SIGTERM and SIGHUP, with the status that a shell gives for that signal (128 + its number). A second signal
 * ends what has not stopped yet at once.
 * @param stop what stops everything; usually the supervisor's `stop`, and what the caller has to do before
 */
export function stopOnSignals(stop: () => Promise<void>, log: Log): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const status = 128 + constants.signals[signal];
      // Children are killed by the exit handler of processes.ts.
      if (stopping) process.exit(status);
      stopping = true;
      log('stopping');
      stop().then(
        () => process.exit(status),
        (error: unknown) => {
          log(errorText(error));
          process.exit(1);
        },
      );
    });
  }
}

/** The command that runs a TypeScript file of ours in a Node process of its own, whatever folder it is started from. */
export function nodeCommand(file: string, args: readonly string[] = []): { command: string; args: string[] } {
  return { command: process.execPath, args: ['--import', import.meta.resolve('tsx'), file, ...args] };
}

/** Starts a service, for the first time or once more; throws when it does not become ready. */
type Starter = () => Promise<RunningProcess>;

interface Service {
  readonly name: string;
  readonly starter: Starter;
  readonly graceMs: number | undefined;
  current: RunningProcess | undefined;
  restarts: number;
  logPath: string;
  /** Ends when it has been stopped for good. */
  kept: Promise<void>;
  stopping: AbortController;
}

class FolderSupervisor implements Supervisor {
  readonly dataDir: string;
  readonly #log: Log;
  readonly #lock: Lock;
  readonly #services: Service[] = [];
  readonly #logCheck: NodeJS.Timeout;
  #stopped: Promise<void> | undefined;
  #starting: Promise<unknown> = Promise.resolve();

  readonly #freeFolder: () => void;

  constructor(dataDir: string, log: Log, lock: Lock) {
    this.dataDir = dataDir;
    this.#log = log;
    this.#lock = lock;
    this.#freeFolder = () => lock.release();
    process.once('exit', this.#freeFolder);
    this.#logCheck = setInterval(() => {
      for (const { logPath } of this.#services) rotateLiveLog(logPath);
    }, logCheckMs).unref();
  }

  startPostgres(): Promise<Pick<PostgresServer, 'url' | 'origin'>> {
    return this.#oneByOne(async () => {
      const options = { dataDir: this.dataDir, log: this.#log };
      const server = await startPostgres(options);
      await this.#keepServer('postgres', server, () => startPostgres({ ...options, samePort: true }));
      return { url: server.url, origin: server.origin };
    });
  }

  startTemporal(wanted: {
    namespace: string;
    searchAttributes: SearchAttributes;
  }): Promise<Pick<TemporalServer, 'address' | 'uiUrl' | 'namespace' | 'origin'>> {
    return this.#oneByOne(async () => {
      const options = { ...wanted, dataDir: this.dataDir, log: this.#log };
      const server = await startTemporal(options);
      await this.#keepServer('temporal', server, () => startTemporal({ ...options, samePort: true }));
      const { address, uiUrl, namespace, origin } = server;
      return { address, uiUrl, namespace, origin };
    });
  }

  start(spec: ServiceSpec): Promise<void> {
    return this.#oneByOne(async () => {
      const starter: Starter = () => startService(this.dataDir, spec);
      const child = await starter();
      await this.#keep(spec.name, child, starter, spec.graceMs);
    });
  }

  async stopOne(name: string): Promise<void> {
    const index = this.#services.findIndex((service) => service.name === name);
    const [service] = index === -1 ? [] : this.#services.splice(index, 1);
    if (service !== undefined) await stopService(this.dataDir, service);
  }

  services(): ServiceState[] {
    return this.#services.map(({ name, current, restarts, logPath }) => ({
      name,
      pid: current?.pid,
      restarts,
      logPath,
    }));
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    clearInterval(this.#logCheck);
    const problems: unknown[] = [];
    for (;;) {
      const service = this.#services.pop();
      if (service === undefined) break;
      await stopService(this.dataDir, service).catch((error: unknown) => problems.push(error));
    }
    // What comes up all the same, after a long download say, finds `#stopped` set and is stopped at once.
    await endOf(this.#starting, () => stopRunning(this.dataDir, undefined, 2_000));
    this.#freeFolder();
    process.off('exit', this.#freeFolder);
    if (problems.length > 0) throw problems[0];
  }

  /** A server given by the environment has no process and is not ours to keep. */
  async #keepServer(
    name: string,
    server: PostgresServer | TemporalServer,
    again: () => Promise<PostgresServer | TemporalServer>,
  ): Promise<void> {
    if (server.process === undefined) return;
    await this.#keep(name, server.process, async () => {
      const { process: child } = await again();
      if (child === undefined) throw new StackError(`${name} is not ours to restart.`);
      return child;
    });
  }

  async #keep(name: string, child: RunningProcess, starter: Starter, graceMs?: number): Promise<void> {
    if (this.#stopped !== undefined) {
      await child.stop(graceMs);
      throw new StackError(stoppedWhileStarting);
    }
    const service: Service = {
      name,
      starter,
      graceMs,
      stopping: new AbortController(),
      current: child,
      restarts: 0,
      logPath: child.logPath,
      kept: Promise.resolve(),
    };
    service.kept = keepUp(service, this.#lock, this.#log);
    this.#services.push(service);
  }

  /** The order of starts is the order of stops, so two starts never overlap. */
  async #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#starting
      .catch(() => undefined)
      .then(() => {
        if (this.#stopped !== undefined) throw new StackError(stoppedWhileStarting);
        return work();
      });
    this.#starting = result;
    try {
      return await result;
    } catch (error) {
      if (this.#stopped === undefined) throw error;
      // Whoever asked for the stop decides how the process ends, so it hears of the end first.
      await this.#stopped.catch(() => undefined);
      await sleep(100);
      throw new StackError(stoppedWhileStarting, { cause: error });
    }
  }
}

const stoppedWhileStarting = 'Stopped while starting.';

/** Restarts a service for as long as it is not being stopped. Never throws. */
async function keepUp(service: Service, lock: Lock, log: Log): Promise<void> {
  let backOffMs = firstBackOffMs;
  let startedAt = Date.now();
  const isStopping = (): boolean => service.stopping.signal.aborted;
  while (!isStopping()) {
    if (service.current !== undefined) {
      const ending = await service.current.ended;
      if (isStopping()) return;
      service.current = undefined;
      if (!lock.isHeld()) {
        log(`${service.name} ended, and is not restarted: the data folder was removed or another start has taken it`);
        return;
      }
      if (Date.now() - startedAt > recoveredMs) backOffMs = firstBackOffMs;
      log(`${service.name} ended unasked (${describeEnding(ending)}); restarting it in ${backOffMs / 1_000} s`);
    }
    await sleep(backOffMs, undefined, { signal: service.stopping.signal }).catch(() => undefined);
    backOffMs = Math.min(backOffMs * 2, longestBackOffMs);
    if (isStopping()) return;
    service.restarts += 1;
    startedAt = Date.now();
    try {
      service.current = await service.starter();
      log(`${service.name} runs again`);
    } catch (error) {
      log(`${errorText(error)} Trying again in ${backOffMs / 1_000} s.`);
    }
  }
}

async function stopService(dataDir: string, service: Service): Promise<void> {
  service.stopping.abort();
  await service.current?.stop(service.graceMs);
  // A restart may be under way.
  await endOf(service.kept, () => stopRunning(dataDir, service.name, service.graceMs));
  await service.current?.stop(service.graceMs);
}

/**
 * Waits for the end of a start that nobody wants any more, stopping what it has running. A start that has had nothing running for a second
 * is fetching something and is not waited for.
 */
async function endOf(work: Promise<unknown>, stopIt: () => Promise<number>): Promise<void> {
  let settled = false;
  const end = work
    .catch(() => undefined)
    .finally(() => {
      settled = true;
    });
  for (let idleSince = Date.now(); !settled && Date.now() - idleSince < 1_000;) {
    await Promise.race([end, sleep(50)]);
    if (!settled && (await stopIt()) > 0) idleSince = Date.now();
  }
}

async function startService(dataDir: string, spec: ServiceSpec): Promise<RunningProcess> {
  const child = await startProcess(dataDir, { ...spec, channel: true });
  if (spec.ready === undefined || (await becomesReady(child, spec.ready, spec.readyMs ?? 60_000))) return child;
  const ending = child.ending();
  await child.stop(spec.graceMs);
  const why = ending === undefined ? 'did not become ready in time' : `ended with ${describeEnding(ending)}`;
  const line = child
    .output()
    .split('\n')
    .findLast((text) => text.trim() !== '');
  throw new StackError(
    `${spec.name} ${why}${line === undefined ? '' : ` (${line.trim().slice(0, 300)})`}; its log is ${child.logPath}.`,
  );
}
