import { Unzlib } from 'fflate';
import { PDFArray, PDFDict, PDFDocument, PDFName, PDFRawStream, type PDFObject } from 'pdf-lib';
import { DomainError } from '../errors.ts';
import { EINVOICE_ROOTS } from './einvoice.ts';
import { latin1 } from '../text/encoding.ts';
import { xmlRootName } from './xml.ts';

const MAX_PDF = 30_000_000;
/** Of one attached XML, and of all object streams together. */
const MAX_INFLATED = 20_000_000;
const MAX_OBJECT_STREAMS = 100_000_000;
const MAX_TREE_NODES = 1_000;

/**
 * The e-invoice inside a hybrid PDF (Factur-X, ZUGFeRD, Order-X-like): the first attachment whose root element is one of
 * `EINVOICE_ROOTS`. Names vary between producers and other attachments may come first, so names decide nothing.
 *
 * Throws `pdfTooLarge`, `pdfUnreadable`, `pdfEncrypted` (encrypted and no attachment readable) or `pdfWithoutXml`.
 */
export async function xmlFromPdf(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.byteLength > MAX_PDF) throw new DomainError('pdfTooLarge', `The PDF is larger than ${MAX_PDF} bytes.`);
  guardObjectStreams(bytes);
  const document = await load(bytes);
  for (const stream of attachments(document)) {
    const content = inflated(stream);
    const root = content && xmlRootName(content);
    if (root && EINVOICE_ROOTS.has(root)) return content;
  }
  if (document.isEncrypted) throw encrypted();
  throw new DomainError(
    'pdfWithoutXml',
    'The PDF holds no e-invoice: no Factur-X, ZUGFeRD or UBL attachment was found.',
  );
}

const encrypted = (): DomainError =>
  new DomainError('pdfEncrypted', 'The PDF is encrypted, so the invoice in it cannot be read.');
const unreadable = (): DomainError => new DomainError('pdfUnreadable', 'The file is not a readable PDF.');

async function load(bytes: Uint8Array): Promise<PDFDocument> {
  try {
    const document = await PDFDocument.load(bytes, {
      ignoreEncryption: true,
      updateMetadata: false,
      throwOnInvalidObject: false,
    });
    // The library takes files without a catalog and fails only when it is used.
    if (!(document.catalog instanceof PDFDict)) throw unreadable();
    return document;
  } catch {
    throw latin1(bytes).includes('/Encrypt') ? encrypted() : unreadable();
  }
}

/** Attached files: the name tree `Names/EmbeddedFiles` and the associated files `AF` of PDF/A-3, each stream once. */
function attachments(document: PDFDocument): PDFRawStream[] {
  const { catalog, context } = document;
  const streams = new Set<PDFRawStream>();
  const visited = new Set<PDFObject>();
  const as = <T extends PDFObject>(type: new (...args: never[]) => T, value: PDFObject | undefined): T | null => {
    const target = value === undefined ? undefined : context.lookup(value);
    return target instanceof type ? target : null;
  };
  const entry = (dict: PDFDict | null, name: string): PDFObject | undefined => dict?.get(PDFName.of(name));
  const dictionary = PDFDict as unknown as new (...args: never[]) => PDFDict;
  const array = PDFArray as unknown as new (...args: never[]) => PDFArray;
  const rawStream = PDFRawStream as unknown as new (...args: never[]) => PDFRawStream;

  const addFile = (value: PDFObject | undefined): void => {
    const files = as(dictionary, entry(as(dictionary, value), 'EF'));
    for (const name of ['UF', 'F', 'Unix', 'Mac', 'DOS']) {
      const stream = as(rawStream, entry(files, name));
      if (stream) streams.add(stream);
    }
  };
  const walk = (value: PDFObject | undefined): void => {
    const node = as(dictionary, value);
    // Files with a loop in the tree exist; each node counts once.
    if (!node || visited.has(node) || visited.size > MAX_TREE_NODES) return;
    visited.add(node);
    as(array, entry(node, 'Names'))
      ?.asArray()
      .forEach((item, i) => i % 2 === 1 && addFile(item));
    as(array, entry(node, 'Kids'))?.asArray().forEach(walk);
  };
  walk(entry(as(dictionary, entry(catalog, 'Names')), 'EmbeddedFiles'));
  const associated = entry(catalog, 'AF');
  as(array, associated)?.asArray().forEach(addFile);
  addFile(associated);
  return [...streams];
}

/** The stream's content, or null when it is too large, broken, or packed with a filter that attachments do not use. */
function inflated(stream: PDFRawStream): Uint8Array | null {
  const filter = stream.dict.lookup(PDFName.of('Filter'));
  const filters = filter instanceof PDFArray ? filter.asArray().map(String) : filter ? [String(filter)] : [];
  let content: Uint8Array | null = stream.contents;
  for (const name of filters) {
    if (name !== '/FlateDecode' && name !== '/Fl') return null;
    content = content && inflate(content, MAX_INFLATED);
  }
  return content !== null && content.byteLength <= MAX_INFLATED ? content : null;
}

/** Unpacks piece by piece, so that a bomb costs no more than the limit; null beyond it and for broken data. */
function inflate(packed: Uint8Array, limit: number): Uint8Array | null {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const unzlib = new Unzlib((chunk) => {
    size += chunk.byteLength;
    if (size <= limit) chunks.push(chunk);
  });
  try {
    const step = 16_384;
    for (let at = 0; at < packed.byteLength && size <= limit; at += step) {
      unzlib.push(packed.subarray(at, at + step), at + step >= packed.byteLength);
    }
  } catch {
    // Some producers leave out the checksum at the end; what was unpacked until then is whole or will not parse.
  }
  if (size === 0 || size > limit) return null;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

const OBJECT_STREAM = /\/(?:ObjStm|XRef)\b/;

/**
 * The PDF library unpacks object and cross-reference streams on loading, without a limit. So they are measured first: those
 * in one plain Flate layer must stay within the bound, any other packing of them is refused.
 */
function guardObjectStreams(bytes: Uint8Array): void {
  const text = latin1(bytes);
  let total = 0;
  let from = 0;
  for (const match of text.matchAll(/(?<!end)stream(?:\r\n|\n|\r)/g)) {
    if (match.index < from) continue;
    const head = text
      .slice(from, match.index)
      .replace(/#([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    const start = match.index + match[0].length;
    const end = text.indexOf('endstream', start);
    from = end < 0 ? text.length : end;
    if (!OBJECT_STREAM.test(head)) continue;
    const dictionary = head.slice(Math.max(0, head.lastIndexOf(' obj')));
    if (!OBJECT_STREAM.test(dictionary)) throw unreadable();
    if (/\/Filter\s*(?:\d|\[\s*\/\w+\s*\/\w+|\[?\s*\/(?!FlateDecode|Fl\b))/.test(dictionary)) throw unreadable();
    if (!/\/Filter\b/.test(dictionary)) continue;
    const size = inflatedSize(bytes.subarray(start, from), MAX_OBJECT_STREAMS - total);
    total += size;
    if (total > MAX_OBJECT_STREAMS) throw new DomainError('pdfTooLarge', 'The PDF unpacks to more than is read.');
  }
}

function inflatedSize(packed: Uint8Array, limit: number): number {
  let size = 0;
  const unzlib = new Unzlib((chunk) => (size += chunk.byteLength));
  try {
    const step = 16_384;
    for (let at = 0; at < packed.byteLength && size <= limit; at += step)
      unzlib.push(packed.subarray(at, at + step), false);
  } catch {
    // Broken data unpacks no further than this, here as in the library.
  }
  return size;
}
