import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { occurrences, type Mutant } from './mutants.ts';

/** A copy of the working tree in which bugs are planted; the tree itself is never touched. */
export interface Copy {
  root: string;
  remove(): void;
}

/** Copies what git knows or would take, and links the dependencies. */
export function copyTree(from: string): Copy {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'relance-mutants-')));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: from,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of listed.split('\0')) {
    if (file === '') continue;
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(from, file), join(root, file), { force: true });
  }
  symlinkSync(join(from, 'node_modules'), join(root, 'node_modules'), 'dir');
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Puts the bug in; returns what takes it out again. Throws when a text to be replaced is not there exactly once. */
export function plant(root: string, mutant: Mutant): () => void {
  const before = new Map<string, string>();
  const after = new Map<string, string>();
  for (const { file, search, replace } of mutant.patches) {
    const path = join(root, file);
    const text = after.get(path) ?? readFileSync(path, 'utf8');
    if (!before.has(path)) before.set(path, text);
    const found = occurrences(text, search);
    if (found !== 1) throw new Error(`${mutant.name}: ${file} has the text to be replaced ${found} times:\n${search}`);
    after.set(
      path,
      text.replace(search, () => replace),
    );
  }
  for (const [path, text] of after) writeFileSync(path, text);
  return () => {
    for (const [path, text] of before) writeFileSync(path, text);
  };
}

/** What a run of some test files came to. */
export interface Verdict {
  /** Full names of the tests that failed, or the files that did not even load. */
  failed: string[];
  passed: number;
  output: string;
}

interface Report {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** Runs test files in a copy. Throws when the runner itself gives no report. */
export async function runTests(root: string, files: readonly string[]): Promise<Verdict> {
  const report = join(root, 'mutants-report.json');
  rmSync(report, { force: true });
  const output = await new Promise<string>((resolve, reject) => {
    const runner = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const child = spawn(
      process.execPath,
      [runner, 'run', ...files, '--reporter=json', `--outputFile=${report}`, '--no-cache'],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CI: '1' } },
    );
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', () => resolve(said));
  });
  let read: Report;
  try {
    read = JSON.parse(readFileSync(report, 'utf8')) as Report;
  } catch {
    throw new Error(`The tests gave no report.\n${output}`);
  }
  const failed: string[] = [];
  let passed = 0;
  for (const file of read.testResults) {
    const red = file.assertionResults.filter((test) => test.status === 'failed');
    failed.push(...red.map((test) => test.fullName));
    passed += file.assertionResults.filter((test) => test.status === 'passed').length;
    if (file.status === 'failed' && red.length === 0) failed.push(`${file.name}: ${file.message ?? 'did not load'}`);
  }
  return { failed, passed, output };
}
