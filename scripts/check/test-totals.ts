/**
 * Prints vitest's result as one plain line, `N passed, N failed`, from the file of its JSON reporter. CI ends with it.
 * Ends with 1 when anything failed or nothing ran.
 */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

export interface TestTotals {
  readonly line: string;
  readonly ok: boolean;
}

/**
 * The totals of a report of vitest's JSON reporter. Test files that could not even be loaded hold no failed test;
 * each counts as one failure, as does a run that vitest calls unsuccessful for another reason (an unhandled error).
 */
export function totalsOf(report: unknown): TestTotals {
  const passed = countOf(report, 'numPassedTests');
  const skipped = countOf(report, 'numPendingTests') + countOf(report, 'numTodoTests');
  const failedTests = countOf(report, 'numFailedTests') + brokenFiles(report);
  const failed = failedTests === 0 && field(report, 'success') !== true ? 1 : failedTests;
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { line, ok: failed === 0 && passed > 0 };
}

function brokenFiles(report: unknown): number {
  const files = field(report, 'testResults');
  if (!Array.isArray(files)) return 0;
  return files.filter((file) => {
    const tests = field(file, 'assertionResults');
    return (
      field(file, 'status') === 'failed' &&
      Array.isArray(tests) &&
      !tests.some((one) => field(one, 'status') === 'failed')
    );
  }).length;
}

function countOf(report: unknown, name: string): number {
  const value = field(report, name);
  return typeof value === 'number' ? value : 0;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const report: unknown = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
  const { line, ok } = totalsOf(report);
  console.log(line);
  process.exitCode = ok ? 0 : 1;
}
