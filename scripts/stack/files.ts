import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode, explaining, StackError } from './errors.ts';

/** Stands in folders that were new or empty when Relance first used them: only those are ever wiped. */
const marker = '.relance-data';

/** Whether this process is root, who may do everything except run PostgreSQL. */
export const isRoot = process.getuid?.() === 0;

/**
 * Makes the data folder with its `run` and `logs` folders and returns its real path. It is closed to other users; only when we
 * are root others may pass through it (not list it), because PostgreSQL then runs as another user inside it.
 * @throws StackError when the folder cannot be made or written.
 */
export function prepareDataFolder(dataDir: string): string {
  return explaining(dataDir, () => {
    mkdirSync(dataDir, { recursive: true, mode: isRoot ? 0o711 : 0o700 });
    const real = realpathSync(dataDir);
    const status = lstatSync(real);
    if (isRoot && status.uid === 0 && (status.mode & 0o1) === 0) chmodSync(real, (status.mode & 0o777) | 0o11);
    if (readdirSync(real).length === 0)
      writeFileSync(join(real, marker), 'A data folder of Relance.\n', { mode: 0o600 });
    mkdirSync(join(real, 'run'), { recursive: true, mode: 0o700 });
    mkdirSync(join(real, 'logs'), { recursive: true, mode: 0o700 });
    // Proves that the folder can be written and that the disk takes a block, before anything is started.
    const probe = join(real, 'run', `.probe-${process.pid}`);
    try {
      writeFileSync(probe, Buffer.alloc(4096), { mode: 0o600 });
    } finally {
      rmSync(probe, { force: true });
    }
    return real;
  });
}

/**
 * Removes everything in a data folder except what is named in `kept`.
 * @throws StackError when the folder held other things before Relance used it: those are not ours to remove.
 */
export function emptyDataFolder(dataDir: string, kept: readonly string[]): void {
  explaining(dataDir, () => {
    if (!existsSync(join(dataDir, marker))) {
      throw new StackError(
        `${dataDir} held other files before Relance used it, so it is not wiped; remove it by hand or choose another folder with --data DIR.`,
      );
    }
    for (const name of readdirSync(dataDir)) {
      if (name !== marker && !kept.includes(name)) rmSync(join(dataDir, name), { recursive: true, force: true });
    }
  });
}

/** Writes a small file so that readers see the old or the new text, never a part. Mode 0600. */
export function writeAtomically(path: string, text: string): void {
  explaining(path, () => {
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, text, { mode: 0o600, flush: true });
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** The text of a file, or undefined where there is none. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    return explaining(path, () => {
      throw error;
    });
  }
}

/** The JSON object in a file; undefined where there is none or where it was torn by a crash. */
export function readRecord(path: string): Record<string, unknown> | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
