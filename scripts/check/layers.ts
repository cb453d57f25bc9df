/**
 * The layer rule of docs/architecture.md: who may import whom. It keeps the domain pure, the workflows deterministic
 * and small, and SQL in one folder; the compiler sees none of that.
 */
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';

import { listFiles } from './files.ts';
import { clockReadsOf, importsOf, type Import } from './imports.ts';
import type { CheckPart } from './part.ts';

const LAYERS = ['domain', 'workflows', 'activities', 'db', 'api', 'web', 'worker', 'scripts', 'test', 'bench'] as const;
type Layer = (typeof LAYERS)[number];

interface LayerRule {
  /** Layers it may import freely, besides itself. */
  readonly may: readonly Layer[];
  /** Layers of which it may import types only. */
  readonly types?: readonly Layer[];
  /** Single files it may import besides. */
  readonly files?: readonly string[];
  /** The only packages it may import, as specifiers; a trailing `/*` takes every subpath. Absent: any but `denied`. */
  readonly packages?: readonly string[];
  /** May it use the built-in modules of Node? */
  readonly builtins: boolean;
  /** May it speak to PostgreSQL itself? */
  readonly sql: boolean;
}

/** Packages without I/O, clock or chance. `temporal-polyfill` itself is not: it takes the native object with its clock. */
const PURE_PACKAGES = ['temporal-polyfill/implementation', 'ibantools', 'saxes', 'fflate', 'pdf-lib', 'zod'];

/** The schema of the environment. */
const SETTINGS = 'config.ts';

const EVERYTHING: LayerRule = { may: LAYERS, builtins: true, sql: true };

const RULES: Record<Layer, LayerRule> = {
  domain: { may: [], packages: PURE_PACKAGES, builtins: false, sql: false },
  workflows: {
    may: ['domain'],
    types: ['activities'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
    builtins: false,
    sql: false,
  },
  activities: { may: ['domain', 'db'], builtins: true, sql: false },
  db: { may: ['domain'], builtins: true, sql: true },
  api: {
    may: ['domain', 'db', 'web'],
    types: ['activities'],
    files: [
      'workflows/messages.ts',
      'workflows/ids.ts',
      SETTINGS,
      'activities/holidays.ts',
      'activities/template-texts.ts',
      'activities/letters/index.ts',
      'activities/render-again.ts',
    ],
    builtins: true,
    sql: false,
  },
  web: { may: ['domain'], builtins: true, sql: false },
  worker: {
    may: ['domain', 'workflows', 'activities', 'db', 'api', 'web'],
    files: [SETTINGS],
    builtins: true,
    sql: false,
  },
  scripts: EVERYTHING,
  test: EVERYTHING,
  bench: EVERYTHING,
};

/** Only `db/` knows SQL: these are its business alone among the layers of the product. */
const SQL_PACKAGES = new Set(['pg', 'kysely']);

/**
 * What the workflow bundle may hold at run time, followed through all our files. Every other package costs memory in
 * each cached case: zod alone takes one from 58 to 585 KB of heap.
 */
const BUNDLE_PACKAGES = new Set(['@temporalio/workflow', '@temporalio/common', 'temporal-polyfill']);

/** A project as this rule sees it: the text of every module by its path relative to the root. */
export type SourceTree = ReadonlyMap<string, string>;

/** All breaches of the layer rule in `tree`, one sentence each, as `path:line: …`. */
export function layerFaults(tree: SourceTree): string[] {
  const imports = new Map([...tree].map(([path, text]) => [path, importsOf(text)]));
  const faults: string[] = [];
  for (const [path, list] of imports) {
    const layer = layerOf(path);
    if (!layer) {
      faults.push(...refuseInSettings(path, list));
      continue;
    }
    for (const one of list) {
      const why = isRelative(one) ? refuseFile(layer, path, one) : refusePackage(layer, one);
      if (why) faults.push(`${path}:${one.line}: ${why}`);
    }
  }
  return [...faults, ...clockFaults(tree), ...bundleFaults(imports)];
}

/** oxlint refuses `Date.now` in these layers; `new Date()` reads the same clock. */
function clockFaults(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, text]) => {
    const layer = layerOf(path);
    if (layer !== 'domain' && layer !== 'workflows') return [];
    return clockReadsOf(text).map((line) => `${path}:${line}: ${layer} has no clock: take now as an argument`);
  });
}

