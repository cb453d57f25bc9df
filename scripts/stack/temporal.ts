import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, explaining, StackError } from './errors.ts';
import { prepareDataFolder } from './files.ts';
import { choosePort, freePort, isListening, isPortFree, rememberedPort } from './ports.ts';
import {
  becomesReady,
  describeEnding,
  endLeftovers,
  startProcess,
  type Log,
  type RunningProcess,
} from './processes.ts';
import { temporalCli, temporalTestServer } from './releases.ts';
import type { SearchAttributes } from './search-attributes.ts';
import { findProgram, type Program } from './temporal-program.ts';

export interface TemporalOptions {
  readonly dataDir: string;
  readonly namespace: string;
  readonly searchAttributes: SearchAttributes;
  readonly log: Log;
  /** Insist on the remembered port and wait for it: others hold connections to it. */
  readonly samePort?: boolean;
}

/** A Temporal server that answers and knows the namespace and the search attributes. */
export interface TemporalServer {
  /** `host:port` of the frontend. */
  readonly address: string;
  /** Where to look at it in a browser; null where that is not known. */
  readonly uiUrl: string | null;
  readonly namespace: string;
  /** In words, for the person who looks on. */
  readonly origin: string;
  /** The child that serves; undefined when the server is not ours. */
  readonly process: RunningProcess | undefined;
  /** Stops what was started here; a server that was given is left alone. */
  stop(): Promise<void>;
}

const readyMs = 60_000;

/**
 * Brings up Temporal with its UI, its history kept in `DIR/temporal/temporal.db`: the server of TEMPORAL_ADDRESS, else a development server of ours on
 * 127.0.0.1 (see {@link findProgram} for where it comes from). Resolves when namespace and search attributes are usable.
 * @throws StackError with the remedy.
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const given = process.env['TEMPORAL_ADDRESS'];
  if (given !== undefined && given !== '') return useGivenServer(given, options);
  const dataDir = prepareDataFolder(options.dataDir);
  const [left] = await endLeftovers(dataDir, 'temporal');
  if (left !== undefined)
    options.log('ended the Temporal server that an earlier start had left behind; its data is kept');
  const program = await findProgram(temporalCli, dataDir, options.log);
  for (let attempt = 1; ; attempt += 1) {
    const server = await startDevServer(program, dataDir, options);
    if (!(server instanceof StackError)) return server;
    // Somebody may have taken the port between the choice and the start; then there is another one.
    if (attempt === 3) throw server;
  }
}

async function startDevServer(
  program: Program,
  dataDir: string,
  options: TemporalOptions,
): Promise<TemporalServer | StackError> {
  const port =
    options.samePort === true ? await remembered(dataDir, 'temporal') : await choosePort(dataDir, 'temporal');
  const uiPort =
    options.samePort === true ? await remembered(dataDir, 'temporalUi') : await choosePort(dataDir, 'temporalUi');
  const address = `127.0.0.1:${port}`;
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)];
  // Relative, so that no character of the folder's name can mean anything to SQLite.
  args.push(
    '--db-filename',
    'temporal.db',
    '--namespace',
    options.namespace,
    '--log-level',
    'warn',
    '--ui-disable-news-fetch',
    // The default, a rollback journal synced at every commit, starts five times fewer workflows a second. A write-ahead log
    // loses nothing when the process is killed; a power cut may cost its last commits, and the sweep mends that.
    '--sqlite-pragma',
    'journal_mode=wal',
    '--sqlite-pragma',
    'synchronous=1',
  );
  for (const [name, type] of Object.entries(options.searchAttributes))
    args.push('--search-attribute', `${name}=${type}`);
  const cwd = explaining(dataDir, () => databaseFolder(dataDir));
  const env = withoutTemporalSettings();
  const child = await startProcess(dataDir, { name: 'temporal', command: program.path, args, cwd, env });
  const ready = await whenReady(child, address, (connection) => isUsable(connection, options));
  if (!ready) {
    const problem = startProblem('Temporal', child, dataDir);
    await child.stop();
    return problem;
  }
  return {
    address,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    namespace: options.namespace,
    origin: `development server, ${program.origin}`,
    process: child,
    stop: () => child.stop(),
  };
}

export interface TestServerOptions {
  readonly log: Log;
  /** Registered once it answers: the time-skipping server knows none by itself, and an unknown one stops a workflow for ever. */
  readonly searchAttributes?: SearchAttributes;
}

/**
 * Starts the time-skipping test server on a free port; its clock is global, so one for each test that skips time. Found like the Temporal
 * program, `TEMPORAL_TEST_SERVER` naming a copy to use instead.
 * @throws StackError with the remedy.
 */
export async function startTestServer(options: TestServerOptions): Promise<{ address: string; stop(): Promise<void> }> {
  const folder = prepareDataFolder(mkdtempSync(join(tmpdir(), 'relance-skip-')));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const program = await findTestServer(options.log);
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const child = await startProcess(folder, { name: 'test-server', command: program.path, args: [String(port)] });
    const stop = async (): Promise<void> => {
      await child.stop(2_000);
      clean();
    };
    const ready = await whenReady(child, address, async (connection) => {
      if (options.searchAttributes !== undefined)
        await addSearchAttributes(connection, 'default', options.searchAttributes);
      return true;
    });
    if (!ready) {
      const problem = startProblem('The time-skipping test server', child, folder);
      await stop();
      throw problem;
    }
    return { address, stop };
  } catch (error) {
    clean();
    throw error;
  }
}

