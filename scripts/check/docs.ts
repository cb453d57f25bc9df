/**
 * Texts made from the code. A generated part stands in its file between
 * `<!-- generated: NAME -->` and `<!-- end of NAME -->`; what is around it is written by hand.
 */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { deadLinks } from './links.ts';
import type { CheckPart } from './part.ts';

export interface GeneratedText {
  /** Relative to the root. */
  readonly file: string;
  readonly name: string;
  /** The Markdown between the two marks, without them. */
  readonly generate: (root: string) => Promise<string>;
}

/** Add a table made from code here, and its marks to the file; `npm run check -- docs --write` fills it in. */
export const GENERATED: readonly GeneratedText[] = [
  { file: 'docs/decisions/README.md', name: 'index of decisions', generate: decisionIndex },
  { file: 'docs/architecture.md', name: 'stages', generate: stages },
  {
    file: 'README.md',
    name: 'settings',
    generate: async () => (await import('../../config.ts')).settingsTable(),
  },
];

export const docs: CheckPart = {
  name: 'docs',
  run: async (root, { write }) => {
    const faults: string[] = [];
    for (const text of GENERATED) {
      const fault = await checkText(root, text, write);
      if (fault) faults.push(fault);
    }
    return [...faults, ...(await deadLinks(root))];
  },
};

async function checkText(root: string, text: GeneratedText, write: boolean): Promise<string | undefined> {
  const path = join(root, text.file);
  const current = await readFile(path, 'utf8');
  const replaced = replaceGenerated(current, text.name, await text.generate(root));
  if (replaced === undefined) return `${text.file}: the marks of "${text.name}" are missing`;
  // As prettier leaves it, so that the two checks cannot disagree about the width of a table.
  const wanted = await format(replaced, { ...(await resolveConfig(path)), filepath: path });
  if (wanted === current) return undefined;
  if (!write) return `${text.file}: "${text.name}" is not current, run "npm run check -- docs --write"`;
  await writeFile(path, wanted);
  return undefined;
}

/** `page` with the text between the marks of `name` replaced, or undefined where the marks are missing. */
export function replaceGenerated(page: string, name: string, text: string): string | undefined {
  const begin = `<!-- generated: ${name} -->`;
  const end = `<!-- end of ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from + begin.length);
  if (from === -1 || to === -1) return undefined;
  return `${page.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${page.slice(to)}`;
}

/** One line per decision record: its number, its title as a link and its status. */
async function decisionIndex(root: string): Promise<string> {
  const folder = join(root, 'docs/decisions');
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.*\.md$/.test(name)).sort();
  const lines = await Promise.all(
    names.map(async (name) => {
      const record = await readFile(join(folder, name), 'utf8');
      const title = /^# \d+\. (.+)$/m.exec(record)?.[1];
      const status = /^Status: (\w+)/m.exec(record)?.[1];
      if (!title || !status) throw new Error(`docs/decisions/${name} needs "# N. Title" and "Status: …"`);
      return `- ${name.slice(0, 4)}: [${title}](${name}), ${status}`;
    }),
  );
  return lines.join('\n');
}

/** The life of an invoice, drawn from the list that holds the code to it. */
async function stages(): Promise<string> {
  const { stageDiagram } = await import('../../domain/case/stages.ts');
  return `\`\`\`mermaid\n${stageDiagram()}\n\`\`\``;
}