function refuseFile(from: Layer, path: string, one: Import): string | undefined {
  const target = resolve(path, one.specifier);
  const to = layerOf(target);
  const rule = RULES[from];
  if (rule.files?.includes(target)) return undefined;
  // Files at the root belong to no layer: settings are for what starts a process, the rest configures tools.
  if (!to) return rule === EVERYTHING ? undefined : `${from} may not import ${target}, which is in no layer`;
  if (to === from || rule.may.includes(to)) return undefined;
  if (rule.types?.includes(to)) {
    return one.typeOnly ? undefined : `${from} may import only types of ${to}: write "import type" for ${target}`;
  }
  return `${from} may not import ${to} (${target})`;
}

/** The settings are read by every process, so they stand on nothing of ours. */
function refuseInSettings(path: string, list: readonly Import[]): string[] {
  if (path !== SETTINGS) return [];
  return list.filter(isRelative).map((one) => `${path}:${one.line}: the settings may not import ${one.specifier}`);
}

function refusePackage(from: Layer, one: Import): string | undefined {
  const rule = RULES[from];
  if (isBuiltin(one.specifier)) {
    return rule.builtins ? undefined : `${from} may not use ${one.specifier}: it has no I/O, clock or chance`;
  }
  if (!rule.sql && SQL_PACKAGES.has(packageOf(one.specifier))) {
    return `${from} may not import ${one.specifier}: only db knows SQL`;
  }
  if (rule.packages && !rule.packages.includes(one.specifier)) {
    return `${from} may not import the package ${one.specifier} (allowed: ${rule.packages.join(', ')})`;
  }
  return undefined;
}

/** Follows what runs in the workflow sandbox and names the way to each package that must not be there. */
function bundleFaults(imports: ReadonlyMap<string, Import[]>): string[] {
  const faults: string[] = [];
  const cameFrom = new Map<string, string | undefined>();
  const queue: string[] = [];
  for (const path of imports.keys()) {
    if (layerOf(path) !== 'workflows') continue;
    cameFrom.set(path, undefined);
    queue.push(path);
  }
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const one of imports.get(path) ?? []) {
      if (one.typeOnly) continue;
      if (isRelative(one)) {
        const target = resolve(path, one.specifier);
        if (!imports.has(target) || cameFrom.has(target)) continue;
        cameFrom.set(target, path);
        queue.push(target);
      } else if (!isBuiltin(one.specifier) && !BUNDLE_PACKAGES.has(packageOf(one.specifier))) {
        const way = trail(path, cameFrom).join(' -> ');
        faults.push(`${path}:${one.line}: ${one.specifier} is reachable from workflows: ${way} -> ${one.specifier}`);
      }
    }
  }
  return faults;
}

function trail(path: string, cameFrom: ReadonlyMap<string, string | undefined>): string[] {
  const way: string[] = [];
  for (let at: string | undefined = path; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
  return way;
}

function layerOf(path: string): Layer | undefined {
  const [folder, rest] = path.split('/', 2);
  return rest === undefined ? undefined : LAYERS.find((layer) => layer === folder);
}

function isRelative(one: Import): boolean {
  return one.specifier.startsWith('.');
}

function resolve(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** `@scope/name` or `name`, without subpath. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Reads every .ts and .tsx module below `root`. */
export async function readSourceTree(root: string): Promise<SourceTree> {
  const paths = (await listFiles(root)).filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'));
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path), 'utf8')] as const)),
  );
}

export const layers: CheckPart = {
  name: 'layers',
  run: async (root) => layerFaults(await readSourceTree(root)),
};
