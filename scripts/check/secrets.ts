/** What must not be committed: keys, hosts of package registries, paths of somebody's machine. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { listFiles } from './files.ts';
import type { CheckPart } from './part.ts';

interface Forbidden {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files that may hold it, with the reason beside the entry. */
  readonly except?: RegExp;
}

const FORBIDDEN: readonly Forbidden[] = [
  { what: 'a private key', pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}/ },
  { what: 'a key of Resend', pattern: /\bre_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}\b/ },
  { what: 'a live key of a payment provider', pattern: /\b[rs]k_live_[A-Za-z0-9]{16,}\b/ },
  { what: 'a cloud access key', pattern: /\bAKIA[0-9A-Z]{16}\b/ },
  { what: 'a code host token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,}|glpat-[\w-]{20})\b/ },
  { what: 'a chat token', pattern: /\bxox[abprs]-[A-Za-z0-9-]{20,}\b/ },
  // Tests of signatures use published example secrets.
  { what: 'a webhook secret', pattern: /\bwhsec_[A-Za-z0-9+/]{24,}={0,2}/, except: /^test\// },
  {
    what: 'a password in a URL',
    pattern: /\b[a-z]+:\/\/[\w.-]+:(?!\$|relance@|postgres@|secret@|password@)[^\s:@/'"`<>{}$]{6,}@[\w-]/,
  },
  {
    what: 'the host of a package registry',
    pattern:
      /\b(?:registry\.(?:npmjs|yarnpkg)\.|pypi\.org|files\.pythonhosted\.|static\.crates\.|proxy\.golang\.|repo1?\.maven\.|deb\.debian\.)/,
  },
  // A home folder, or the folders sessions and build machines work in.
  {
    what: 'a path of one machine',
    pattern: /(?<![\w.:/$}-])\/(?:root|Users\/\w+|home\/(?!node\b|user\b)\w+|work\/(?:main|shared))\/[\w.]/,
  },
];

/** This file names the patterns; its test plants them. */
const OWN_FILES = new Set(['scripts/check/secrets.ts', 'test/check/secrets.test.ts']);
/** Nothing to read there: pictures, fonts, documents. */
const BINARY = /\.(?:png|jpe?g|gif|ico|pdf|ttf|otf|woff2?|gz|zip)$/i;

/** What is wrong with one file, one sentence per fault, as `path:line: …`. Never repeats the secret. */
export function secretFaults(path: string, text: string): string[] {
  const faults: string[] = [];
  for (const { what, pattern, except } of FORBIDDEN) {
    if (except?.test(path)) continue;
    const found = pattern.exec(text);
    if (found) faults.push(`${path}:${text.slice(0, found.index).split('\n').length}: ${what}`);
  }
  return faults;
}

export const secrets: CheckPart = {
  name: 'secrets',
  run: async (root) => {
    const faults: string[] = [];
    for (const path of await committable(root)) {
      if (BINARY.test(path) || OWN_FILES.has(path)) continue;
      if (/(?:^|\/)\.env(?:\.(?!example$)[^/]*)?$/.test(path)) faults.push(`${path}: keep the environment out of git`);
      faults.push(...secretFaults(path, await readFile(join(root, path), 'utf8')));
    }
    return faults;
  },
};

/** What is or could be committed: git knows what is ignored; without git (an archive) all files of ours. */
async function committable(root: string): Promise<string[]> {
  try {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
    const { stdout } = await promisify(execFile)('git', args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    const there = new Set(await listFiles(root));
    return stdout.split('\0').filter((path) => there.has(path));
  } catch {
    return listFiles(root);
  }
}
