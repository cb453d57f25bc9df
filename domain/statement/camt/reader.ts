import { DomainError } from '../../errors.ts';
import { XmlDecoder } from '../../text/encoding.ts';
import type { LocalDate } from '../../time/dates.ts';
import { RecordFault } from '../fields.ts';
import type { StatementEvent } from '../transaction.ts';
import { readDetail, type Detail } from './details.ts';
import { textOf, type XmlElement } from './elements.ts';
import { readEntry } from './entry.ts';
import { CamtStatement, dayOrNull } from './statement.ts';
import { CamtWalker, type CamtHandler, type CamtKind } from './walker.ts';

/** Transactions of one entry that are held until it is known whether they add up to it. */
const MAX_DETAILS = 100_000;
/** Text handed on at once. A larger piece is not read faster. */
const PIECE = 65_536;

/**
 * Reads camt.052, 053 and 054 of any version from pieces of bytes, one entry at a time. What was whole is told, whatever
 * comes behind it. `write` and `end` throw a `DomainError` for what is no such message (`statementFormatUnknown`), has no
 * statement (`statementMissing`), is not XML (`xmlBroken`, `xmlEncoding`) or is refused for what it might do (`xmlDoctype`,
 * `xmlTooDeep`, `xmlTooLarge`). XML that breaks, or ends, behind the start of a statement is a rejected record:
 * `xmlBroken`, `fileEndsEarly`.
 */
export class CamtReader implements CamtHandler {
  private readonly walker = new CamtWalker(this);
  private readonly decoder = new XmlDecoder();
  private events: StatementEvent[] = [];
  private kind: CamtKind | null = null;
  private createdOn: LocalDate | null = null;
  private statements = 0;
  private statement: CamtStatement | null = null;
  /** Of the entry that is open; null where there were too many. */
  private details: Detail[] | null = [];
  private entryIsOpen = false;
  private begun = false;
  private broken = false;

  /** The first piece must hold the first 512 bytes, or all there is. */
  *write(bytes: Uint8Array): Generator<StatementEvent> {
    for (let from = 0; from < bytes.byteLength && !this.broken; from += PIECE) {
      yield* this.feed(() => {
        const text = this.decoder.write(bytes.subarray(from, from + PIECE));
        this.walker.write(this.begun ? text : text.trimStart());
        this.begun ||= text.trim() !== '';
      });
    }
  }

  *end(): Generator<StatementEvent> {
    if (this.broken) return;
    yield* this.feed(() => {
      this.walker.write(this.decoder.end());
      this.walker.flush();
    });
    if (this.broken) return;
    try {
      this.walker.end();
    } catch (error) {
      if (!(error instanceof DomainError) || this.statements === 0) throw error;
      if (this.walker.isOpen) this.stop('fileEndsEarly', 'The file ends in the middle: what stands before was read.');
      else this.stop(error.code, error.message);
    }
    yield* this.told();
    if (this.kind === null) {
      throw new DomainError('statementFormatUnknown', 'The XML is no camt.052, camt.053 or camt.054 message.');
    }
    if (this.statements === 0) throw new DomainError('statementMissing', 'The message holds no statement.');
  }

  messageOpened(kind: CamtKind): void {
    this.kind = kind;
    this.createdOn = null;
  }

  header(header: XmlElement): void {
    this.createdOn = dayOrNull(textOf(header, 'CreDtTm'));
  }

  statementOpened(): void {
    this.statement = new CamtStatement(++this.statements, this.createdOn);
  }

  entryOpened(): void {
    this.details = [];
    this.entryIsOpen = true;
  }

  detail(detail: XmlElement): void {
    if (this.details === null) return;
    if (this.details.length < MAX_DETAILS) this.details.push(readDetail(detail));
    else this.details = null;
  }

  statementPart(part: XmlElement): void {
    const statement = this.statement!;
    if (part.name === 'Ntry') {
      this.entryIsOpen = false;
      this.entry(part, statement);
      return;
    }
    try {
      statement.take(part);
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      this.events.push({
        kind: 'rejected',
        record: statement.balanceFault(error, part),
        statement: statement.position,
      });
    }
  }

  statementClosed(): void {
    this.events.push({ kind: 'statement', summary: this.statement!.summary() });
    this.statement = null;
  }

  private entry(element: XmlElement, statement: CamtStatement): void {
    const position = `statement ${statement.position}, entry ${++statement.entries}`;
    try {
      const entry = readEntry(element, this.details, {
        source: this.kind!,
        account: statement.account,
        currency: statement.currency,
        accountCurrency: statement.accountCurrency,
        bookedOn: statement.day,
        position,
      });
      if (entry.status === 'booked') statement.totals.book(entry.amountMinor, entry.currency);
      if (entry.detailsDiffer) {
        const message = 'The details do not add up to the entry, which is told as one transaction.';
        this.events.push({
          kind: 'warning',
          record: { position, code: 'detailsDiffer', message },
          statement: statement.position,
        });
      }
      for (const transaction of entry.transactions) {
        const { position: number, account } = statement;
        this.events.push({ kind: 'transaction', transaction, statement: number, account });
      }
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      this.events.push({ kind: 'rejected', record: error.at(position), statement: statement.position });
    }
  }

  /** What is told before something breaks is told all the same. */
  private *feed(step: () => void): Generator<StatementEvent> {
    try {
      step();
    } catch (error) {
      const breaks = error instanceof DomainError && error.code === 'xmlBroken' && this.statements > 0;
      if (!breaks) {
        yield* this.told();
        throw error;
      }
      this.stop('xmlBroken', error.message);
    }
    yield* this.told();
  }

  private stop(code: string, message: string): void {
    this.broken = true;
    const { statement } = this;
    const position = `statement ${this.statements}${statement && this.entryIsOpen ? `, entry ${statement.entries + 1}` : ''}`;
    this.events.push({ kind: 'rejected', record: { position, code, message }, statement: this.statements });
    if (statement) this.statementClosed();
  }

  private told(): StatementEvent[] {
    const { events } = this;
    this.events = [];
    return events;
  }
}
