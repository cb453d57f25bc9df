import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS, occurrences } from './mutants.ts';

/** The proof itself takes minutes and runs by hand and at night (CONTRIBUTING.md); that it still can is checked here. */
const ROOT = join(import.meta.dirname, '..', '..');

test('there are ten seeded bugs, each with a name of its own', () => {
  expect(new Set(MUTANTS.map((m) => m.name)).size).toBe(10);
});

test.each(MUTANTS)('$name can still be put in, and the tests that catch it are there', ({ patches, tests }) => {
  for (const { file, search, replace } of patches) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    expect(occurrences(text, search), `${file} has this exactly once: ${search}`).toBe(1);
    expect(replace).not.toBe(search);
  }
  expect(tests.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
