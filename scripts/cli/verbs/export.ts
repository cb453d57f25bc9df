import { access, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { withQuery } from '../api.ts';
import { CliError, wrongUsage } from '../errors.ts';
import { text, type Verb } from '../verb.ts';

const KINDS = ['fec', 'journal', 'subledger'] as const;

export const exportBooks: Verb = {
  name: 'export',
  takes: 'fec|journal|subledger [--from DATE] [--to DATE] [--out FILE]',
  summary: 'Writes a numbered export of the books into a file',
  about:
    'fec: the fichier des écritures comptables; journal: every entry as CSV; subledger: what moved each invoice, as CSV. From ' +
    '1 January of the year of --to, up to today, unless said. The same question while nothing has changed is the same file.',
  options: {
    from: { value: 'DATE', help: 'first day' },
    to: { value: 'DATE', help: 'last day' },
    out: { value: 'FILE', help: 'where to write it; else its own name in this folder' },
    'omit-foreign': { help: 'fec: leave out entries in other currencies than the euro' },
    force: { help: 'overwrite a file that is there' },
  },
  words: { least: 1, most: 1 },
  async run(call) {
    const kind = KINDS.find((one) => one === call.words[0]);
    if (kind === undefined) throw wrongUsage(`There is no export ${call.words[0]}: ${KINDS.join(', ')}.`);
    const omit = call.given['omit-foreign'] === true;
    if (omit && kind !== 'fec') throw wrongUsage('--omit-foreign is for the FEC alone.');
    const query = { from: text(call, 'from'), to: text(call, 'to'), foreign: omit ? 'omit' : undefined };
    const { bytes, headers } = await call.api.download(withQuery(`/v1/exports/${kind}`, query));
    const own = /filename="([^"]+)"/.exec(headers.get('content-disposition') ?? '')?.[1] ?? `${kind}.txt`;
    const path = resolve(call.folder, text(call, 'out') ?? own);
    if (call.given['force'] !== true && (await exists(path)))
      throw new CliError(`${path} is there already; --force overwrites it.`);
    await writeFile(path, bytes).catch((error: unknown) => {
      throw new CliError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    });
    call.output.line(`${kind} no. ${headers.get('export-number') ?? '?'}, ${bytes.length} bytes: ${path}`);
    return 0;
  },
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
