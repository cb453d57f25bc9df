import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { errorCode, errorText, explained, explaining, StackError } from './errors.ts';
import { prepareDataFolder, readText, writeAtomically } from './files.ts';
import { choosePort, isListening, isPortFree, rememberedPort } from './ports.ts';
import { giveTo, postgresHome, reachablePrograms, type PostgresHome } from './postgres-home.ts';
import { endServerOf } from './postgres-leftovers.ts';
import { findPostgres, oldestMajor } from './postgres-programs.ts';
import {
  becomesReady,
  describeEnding,
  endLeftovers,
  startProcess,
  type Log,
  type RunningProcess,
} from './processes.ts';

export interface PostgresOptions {
  readonly dataDir: string;
  readonly log: Log;
  /** Insist on the remembered port and wait for it: others hold connections to it. */
  readonly samePort?: boolean;
  /** False for tests alone: nothing is synced to the disk, so a power cut loses the database. */
  readonly durable?: boolean;
}

/** A PostgreSQL server that answers. */
export interface PostgresServer {
  /** For the database `relance`, or what DATABASE_URL says. Holds the password: never print it. */
  readonly url: string;
  /** In words, for the person who looks on. */
  readonly origin: string;
  /** The child that serves; undefined when the server is not ours. */
  readonly process: RunningProcess | undefined;
  /** Stops what was started here; a server that was given is left alone. */
  stop(): Promise<void>;
}

const user = 'relance';
const database = 'relance';
const readyMs = 60_000;