/** Where the time-skipping test server is, fetched when need be. @throws StackError with the remedy. */
export function findTestServer(log: Log): Promise<Program> {
  return findProgram(temporalTestServer, join(tmpdir(), `relance-programs-${process.getuid?.() ?? 0}`), log);
}

async function useGivenServer(address: string, options: TemporalOptions): Promise<TemporalServer> {
  const connection = await Connection.connect({ address, connectTimeout: 10_000 }).catch((error: unknown) => {
    throw new StackError(
      `TEMPORAL_ADDRESS is ${address}, but no Temporal server answers there (${errorText(error)}); start it, correct the address, or unset it to have one started.`,
      { cause: error },
    );
  });
  try {
    await ensureNamespace(connection, options.namespace, address);
    await poll(async () => {
      try {
        await addSearchAttributes(connection, options.namespace, options.searchAttributes);
        return true;
      } catch (error) {
        // A new namespace takes some seconds to be known to all parts of the server.
        if (isNotFound(error)) return false;
        throw error;
      }
    }, readyMs);
    await poll(() => isUsable(connection, options), readyMs);
  } catch (error) {
    if (error instanceof StackError) throw error;
    const list = Object.entries(options.searchAttributes).map(([name, type]) => `${name}=${type}`);
    throw new StackError(
      `The Temporal server at ${address} does not let us add search attributes (${errorText(error)}); have its operator add ${list.join(', ')} to namespace ${options.namespace}.`,
      { cause: error },
    );
  } finally {
    await connection.close();
  }
  return {
    address,
    uiUrl: process.env['TEMPORAL_UI_URL'] ?? null,
    namespace: options.namespace,
    origin: 'TEMPORAL_ADDRESS',
    process: undefined,
    stop: () => Promise.resolve(),
  };
}

async function ensureNamespace(connection: Connection, namespace: string, address: string): Promise<void> {
  if (await knowsNamespace(connection, namespace)) return;
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('3 days'),
    });
    await poll(() => knowsNamespace(connection, namespace), readyMs);
  } catch (error) {
    throw new StackError(
      `The Temporal server at ${address} has no namespace ${namespace} and does not let us create it (${errorText(error)}); create it (temporal operator namespace create ${namespace}) or set TEMPORAL_NAMESPACE to one that exists.`,
      { cause: error },
    );
  }
}

async function knowsNamespace(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch {
    return false;
  }
}

/** The numbers of `temporal.api.enums.v1.IndexedValueType`. */
const indexedValueType = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 } as const;

async function addSearchAttributes(connection: Connection, namespace: string, wanted: SearchAttributes): Promise<void> {
  const known = await knownSearchAttributes(connection, namespace).catch(() => new Set<string>());
  const missing = Object.entries(wanted).filter(([name]) => !known.has(name));
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, indexedValueType[type]])),
  });
}

/** gRPC's status NOT_FOUND. */
function isNotFound(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 5;
}

async function knownSearchAttributes(connection: Connection, namespace: string): Promise<Set<string>> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return new Set(Object.keys(customAttributes ?? {}));
}

async function isUsable(connection: Connection, options: TemporalOptions): Promise<boolean> {
  if (!(await knowsNamespace(connection, options.namespace))) return false;
  const known = await knownSearchAttributes(connection, options.namespace);
  return Object.keys(options.searchAttributes).every((name) => known.has(name));
}

async function whenReady(
  child: RunningProcess,
  address: string,
  usable: (connection: Connection) => Promise<boolean>,
): Promise<boolean> {
  const probe = async (): Promise<boolean> => {
    // A fresh connection each time: gRPC backs off for seconds after a first refusal.
    if (!(await isListening(Number(address.split(':')[1])))) return false;
    try {
      const connection = await Connection.connect({ address, connectTimeout: 2_000 });
      try {
        return await connection.withDeadline(Date.now() + 5_000, () => usable(connection));
      } finally {
        await connection.close();
      }
    } catch {
      return false;
    }
  };
  return becomesReady(child, probe, readyMs);
}

function startProblem(what: string, child: RunningProcess, dataDir: string): StackError {
  const output = child.output();
  const ending = child.ending();
  const how = ending === undefined ? 'did not answer within a minute' : `ended with ${describeEnding(ending)}`;
  if (/no space left on device|disk (?:is )?full/i.test(output)) {
    return new StackError(
      `${what} cannot start: the disk of ${dataDir} is full; free some space or choose another folder with --data DIR.`,
    );
  }
  const line = output
    .split('\n')
    .findLast((text) => /error|fatal|unable|exception/i.test(text))
    ?.trim();
  return new StackError(
    `${what} ${how}${line === undefined ? '' : ` (${line.slice(0, 300)})`}; its log is ${child.logPath}.`,
  );
}

/** The remembered port, waited for: a server that was killed a moment ago may still hold it. */
async function remembered(dataDir: string, name: string): Promise<number> {
  const port = rememberedPort(dataDir, name);
  if (port === undefined) return choosePort(dataDir, name);
  if (!(await poll(() => isPortFree(port), 30_000))) {
    throw new StackError(
      `Port ${port}, which the stack has to use again, was taken by another program; end that program.`,
    );
  }
  return port;
}

async function poll(condition: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) return false;
    await sleep(100);
  }
  return true;
}

/** Closed to others: the server itself makes its file readable by all. */
function databaseFolder(dataDir: string): string {
  const folder = join(dataDir, 'temporal');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** TEMPORAL_* variables meant for clients would change what the server's command line does. */
function withoutTemporalSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
