import { createReadStream, readFileSync } from 'node:fs';
import { XMLParser } from 'fast-xml-parser';
import { readStatement } from '../../domain/statement/read.ts';

/** Reads a file of camt.053 and says how many entries it found. */
export type Reader = (path: string) => Promise<number>;

/** Our reader, from the disk to checked transactions. */
const ours: Reader = async (path) => {
  let entries = 0;
  for await (const told of readStatement(createReadStream(path))) {
    for (const event of told) {
      if (event.kind === 'rejected') throw new Error(`${event.record.code} at ${event.record.position}`);
      if (event.kind === 'statement') entries = event.summary.entries;
    }
  }
  return entries;
};

/** The document as a tree of objects, and nothing made of it: amounts stay text, since a float is none. */
const dom: Reader = (path) => {
  const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false });
  const document = parser.parse(readFileSync(path)) as { Document: { BkToCstmrStmt: { Stmt: { Ntry: unknown[] } } } };
  return Promise.resolve(document.Document.BkToCstmrStmt.Stmt.Ntry.length);
};

export const READERS = { ours, dom } as const;
