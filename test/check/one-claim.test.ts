import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/**
 * Interest and compensation are worked out in one place, `domain/law/claim.ts`: letters, agency file, declaration of claims,
 * API and imputation take its result. Whatever else counts days of interest is a second computation that will differ one day.
 */

const root = path.resolve(import.meta.dirname, '../..');
const SOURCES = ['domain', 'activities', 'workflows', 'db', 'api', 'worker', 'scripts', 'web'];

const files = execFileSync('git', ['ls-files', ...SOURCES], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file.endsWith('.ts') || file.endsWith('.liquid'))
  .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));

const usersOf = (pattern: RegExp): string[] => files.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

test('the parts of the computation are used by the claim alone', () => {
  expect(usersOf(/\b(?:interestPeriods|exactInterest|roundInterest|perDay|rateFrom)\(/)).toEqual([
    'domain/law/claim.ts',
    'domain/law/interest.ts',
  ]);
  expect(usersOf(/\bcompensationMinor\(/)).toEqual(['domain/law/claim.ts', 'domain/law/compensation.ts']);
});

test('nothing else multiplies or divides by the days of a year', () => {
  const reckons = /(?:[/*]\s*36[056]n?\b|\b36[056]n?\s*[/*])/;
  expect(usersOf(reckons)).toEqual(['domain/law/interest.ts']);
});
