import { openAsBlob } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { withQuery, type Api } from '../api.ts';
import { CliError, Refusal } from '../errors.ts';
import { fileProblem } from '../files.ts';
import type { Output } from '../output.ts';
import { text, type Verb } from '../verb.ts';

/** A bank file as the API answers it. */
interface StatementView {
  id: string;
  format: string;
  entries: number;
  receipts: number;
  duplicates: number;
  suspects: number;
  provisional: number;
  rejectedCount: number;
  rejected: { position: string; code: string; message: string }[];
  balance: 'holds' | 'broken' | 'unknown';
}

interface FeedView {
  id: string;
  name: string;
  iban: string | null;
}

/** Records that are shown. */
const SHOWN = 10;
/** Reading and writing down a year of a busy account. */
const TIMEOUT_MS = 15 * 60_000;

export const statement: Verb = {
  name: 'statement',
  takes: 'FILE… [options]',
  summary: 'Takes in bank files: camt.052, camt.053, camt.054, CFONB 120, MT940, CSV',
  about:
    'Each transaction counts once, whatever file or message told it; the same file again changes nothing. A record that\n' +
    'cannot be used is told by its place. Ends with 1 when a file was not taken in.',
  options: {
    feed: { value: 'ID', help: 'the account’s feed; may be left out while there is only one' },
    columns: { value: 'MAP', help: 'of a table: bookedOn=Date,amount=Montant,remittance="Libellé",…' },
    currency: { value: 'CODE', help: 'of a table or MT940 that does not say it' },
    'require-balance': { help: 'refuses a file whose balances do not hold' },
  },
  words: { least: 1, most: Number.POSITIVE_INFINITY },
  async run(call) {
    const { api, output } = call;
    const feedId = text(call, 'feed') ?? (await onlyFeed(api));
    const query = {
      columns: text(call, 'columns'),
      currency: text(call, 'currency'),
      balance: call.given['require-balance'] === true ? 'require' : undefined,
    };
    let exitCode = 0;
    for (const file of call.words) {
      const name = basename(file);
      try {
        const path = resolve(call.folder, file);
        print(output, name, await send(api, feedId, path, { ...query, filename: name.slice(0, 255) }));
      } catch (error) {
        // What concerns this file alone does not keep the others out; a wrong key or a dead API would.
        if (!(error instanceof OneFile) && !(error instanceof Refusal && [413, 415, 422].includes(error.status)))
          throw error;
        output.note(`${name}: ${error.message}`);
        exitCode = 1;
      }
    }
    return exitCode;
  },
};

/** A file that cannot be read from the disk. */
class OneFile extends CliError {}

async function onlyFeed(api: Api): Promise<string> {
  const { data } = await api.list<FeedView>('/v1/feeds', {}, 20);
  const [only, ...others] = data;
  if (only === undefined) throw new CliError('There is no feed yet: make one by POST /v1/feeds.');
  if (others.length > 0) {
    const known = data.map((feed) => `  ${feed.id}  ${feed.name}${feed.iban === null ? '' : `  ${feed.iban}`}`);
    throw new CliError(`There are several feeds; say which one by --feed ID:\n${known.join('\n')}`, 2);
  }
  return only.id;
}

async function send(
  api: Api,
  feedId: string,
  path: string,
  query: Record<string, string | undefined>,
): Promise<StatementView> {
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw new OneFile(fileProblem(error));
  });
  const bytes = await openAsBlob(path).catch((error: unknown) => {
    throw new OneFile(fileProblem(error));
  });
  return await api.patiently<StatementView>(withQuery(`/v1/feeds/${feedId}/statements`, query), {
    method: 'POST',
    // The format is found out by what is in it, unless columns say that it is a table.
    body: { bytes, contentType: 'application/octet-stream' },
    timeoutMs: TIMEOUT_MS,
  });
}

function print(output: Output, name: string, view: StatementView): void {
  const parts = [
    `${view.receipts} new receipts`,
    `${view.duplicates} known`,
    ...(view.provisional > 0 ? [`${view.provisional} provisional`] : []),
    ...(view.suspects > 0 ? [`${view.suspects} in doubt`] : []),
    `${view.rejectedCount} rejected`,
  ];
  output.line(`${name}: ${view.format}, ${view.entries} entries, ${parts.join(', ')}, balance ${view.balance}`);
  for (const one of view.rejected.slice(0, SHOWN)) {
    output.line(`  ${one.position}  ${one.code}: ${one.message}`);
  }
  if (view.rejected.length > SHOWN)
    output.line(`  … and ${view.rejected.length - SHOWN} more: GET /v1/statements/${view.id}`);
}