/**
 * Brings up PostgreSQL: the server of DATABASE_URL, else one of ours on 127.0.0.1 with its data in the data folder, made at the
 * first start with checksums, UTF-8, C collation and a password of its own. What an earlier start left running is ended first; its data is kept.
 * @throws StackError with the remedy.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const given = process.env['DATABASE_URL'];
  if (given !== undefined && given !== '') return useGivenServer(given);
  const dataDir = prepareDataFolder(options.dataDir);
  const [left] = await endLeftovers(dataDir, 'postgres');
  const home = await postgresHome(dataDir, options.log);
  if (left !== undefined || (await endServerOf(home.cluster))) {
    options.log('ended the PostgreSQL server that an earlier start had left behind; its data is kept');
  }
  const programs = await findPostgres(majorOf(home));
  const binDir = reachablePrograms(programs, home);
  const password = ensurePassword(dataDir);
  if (!existsSync(home.cluster)) createCluster(home, binDir, password, options.durable ?? true);
  for (let attempt = 1; ; attempt += 1) {
    const server = await startServer(home, binDir, password, dataDir, options);
    if (typeof server !== 'string') return { ...server, origin: programs.origin };
    if (!isWorthAnotherTry(server) || attempt === 20) throw startProblem(server, dataDir);
    // Sessions of a server that was killed a moment ago are still ending, or somebody took the port.
    await sleep(500);
  }
}

/** @returns the server, or the output of the one that did not come up. */
async function startServer(
  home: PostgresHome,
  binDir: string,
  password: string,
  dataDir: string,
  options: PostgresOptions,
): Promise<Omit<PostgresServer, 'origin'> | string> {
  const port = options.samePort === true ? await remembered(dataDir) : await choosePort(dataDir, 'postgres');
  const durable = options.durable ?? true;
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // Their paths are limited to 107 bytes, which a data folder may exceed; TCP with a password serves.
    unix_socket_directories: '',
    max_connections: '200',
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    fsync: durable ? 'on' : 'off',
    ...(durable ? {} : { synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const child = await startProcess(dataDir, {
    name: 'postgres',
    command: join(binDir, 'postgres'),
    args: ['-D', home.cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    cwd: home.cluster,
    env: environment(home),
    ...(home.runAs === undefined ? {} : { runAs: home.runAs }),
    // Fast shutdown: sessions are ended, nothing is lost. Immediate shutdown recovers at the next start.
    stopSignal: 'SIGINT',
    killSignal: 'SIGQUIT',
  });
  const url = `postgres://${user}:${password}@127.0.0.1:${port}`;
  let refusal: string | undefined;
  const ready = await becomesReady(
    child,
    async () => {
      if (!(await isListening(port))) return false;
      try {
        await createDatabase(`${url}/postgres`);
        return true;
      } catch (error) {
        refusal = errorText(error);
        // Waiting does not cure a wrong password (SQLSTATE 28P01).
        if (errorCode(error) === '28P01') void child.stop();
        return false;
      }
    },
    readyMs,
  );
  if (ready) return { url: `${url}/${database}`, process: child, stop: () => child.stop() };
  const ending = child.ending();
  await child.stop();
  const output = child.output();
  return ending === undefined
    ? `${output}\nFATAL: ${refusal ?? 'no answer within a minute'}`
    : output || `FATAL: ${describeEnding(ending)}`;
}

async function createDatabase(adminUrl: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
  });
}

async function useGivenServer(url: string): Promise<PostgresServer> {
  let version: number;
  try {
    version = await withClient(url, async (client) => {
      const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
      return Math.floor(Number(rows[0]?.server_version_num) / 10_000);
    });
  } catch (error) {
    throw new StackError(
      `DATABASE_URL is set, but its database cannot be used (${errorText(error)}); start or create it, correct the URL, or unset it to have a server started.`,
      { cause: error },
    );
  }
  if (version < oldestMajor) {
    throw new StackError(`The server of DATABASE_URL is PostgreSQL ${version}; Relance needs ${oldestMajor} or newer.`);
  }
  return { url, origin: `PostgreSQL ${version}, DATABASE_URL`, process: undefined, stop: () => Promise.resolve() };
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A connection that breaks rejects the query that waits on it; without a listener it would also end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Makes the cluster beside its place and moves it there when whole, so that a crash in between leaves nothing half made. */
function createCluster(home: PostgresHome, binDir: string, password: string, durable: boolean): void {
  for (const name of readdirSync(home.folder)) {
    if (name.startsWith('postgres.new')) rmSync(join(home.folder, name), { recursive: true, force: true });
  }
  const folder = join(home.folder, 'postgres.new');
  const passwordFile = join(home.folder, 'postgres.new-password');
  try {
    explaining(home.folder, () => {
      mkdirSync(folder, { mode: 0o700 });
      giveTo(home, folder);
      writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
      giveTo(home, passwordFile);
    });
    const args = [
      '-D',
      folder,
      '-U',
      user,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    ];
    args.push('--data-checksums', '--no-instructions');
    if (!durable) args.push('--no-sync');
    execFileSync(join(binDir, 'initdb'), args, {
      cwd: folder,
      env: environment(home),
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(home.runAs === undefined ? {} : { uid: home.runAs.uid, gid: home.runAs.gid }),
    });
    renameSync(folder, home.cluster);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (error instanceof Error && 'stderr' in error && errorCode(error) === undefined) {
      throw startProblem(String(error.stderr), home.folder);
    }
    throw explained(error, home.folder);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function ensurePassword(dataDir: string): string {
  const path = join(dataDir, 'postgres-password');
  const known = readText(path)?.trim();
  if (known !== undefined && known !== '') return known;
  const password = randomBytes(24).toString('base64url');
  writeAtomically(path, `${password}\n`);
  return password;
}

/** The major version that made the cluster; undefined when there is none yet. */
function majorOf(home: PostgresHome): number | undefined {
  const text = readText(join(home.cluster, 'PG_VERSION'));
  return text === undefined ? undefined : Number(text.trim());
}

/** The remembered port, waited for: a server that was killed a moment ago may still hold it. */
async function remembered(dataDir: string): Promise<number> {
  const port = rememberedPort(dataDir, 'postgres');
  if (port === undefined) return choosePort(dataDir, 'postgres');
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await isPortFree(port)) return port;
    await sleep(100);
  }
  throw new StackError(
    `Port ${port}, which the database has to use again, was taken by another program; end that program.`,
  );
}

function isWorthAnotherTry(output: string): boolean {
  return /pre-existing shared memory|lock file "postmaster\.pid" already exists|Address already in use|could not bind/.test(
    output,
  );
}

function startProblem(output: string, folder: string): StackError {
  if (/no space left on device/i.test(output)) {
    return new StackError(
      `PostgreSQL cannot start: the disk of ${folder} is full; free some space or choose another folder with --data DIR.`,
    );
  }
  if (/password authentication failed/.test(output)) {
    return new StackError(
      `The database in ${folder} does not accept the password kept beside it; put the former postgres-password file back, or begin anew with --fresh.`,
    );
  }
  const line = output
    .split('\n')
    .map((text) => /(?:FATAL|PANIC|error):\s*(.*)/.exec(text)?.[1])
    .findLast((text) => text !== undefined);
  const why = line ?? output.trim().split('\n').at(-1) ?? '';
  return new StackError(`PostgreSQL cannot start on ${folder}: ${why.slice(0, 300)} (its log is in the folder logs).`);
}

/** PG* variables meant for clients would change what the server does; the C locale keeps its messages in English for us to read. */
function environment(home: PostgresHome): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('PG') && !name.startsWith('LC_') && name !== 'LANG',
  );
  return { ...Object.fromEntries(kept), HOME: home.folder, LC_ALL: 'C', TZ: 'UTC' };
}
