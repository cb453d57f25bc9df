import { DomainError } from '../../errors.ts';
import { XmlScanner, type XmlEvents } from '../../text/xml-scanner.ts';
import { XmlElement } from './elements.ts';

/** The three messages that tell of an account: report of the day, statement, notification. */
export type CamtKind = 'camt.052' | 'camt.053' | 'camt.054';

/** What is told of a message, in its order. */
export interface CamtHandler {
  messageOpened(kind: CamtKind): void;
  header(header: XmlElement): void;
  statementOpened(): void;
  entryOpened(): void;
  /** One transaction of the entry that is open; it is not among the entry's own elements. */
  detail(detail: XmlElement): void;
  /** A whole child of the statement: `Id`, `Acct`, `Bal`, `Ntry` and so on. */
  statementPart(part: XmlElement): void;
  statementClosed(): void;
}

/** Version 1 wears its number in the name. */
const MESSAGES: readonly (readonly [RegExp, CamtKind])[] = [
  [/^BkToCstmrAcctRpt(?:V\d+)?$/, 'camt.052'],
  [/^BkToCstmrStmt(?:V\d+)?$/, 'camt.053'],
  [/^BkToCstmrDbtCdtNtfctn(?:V\d+)?$/, 'camt.054'],
];

/** The message that an element of this name is; null for every other element. */
export const messageKind = (name: string): CamtKind | null =>
  MESSAGES.find(([pattern]) => pattern.test(name))?.[1] ?? null;

const STATEMENTS: ReadonlySet<string> = new Set(['Rpt', 'Stmt', 'Ntfctn']);

/**
 * The elements that are read; all others are skipped with what is in them: addresses, banks, taxes and totals are much of a
 * file. A map, so that each name is kept as one string, which makes looking for it cheap.
 */
const READ: ReadonlyMap<string, string> = new Map(
  (
    'GrpHdr CreDtTm Id CpyDplctInd Acct Ccy IBAN Othr BBAN PrtryAcct ' +
    'Bal Tp CdOrPrtry Cd Prtry Amt CdtDbtInd Dt DtTm ' +
    'Ntry Sts RvslInd BookgDt ValDt AcctSvcrRef AddtlNtryInf BkTxCd Domn Fmly SubFmlyCd ' +
    'Chrgs Rcrd TtlChrgsAndTaxAmt ChrgInclInd NtryDtls TxDtls AddtlTxInf ' +
    'Refs EndToEndId MndtId AmtDtls InstdAmt TxAmt CntrValAmt RtrInf Rsn AddtlInf ' +
    'RltdPties Dbtr Cdtr UltmtDbtr UltmtCdtr DbtrAcct CdtrAcct Pty Agt FinInstnId Nm ' +
    'RmtInf Ustrd Strd CdtrRefInf Ref CdtrRef RfrdDocInf Nb RfrdDocNb AddtlRmtInf'
  )
    .split(' ')
    .map((name) => [name, name]),
);

/** What is made of the name of a tag: without its prefix, and whether it is read. */
interface Tag {
  local: string;
  isRead: boolean;
}

/** What one text, and one entry without its transactions, may have; a whole entry has some dozens of elements. */
const MAX_TEXT = 100_000;
const MAX_ELEMENTS = 20_000;

/**
 * Walks through a camt message as its text comes in, and keeps no more of it than the part that is open: one entry, or one
 * transaction of it. Throws what the scanner does, and `xmlTooLarge` where one part of the file is.
 */
export class CamtWalker implements XmlEvents<Tag> {
  private readonly handler: CamtHandler;
  private readonly scanner = new XmlScanner(this);
  private depth = 0;
  /** Depths at which the message and its statement opened; 0 outside. */
  private messageDepth = 0;
  private statementDepth = 0;
  private skippedFrom = 0;
  /** The innermost element that is open and kept. */
  private current: XmlElement | null = null;
  private elements = 0;

  constructor(handler: CamtHandler) {
    this.handler = handler;
  }

  /** What the handler is told happens before this returns. */
  write(text: string): void {
    this.scanner.write(text);
  }

  /** Reads what is held of the text so far. */
  flush(): void {
    this.scanner.flush();
  }

  /** Whether the document goes on. */
  get isOpen(): boolean {
    return this.scanner.isOpen;
  }

  /** Throws `xmlBroken` where the document is not at its end. */
  end(): void {
    this.scanner.end();
  }

  named(name: string): Tag {
    const local = localName(name);
    return { local: READ.get(local) ?? local, isRead: READ.has(local) };
  }

  opened(tag: Tag, attributes: ReadonlyMap<string, string> | null): boolean {
    this.depth++;
    if (this.skippedFrom > 0) return false;
    if (this.current === null && !this.isKept(tag.local)) return false;
    if (!tag.isRead) {
      this.skippedFrom = this.depth;
      return false;
    }
    if (++this.elements > MAX_ELEMENTS) throw tooLarge('an entry has too many elements');
    const currency = attributes === null ? null : (attributes.get('Ccy') ?? null);
    this.current = new XmlElement(tag.local, currency, this.current);
    return true;
  }

  /** What is kept begins with a child of a statement, or with the header; on the way there the frame shows itself. */
  private isKept(name: string): boolean {
    if (this.messageDepth === 0) {
      const kind = messageKind(name);
      if (kind !== null) {
        this.messageDepth = this.depth;
        this.handler.messageOpened(kind);
      }
      return false;
    }
    if (this.statementDepth > 0) {
      this.elements = 0;
      if (name === 'Ntry') this.handler.entryOpened();
      return true;
    }
    if (this.depth !== this.messageDepth + 1) return false;
    if (STATEMENTS.has(name)) {
      this.statementDepth = this.depth;
      this.handler.statementOpened();
      return false;
    }
    this.elements = 0;
    return name === 'GrpHdr';
  }

  closed(): void {
    const depth = this.depth--;
    if (this.skippedFrom > 0) {
      if (depth === this.skippedFrom) this.skippedFrom = 0;
      return;
    }
    const element = this.current;
    if (element === null) {
      this.frameClosed(depth);
      return;
    }
    const { parent } = element;
    this.current = parent;
    if (parent === null) {
      if (this.statementDepth > 0) this.handler.statementPart(element);
      else this.handler.header(element);
    } else if (element.name === 'TxDtls') {
      this.elements = 0;
      this.handler.detail(element);
    } else {
      parent.append(element);
    }
  }

  private frameClosed(depth: number): void {
    if (depth === this.statementDepth) {
      this.statementDepth = 0;
      this.handler.statementClosed();
    } else if (depth === this.messageDepth) {
      this.messageDepth = 0;
    }
  }

  text(text: string): void {
    const element = this.current!;
    if (element.text.length + text.length > MAX_TEXT) throw tooLarge(`a text in <${element.name}> is too long`);
    element.text += text;
  }
}

const tooLarge = (why: string): DomainError => new DomainError('xmlTooLarge', `The XML is refused: ${why}.`);

const localName = (name: string): string => {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(colon + 1);
};
