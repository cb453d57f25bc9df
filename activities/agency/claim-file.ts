import { createHash } from 'node:crypto';
import { strToU8, zipSync } from 'fflate';
import type { ClaimDocument } from '../../db/repositories/claim-file.ts';
import type { ClaimFacts } from '../../domain/agency/claim-facts.ts';
import { claimJson, timelineJson, type NamedDocument } from '../../domain/agency/claim-json.ts';
import { numbered, safeName } from '../../domain/agency/entry-names.ts';
import { messagesCsv, postCsv, statementCsv } from '../../domain/agency/tables.ts';

/** The pages of the file that people read, as PDFs; the same facts give the same bytes. */
export interface Papers {
  claimSheet(facts: ClaimFacts): Promise<Uint8Array>;
  statement(facts: ClaimFacts): Promise<Uint8Array>;
  timeline(facts: ClaimFacts): Promise<Uint8Array>;
}

/** The beginning of the times that a ZIP can say, in whatever zone: the archive bears no date, its contents do. */
const NO_DATE = new Date(1980, 0, 1);

/** What has been compressed before is stored as it is. */
const PACKED = /\.(pdf|zip)$/;

/**
 * The file that an agency gets about a placement: a ZIP whose bytes follow from the facts and documents alone.
 * `SHA256SUMS` has the digest of every other entry, as `sha256sum -c` reads it.
 */
export async function buildClaimFile(
  facts: ClaimFacts,
  documents: readonly ClaimDocument[],
  papers: Papers,
): Promise<Buffer> {
  const named = nameDocuments(facts, documents);
  const entries = new Map<string, Uint8Array>();
  entries.set('claim-sheet.pdf', await papers.claimSheet(facts));
  entries.set('claim.json', jsonBytes(claimJson(facts, named)));
  entries.set('statement.pdf', await papers.statement(facts));
  entries.set('statement.csv', strToU8(statementCsv(facts)));
  entries.set('messages.csv', strToU8(messagesCsv(facts, named)));
  entries.set('post.csv', strToU8(postCsv(facts, named)));
  entries.set('timeline.json', jsonBytes(timelineJson(facts)));
  entries.set('timeline.pdf', await papers.timeline(facts));
  for (const { name, bytes } of named) entries.set(name, bytes);
  entries.set('SHA256SUMS', strToU8(checksumsOf(entries)));
  const zipped = zipSync(
    Object.fromEntries(
      [...entries].map(([name, bytes]) => [name, [bytes, { mtime: NO_DATE, level: PACKED.test(name) ? 0 : 6 }]]),
    ),
  );
  return Buffer.from(zipped.buffer, zipped.byteOffset, zipped.byteLength);
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const checksumsOf = (entries: ReadonlyMap<string, Uint8Array>): string =>
  [...entries].map(([name, bytes]) => `${sha256Of(bytes)}  ${name}\n`).join('');

const jsonBytes = (value: unknown): Uint8Array => strToU8(`${JSON.stringify(value, null, 2)}\n`);

/** Names of the documents in the archive: the invoice by its number, messages by their order. */
function nameDocuments(
  facts: ClaimFacts,
  documents: readonly ClaimDocument[],
): (NamedDocument & { bytes: Uint8Array })[] {
  const taken = new Set<string>();
  const positions = new Map(facts.messages.map(({ id }, index) => [id, index + 1]));
  return documents.map(({ contactId, contentType, bytes }) => {
    const stem =
      contactId === null
        ? `invoices/${safeName(facts.invoice.number, 'invoice')}`
        : `messages/${numbered('message', positions.get(contactId) ?? 0)}`;
    const name = firstFree(stem, extensionOf(contentType), taken);
    taken.add(name);
    return { contactId, name, bytes };
  });
}

/** A message may have several documents: `message-001.eml`, `message-001-2.pdf`. */
function firstFree(stem: string, extension: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n += 1) {
    const name = `${stem}${n === 1 ? '' : `-${n}`}.${extension}`;
    if (!taken.has(name)) return name;
  }
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'message/rfc822': 'eml',
  'text/html': 'html',
  'text/plain': 'txt',
};

const extensionOf = (contentType: string): string => EXTENSIONS[contentType.split(';')[0]!.trim()] ?? 'bin';
