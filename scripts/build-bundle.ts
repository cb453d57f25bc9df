/**
 * Bundles the workflows once, for the image and for the local stack, so that no worker runs webpack at start.
 * `tsx scripts/build-bundle.ts dist` also puts beside the compiled program what tsc leaves behind: mail templates and
 * the data files of the product.
 */
import { createHash, randomUUID } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

import { listFiles } from './check/files.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** All that can reach the bundle: the layer rule lets nothing else in. */
const SOURCES = ['workflows', 'domain'];
const PACKAGES = ['@temporalio/worker', '@temporalio/workflow', '@temporalio/common', 'temporal-polyfill'];
/** Bundles kept in a cache folder, newest first, so that it cannot grow for ever. */
const KEPT = 5;

export interface BundleResult {
  readonly file: string;
  /** SHA-256 over all sources and the versions of the bundled packages, in hex. */
  readonly key: string;
  /** Taken from the cache instead of built. */
  readonly cached: boolean;
}

/**
 * Writes the bundle of `workflows/index.ts` to `outFile`, for `workflowBundle: {codePath}` of a worker. With
 * `cacheDir` an unchanged bundle is copied from there (milliseconds instead of seconds). Files appear whole or not at
 * all, so several processes may build at once. Throws what webpack reports when a workflow reaches a forbidden module.
 */
export async function buildWorkflowBundle(outFile: string, options: { cacheDir?: string } = {}): Promise<BundleResult> {
  const key = await bundleKey();
  const file = resolve(outFile);
  const kept =
    options.cacheDir === undefined ? undefined : join(resolve(options.cacheDir), `workflow-bundle-${key}.js`);
  if (kept !== undefined && (await exists(kept))) {
    await placeWhole(file, (target) => copyFile(kept, target));
    return { file, key, cached: true };
  }
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows', 'index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  await placeWhole(file, (target) => writeFile(target, code));
  if (kept !== undefined) {
    await placeWhole(kept, (target) => writeFile(target, code));
    await forgetOld(dirname(kept));
  }
  return { file, key, cached: false };
}

/** Changes with any file below workflows/ or domain/ and with the version of a package that is bundled. */
export async function bundleKey(root: string = ROOT): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of SOURCES) {
    for (const path of await listFiles(join(root, folder))) {
      const content = await readFile(join(root, folder, path));
      hash.update(`${folder}/${path}\0${content.length}\0`).update(content);
    }
  }
  const require = createRequire(import.meta.url);
  for (const name of PACKAGES) hash.update(`${name}@${await versionOf(require.resolve(name), name)}\0`);
  return hash.digest('hex');
}

/** The version in the package.json above a package's entry file; packages need not export their package.json. */
async function versionOf(entry: string, name: string): Promise<string> {
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    const manifest: unknown = text === undefined ? undefined : JSON.parse(text);
    if (hasNameAndVersion(manifest) && manifest.name === name) return manifest.version;
  }
  throw new Error(`${name} has no package.json above ${entry}`);
}

function hasNameAndVersion(value: unknown): value is { name: string; version: string } {
  return typeof value === 'object' && value !== null && 'name' in value && 'version' in value;
}

async function placeWhole(file: string, write: (target: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const unfinished = `${file}.${randomUUID()}.part`;
  try {
    await write(unfinished);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function forgetOld(cacheDir: string): Promise<void> {
  const names = (await readdir(cacheDir)).filter((name) => /^workflow-bundle-[0-9a-f]{64}\.js$/.test(name));
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      at: await stat(join(cacheDir, name)).then(
        (found) => found.mtimeMs,
        () => 0,
      ),
    })),
  );
  const old = aged.sort((a, b) => b.at - a.at).slice(KEPT);
  await Promise.all(old.map(({ name }) => rm(join(cacheDir, name), { force: true })));
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Folders of the program in which files other than code are read at run time, by their place beside the code. */
const PRODUCT = ['domain', 'workflows', 'activities', 'db', 'api', 'web', 'worker', 'templates'];

/** Copies everything that is not TypeScript from the product's folders to the same place below `outDir`. */
export async function copyAssets(outDir: string, root: string = ROOT): Promise<string[]> {
  const copied: string[] = [];
  for (const folder of PRODUCT) {
    for (const path of await listFiles(join(root, folder)).catch(ignoreMissing)) {
      if (/\.tsx?$/.test(path) || path.endsWith('.md')) continue;
      await mkdir(dirname(join(outDir, folder, path)), { recursive: true });
      await cp(join(root, folder, path), join(outDir, folder, path));
      copied.push(`${folder}/${path}`);
    }
  }
  return copied;
}

function ignoreMissing(error: unknown): string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const outDir = resolve(process.argv[2] ?? 'dist');
  const { file } = await buildWorkflowBundle(join(outDir, 'workflow-bundle.js'));
  const assets = await copyAssets(outDir);
  console.log(`${file}, and ${assets.length} files that are not code`);
}
