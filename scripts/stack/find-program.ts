import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { RunAs } from './processes.ts';

const run = promisify(execFile);

/** Whether a file is there that this process may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Every executable of this name on the PATH, first match first. */
export function onPath(name: string): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).filter(isExecutable);
}

/** The output of a short command, or undefined when it cannot be run or fails. At most ten seconds of real time. */
export async function outputOf(command: string, args: readonly string[], runAs?: RunAs): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, args, {
      timeout: 10_000,
      cwd: '/',
      ...(runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
    });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
