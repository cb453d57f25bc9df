import { DomainError } from '../errors.ts';
import { decodeTable, latin1, xmlEncoding } from '../text/encoding.ts';
import { CamtReader } from './camt/reader.ts';
import { messageKind } from './camt/walker.ts';
import { readCfonb120 } from './cfonb120.ts';
import type { CsvMapping } from './csv/columns.ts';
import { isBankCsv, readBankCsv } from './csv/reader.ts';
import { readMt940 } from './mt940/reader.ts';
import type { StatementEvent, StatementFormat } from './transaction.ts';

export type { CsvField, CsvMapping } from './csv/columns.ts';

export interface ReadOptions {
  /** Recognised by its first bytes where it is not given. A camt message is read as the one that it is. */
  format?: StatementFormat;
  /** Headers of a bank's table; those left out are recognised by their names. */
  csv?: CsvMapping;
  /** ISO 4217, the account's: for records of MT940 and CSV where neither they nor their statement name one. */
  currency?: string;
}

/** What is looked at to recognise a format. */
const HEAD = 16_384;
/** MT940, CFONB and tables are read whole: 250,000 entries and more. camt has no such bound. */
const MAX_TEXT_FILE = 100_000_000;

/**
 * Which format a file is in by its first bytes, 16 KB or all there is; null for none that is known here.
 */
export function sniffFormat(head: Uint8Array): StatementFormat | null {
  const text = textOf(head.subarray(0, HEAD)).replace(/^[\s\0\ufeff]+/, '');
  if (text.startsWith('<')) return camtIn(text);
  if (/^0[1457][\dA-Z]{5}.{4}[\dA-Z]{5}(?:[A-Z]{3}| {3})[\d ].[\dA-Z ]{11}/.test(text)) return 'cfonb120';
  if (/^:(?:20|25P?|28C?|60[FM]|61|62[FM]|64|86):/m.test(text)) return 'mt940';
  return isBankCsv(text) ? 'csv' : null;
}

function textOf(head: Uint8Array): string {
  // A head may end within a character, and declare what we do not read: it is only looked at for words of ASCII.
  try {
    const encoding = xmlEncoding(head);
    return encoding.startsWith('utf-16') ? new TextDecoder(encoding).decode(head) : decodeTable(head).text;
  } catch (error) {
    if (error instanceof DomainError) return latin1(head);
    throw error;
  }
}

/** By the element of the message, else by the name space that the document declares. */
function camtIn(text: string): StatementFormat | null {
  for (const [, name] of text.matchAll(/<(?:[\w.-]+:)?(\w+)/g)) {
    const kind = messageKind(name!);
    if (kind !== null) return kind;
  }
  const declared = /camt\.05[234](?=\.001)/.exec(text)?.[0];
  return (declared as StatementFormat | undefined) ?? null;
}

/**
 * Reads a bank file of any format, one record at a time; camt in constant memory, whatever its size. A record that cannot
 * be used is told with its place and its code, and its neighbours are read; so is the end of a file that was cut.
 *
 * Throws a `DomainError` for what is no statement at all, or not one that is read: `statementEmpty`,
 * `statementFormatUnknown`, `statementMissing` (a file of its format without a statement), `statementTooLarge` (above 100 MB of
 * anything but camt); of XML `xmlBroken`, `xmlEncoding`, `xmlDoctype`, `xmlTooDeep`, `xmlTooLarge`; of tables `csvNoHeader`,
 * `columnMissing`. The last three of XML may come behind records that were told.
 *
 * Told piece by piece as the file comes in, each to be read before the next is asked for: a promise for every record
 * would cost a tenth of reading it.
 */
export async function* readStatement(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ReadOptions = {},
): AsyncGenerator<Iterable<StatementEvent>> {
  const file = new StatementFile(options);
  for await (const bytes of source) yield file.write(bytes);
  yield file.end();
}

/** The same for bytes that are held already. */
export function readStatementSync(bytes: Uint8Array, options: ReadOptions = {}): StatementEvent[] {
  const file = new StatementFile(options);
  return [...file.write(bytes), ...file.end()];
}

/** A file as its bytes come in: the head is held until it says what to do with the rest. */
class StatementFile {
  private readonly options: ReadOptions;
  private format: StatementFormat | null;
  private camt: CamtReader | null = null;
  private held: Uint8Array[] = [];
  private size = 0;

  constructor(options: ReadOptions) {
    this.options = options;
    this.format = options.format ?? null;
  }

  *write(bytes: Uint8Array): Generator<StatementEvent> {
    if (this.camt !== null) {
      yield* this.camt.write(bytes);
      return;
    }
    this.held.push(bytes);
    this.size += bytes.byteLength;
    if (this.size >= HEAD) yield* this.begin();
  }

  *end(): Generator<StatementEvent> {
    if (this.size === 0) throw new DomainError('statementEmpty', 'The file is empty.');
    if (this.camt === null) yield* this.begin();
    if (this.camt !== null) {
      yield* this.camt.end();
      return;
    }
    let told = 0;
    for (const event of this.readWhole(joined(this.held))) {
      told++;
      yield event;
    }
    if (told === 0) throw new DomainError('statementMissing', 'The file holds no statement.');
  }

  /** Recognises the format, once. */
  private *begin(): Generator<StatementEvent> {
    if (this.format === null) {
      const head = joined(this.held);
      this.format = sniffFormat(head);
      if (this.format === null) {
        throw new DomainError(
          'statementFormatUnknown',
          'The file is none of camt.052, camt.053, camt.054, CFONB 120, MT940 and a table.',
        );
      }
    }
    if (this.format.startsWith('camt')) {
      this.camt = new CamtReader();
      const head = joined(this.held);
      this.held = [];
      yield* this.camt.write(head);
    } else if (this.size > MAX_TEXT_FILE) {
      throw new DomainError('statementTooLarge', `The file is larger than ${MAX_TEXT_FILE} bytes.`);
    }
  }

  private readWhole(bytes: Uint8Array): Iterable<StatementEvent> {
    const currency = this.options.currency ?? null;
    switch (this.format) {
      case 'cfonb120':
        return readCfonb120(bytes);
      case 'mt940':
        return readMt940(bytes, currency);
      default:
        return readBankCsv(bytes, this.options.csv ?? {}, currency);
    }
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
