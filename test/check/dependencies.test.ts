/** Each direct dependency has its reason, and what its licence asks for is done. */
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

const RECORD = 'docs/decisions/0002-dependencies.md';

interface Manifest {
  version: string;
  license?: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const manifest = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
const ours = manifest('package.json');
const wanted = { ...ours.dependencies, ...ours.devDependencies };

/** Rows of the tables: `| name | version | licence | reason | upkeep |`. */
const rows = new Map(
  readFileSync(RECORD, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .map(([name = '', ...cells]) => [name.replaceAll('`', ''), cells] as const),
);

test('are pinned exactly', () => {
  expect(Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});

test('all stand in the table, and nothing else does', () => {
  expect([...rows.keys()].sort()).toEqual(Object.keys(wanted).sort());
});

test.each(Object.entries(wanted))('%s %s: version, licence, reason and upkeep', (name, version) => {
  const [shownVersion, licence, reason = '', upkeep = ''] = rows.get(name) ?? [];
  const installed = manifest(`node_modules/${name}/package.json`);
  expect([shownVersion, licence]).toEqual([version, (installed.license ?? '').replace(/^\((.*)\)$/, '$1')]);
  expect(reason.length).toBeGreaterThan(20);
  expect(upkeep.length).toBeGreaterThan(5);
});

test('NOTICE credits those whose licence asks for more than its text', () => {
  const notice = readFileSync('NOTICE', 'utf8');
  for (const [name, licence] of [...rows].map(([key, cells]) => [key, cells[1] ?? ''] as const)) {
    if (name in ours.dependencies && !/^(MIT|ISC)$/.test(licence)) expect(notice).toContain(name);
  }
});

test('the lock file names the optional packages of every platform, else `npm ci` refuses it', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(lock.packages, path, name)),
  );
  expect(missing).toEqual([]);
});

/** Whether the package at `path` finds `name` in its own node_modules or in one above it. */
function isLocked(packages: object, path: string, name: string): boolean {
  if (`${path === '' ? '' : `${path}/`}node_modules/${name}` in packages) return true;
  if (path === '') return false;
  const above = path.lastIndexOf('/node_modules/');
  return isLocked(packages, above === -1 ? '' : path.slice(0, above), name);
}
