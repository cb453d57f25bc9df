import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

import { listFiles } from './files.ts';

/** Every link of a Markdown page to a file of ours leads somewhere, and so does its anchor. */
export async function deadLinks(root: string): Promise<string[]> {
  const pages = (await listFiles(root)).filter((path) => path.endsWith('.md'));
  const faults: string[] = [];
  for (const page of pages) {
    const text = withoutCode(await readFile(join(root, page), 'utf8'));
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path = '', anchor] = target!.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(root, file))) faults.push(`${page}: there is no ${target}`);
      else if (anchor !== undefined && !(await hasAnchor(join(root, file), anchor))) {
        faults.push(`${page}: ${file} has no heading for #${anchor}`);
      }
    }
  }
  return faults;
}

const withoutCode = (text: string): string => text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '`');

/** As GitHub names headings: lower case, without punctuation, hyphens for spaces. */
async function hasAnchor(file: string, anchor: string): Promise<boolean> {
  if (!statSync(file).isFile()) return false;
  const headings = [...(await readFile(file, 'utf8')).replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)];
  return headings.some(([, heading]) => slug(heading!) === anchor);
}

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
