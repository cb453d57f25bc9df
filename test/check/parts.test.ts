import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

import { docs, replaceGenerated } from '../../scripts/check/docs.ts';
import { deadLinks } from '../../scripts/check/links.ts';
import { differences } from '../../scripts/check/openapi.ts';
import { totalsOf } from '../../scripts/check/test-totals.ts';

describe('OpenAPI drift', () => {
  test('finds nothing where the order of members is all that differs', () => {
    expect(differences({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 })).toEqual([]);
  });

  test('points at what differs, what is missing and what is gone', () => {
    const found = { paths: { '/v1/clock': { get: {} } }, info: { title: 'a' }, tags: ['x'] };
    const wanted = { paths: { '/v1/invoices': { get: {} } }, info: { title: 'b' }, tags: { x: 1 } };
    expect(differences(found, wanted)).toEqual([
      '/paths/~1v1~1clock is no longer there',
      '/paths/~1v1~1invoices is missing',
      '/info/title differs',
      '/tags differs',
    ]);
  });

  test('shows the first ten and counts the rest', () => {
    const many = Object.fromEntries(Array.from({ length: 13 }, (_, n) => [`member${n}`, n]));
    const list = differences({}, many);
    expect(list).toHaveLength(11);
    expect(list.at(-1)).toBe('… and 3 more');
  });
});

describe('generated texts', () => {
  test('replaces what stands between the marks and nothing else', () => {
    const page = 'before\n<!-- generated: codes -->\nold\n<!-- end of codes -->\nafter';
    expect(replaceGenerated(page, 'codes', 'new\n')).toBe(
      'before\n<!-- generated: codes -->\n\nnew\n\n<!-- end of codes -->\nafter',
    );
  });

  test('misses marks that are not there', () => {
    expect(replaceGenerated('<!-- generated: codes -->', 'codes', 'new')).toBeUndefined();
    expect(replaceGenerated('nothing', 'codes', 'new')).toBeUndefined();
  });

  test('have links that lead to a page and a heading', async () => {
    const root = await mkdtemp(join(tmpdir(), 'links-'));
    try {
      await writeFile(
        join(root, 'a.md'),
        '# The `a`, first\n\n[b](b.md#up) [self](#the-a-first) [web](https://x.example)\n',
      );
      await writeFile(join(root, 'b.md'), '## Up\n\n[gone](c.md) [lost](a.md#nowhere) `[no](link)`\n');
      expect(await deadLinks(root)).toEqual(['b.md: there is no c.md', 'b.md: a.md has no heading for #nowhere']);
    } finally {
      await rm(root, { recursive: true });
    }
  });

  test('are current in this project', async () => {
    expect(await docs.run(process.cwd(), { write: false })).toEqual([]);
  });
});

describe('the plain line at the end of CI', () => {
  const report = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true };
  const broken = { status: 'failed', assertionResults: [] };
  test.each([
    ['all well', report, '5 passed, 0 failed', true],
    ['skipped ones', { ...report, numPendingTests: 2 }, '5 passed, 0 failed, 2 skipped', true],
    ['a failed test', { ...report, numFailedTests: 1, success: false }, '5 passed, 1 failed', false],
    [
      'a file that does not load',
      { ...report, testResults: [broken, broken], success: false },
      '5 passed, 2 failed',
      false,
    ],
    ['an unhandled error', { ...report, success: false }, '5 passed, 1 failed', false],
    ['no test', { ...report, numPassedTests: 0 }, '0 passed, 0 failed', false],
    ['no report', undefined, '0 passed, 1 failed', false],
  ])('%s', (_, value, line, ok) => {
    expect(totalsOf(value)).toEqual({ line, ok });
  });
});

describe('npm run check', () => {
  const check = (...args: string[]) => promisify(execFile)('npx', ['tsx', 'scripts/check.ts', ...args]);

  test('runs one part by its name and prints one line with its time', async () => {
    const { stdout } = await check('docs');
    expect(stdout).toMatch(/^docs +ok +\d+\.\d s\n$/);
  });

  test('refuses a part that does not exist', async () => {
    await expect(check('layer')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There are format'),
    });
  });
});
