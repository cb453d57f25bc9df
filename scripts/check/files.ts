import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders that never hold source of ours, whatever their depth. */
const SKIPPED = new Set(['node_modules', 'dist', 'coverage']);

/**
 * All files below `root`, as paths relative to it with forward slashes, sorted. Skips dependencies, build output
 * and dot folders (`.git`, `.relance`, caches) but keeps dot files and the folder `.ci`.
 */
export async function listFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  async function walk(folder: string): Promise<void> {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) found.push(path);
      else if (entry.isDirectory() && isOurs(entry.name)) await walk(path);
    }
  }
  await walk('');
  return found.sort();
}

function isOurs(folder: string): boolean {
  return !SKIPPED.has(folder) && (!folder.startsWith('.') || folder === '.ci');
}
