import { DomainError } from '../errors.ts';

/** What a scanner tells, in the order of the text. */
export interface XmlEvents<Name> {
  /** What stands for a name (as it is written, with its prefix) when it is told: files have few names, often the same. */
  named(name: string): Name;
  /** `attributes`, as they are written, is null where there are none. True where the element's text is wanted. */
  opened(name: Name, attributes: ReadonlyMap<string, string> | null): boolean;
  closed(): void;
  /** Text of an element that holds no other, in one piece or several; what stands between elements is not told. */
  text(text: string): void;
}

/** A name that was met: its characters, and what stands for it. */
interface Met<Name> {
  readonly text: string;
  readonly codes: Uint16Array;
  readonly told: Name;
  /** The one that was met before it at the same place of the table. */
  readonly next: Met<Name> | undefined;
}

/** Bounds of what is held and of what a hostile file makes us do. */
const MAX_DEPTH = 64;
const MAX_ATTRIBUTES = 64;
/** Characters without a whole tag in them: a text, a comment, a tag that does not end. */
const MAX_HELD = 1_000_000;

/** Of the table of names; a power of two. */
const PLACES = 512;

const AMPERSAND = 0x26;
const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const EXCLAMATION = 0x21;
const QUESTION = 0x3f;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;

/**
 * Scans XML for its elements and their texts as it comes in. It looks at
 * little more than where tags begin and end, which makes it several times as fast as a SAX parser, and the more patient one:
 * `&` that begins no reference stands for itself, several documents may follow each other, and which characters a name may
 * have is not looked at. Tags must match, and a document type is refused whole: no entity is ever expanded or fetched.
 *
 * Throws `xmlBroken` with the place, `xmlDoctype`, `xmlTooDeep` and `xmlTooLarge`.
 */
export class XmlScanner<Name> {
  private readonly events: XmlEvents<Name>;
  /** The open elements, outermost first. */
  private readonly open: Met<Name>[] = [];
  private readonly names: (Met<Name> | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  private met = 0;
  /** The text that is scanned, and the same as numbers: asking a string for one character after the other is twice as slow. */
  private source = '';
  private codes = new Uint16Array(0);
  private length = 0;
  /** What was not whole of the text that was scanned last. */
  private held = '';
  /** How much was held then; it is scanned again when it has doubled, so that small pieces cost no more. */
  private tried = 0;
  private attributesText = '';
  private attributesRead: ReadonlyMap<string, string> | null = null;
  /** Characters of the file that stand before the text that is scanned, for messages. */
  private before = 0;
  /** The element that opened last is open still, holds no other, and its text is wanted. */
  private textIsWanted = false;
  /** The text before the tag that is looked at holds an ampersand. */
  private hasReferences = false;

  constructor(events: XmlEvents<Name>) {
    this.events = events;
  }

  write(text: string): void {
    this.held += text;
    if (this.held.length >= 2 * this.tried) this.flush();
  }

  /** Reads all that is held so far, as far as it is whole. */
  flush(): void {
    this.read(this.held);
    const used = this.scan();
    this.before += used;
    this.held = this.source.slice(used);
    this.tried = this.held.length;
    if (this.tried > MAX_HELD) throw tooLarge('a text or a tag in it does not end');
  }

  private read(text: string): void {
    this.source = text;
    this.length = text.length;
    if (this.codes.length < text.length) this.codes = new Uint16Array(2 * text.length);
    const { buffer, byteOffset, byteLength } = this.codes;
    // oxlint-disable-next-line no-restricted-globals -- no workflow reads files, and nothing else copies a text as it is
    Buffer.from(buffer, byteOffset, byteLength).write(text, 'utf16le');
  }

  /** Whether an element is open: a text that ends here was cut. */
  get isOpen(): boolean {
    return this.open.length > 0;
  }

  /** Throws `xmlBroken` where the text does not end behind a whole document. */
  end(): void {
    this.flush();
    const open = this.open.at(-1);
    if (open !== undefined) throw this.broken(`<${open.text}> is not closed`, this.held.length);
    if (!isBlank(this.held)) throw this.broken('text stands outside of the document', 0);
  }

  /** Reads the text up to its last tag that is whole, and says how far that is. */
  private scan(): number {
    const { codes, length } = this;
    let at = 0;
    for (;;) {
      const tag = this.nextTag(at);
      if (tag + 1 >= length) return at;
      const next = codes[tag + 1]!;
      const end =
        next === SLASH
          ? this.closingTag(at, tag)
          : next === EXCLAMATION
            ? this.declaration(at, tag)
            : next === QUESTION
              ? this.instruction(at, tag)
              : this.openingTag(at, tag);
      if (end < 0) return at;
      at = end;
    }
  }

  /** Where the next tag begins, else the end. Stepping is faster than searching: between two tags stand a few characters. */
  private nextTag(from: number): number {
    const { codes, length } = this;
    let hasReferences = false;
    let at = from;
    for (; at < length; at++) {
      const code = codes[at]!;
      if (code === LESS) break;
      if (code === AMPERSAND) hasReferences = true;
    }
    this.hasReferences = hasReferences;
    return at;
  }

  /** Each of these reads the text from `from` and the tag at `tag`; -1 where the tag is not whole yet, else its end. */
  private closingTag(from: number, tag: number): number {
    const { open } = this;
    const name = open[open.length - 1];
    if (name === undefined) throw this.broken('a closing tag closes nothing', tag);
    const end = this.endOfClosing(name, tag);
    if (end < 0) return -1;
    if (this.textIsWanted && tag > from) this.tellText(from, tag);
    open.pop();
    this.textIsWanted = false;
    this.events.closed();
    return end;
  }

  /** The end of the tag at `tag` if it closes that name; -1 where it is not whole yet. */
  private endOfClosing(name: Met<Name>, tag: number): number {
    const { codes, source, length } = this;
    const behind = tag + 2 + name.codes.length;
    const matches = this.standsAt(name, tag + 2);
    if (matches && behind < length && codes[behind] === GREATER) return behind + 1;
    const end = source.indexOf('>', tag);
    if (end < 0) return -1;
    if (matches && behind <= end && isBlank(source.slice(behind, end))) return end + 1;
    throw this.broken(`<${name.text}> is closed by another tag`, tag);
  }

  private openingTag(from: number, tag: number): number {
    const { codes, length, source } = this;
    let nameEnd = tag + 1;
    for (; nameEnd < length; nameEnd++) {
      const code = codes[nameEnd]!;
      if (code <= 0x20 || code === GREATER || code === SLASH) break;
      if (code === LESS) throw this.broken('a tag opens within a tag', nameEnd);
    }
    if (nameEnd >= length) return -1;
    if (nameEnd === tag + 1) throw this.broken('a tag has no name', tag);
    const plain = codes[nameEnd] === GREATER;
    const end = plain ? nameEnd : this.endOfTag(nameEnd);
    if (end < 0) return -1;
    if (this.open.length === 0) this.checkOutside(from, tag);
    if (this.open.length >= MAX_DEPTH) {
      throw new DomainError('xmlTooDeep', `The XML is nested deeper than ${MAX_DEPTH} levels.`);
    }
    const name = this.name(tag + 1, nameEnd);
    const empty = codes[end - 1] === SLASH;
    const attributes = plain ? '' : source.slice(nameEnd, empty ? end - 1 : end);
    const told = attributes === '' ? null : this.attributes(attributes, tag);
    this.textIsWanted = this.events.opened(name.told, told) && !empty;
    if (empty) {
      this.events.closed();
      return end + 1;
    }
    // Most elements hold a text and nothing else: their end is looked for here, where their name is at hand.
    const close = this.nextTag(end + 1);
    const behind = close + 2 + name.codes.length;
    if (behind < length && codes[close + 1] === SLASH && codes[behind] === GREATER && this.standsAt(name, close + 2)) {
      if (this.textIsWanted && close > end + 1) this.tellText(end + 1, close);
      this.textIsWanted = false;
      this.events.closed();
      return behind + 1;
    }
    this.open.push(name);
    return end + 1;
  }

  /** The `>` that ends a tag: one within quotes does not. -1 where there is none yet. */
  private endOfTag(from: number): number {
    const { codes, length, source } = this;
    for (let at = from; at < length; at++) {
      const code = codes[at]!;
      if (code === GREATER) return at;
      if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
        at = source.indexOf(code === DOUBLE_QUOTE ? '"' : "'", at + 1);
        if (at < 0) return -1;
      }
    }
    return -1;
  }

  /** A name that was met before is found by its length and some of its characters, and not cut out again. */
  private name(from: number, to: number): Met<Name> {
    const { codes, names } = this;
    const length = to - from;
    const middle = codes[from + (length >> 1)]!;
    const place = (31 * length + 7 * codes[from]! + codes[to - 1]! + 16 * middle) & (PLACES - 1);
    for (let met = names[place]; met !== undefined; met = met.next) {
      if (met.codes.length === length && this.standsAt(met, from)) return met;
    }
    return this.meet(from, to, place);
  }

  private meet(from: number, to: number, place: number): Met<Name> {
    // No message has so many names: whoever made this one wants them to fill our memory.
    if (++this.met > PLACES) {
      this.names.fill(undefined);
      this.met = 1;
    }
    const text = this.source.slice(from, to);
    const met = { text, codes: this.codes.slice(from, to), told: this.events.named(text), next: this.names[place] };
    this.names[place] = met;
    return met;
  }

  private standsAt(name: Met<Name>, at: number): boolean {
    const { codes } = this;
    const expected = name.codes;
    for (let i = 0; i < expected.length; i++) if (codes[at + i] !== expected[i]) return false;
    return true;
  }

  /** Read once where tag after tag has the same. */
  private attributes(text: string, tag: number): ReadonlyMap<string, string> | null {
    if (text !== this.attributesText) {
      this.attributesRead = isBlank(text) ? null : this.readAttributes(text, tag);
      this.attributesText = text;
    }
    return this.attributesRead;
  }

  private readAttributes(text: string, tag: number): Map<string, string> {
    const attributes = new Map<string, string>();
    const one = /\s+([^\s=<"']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')\s*/y;
    const padded = ` ${text}`;
    while (one.lastIndex < padded.length) {
      // White space that the attribute before took is given back to the next.
      if (one.lastIndex > 0 && /\s/.test(padded[one.lastIndex - 1]!)) one.lastIndex--;
      const read = one.exec(padded);
      if (!read) throw this.broken('an attribute is not whole', tag);
      if (attributes.size === MAX_ATTRIBUTES) throw tooLarge('an element has too many attributes');
      attributes.set(read[1]!, read[2] ?? read[3] ?? '');
    }
    return attributes;
  }

  /** A comment is passed over, and what stands in CDATA is text. */
  private declaration(from: number, tag: number): number {
    const { source } = this;
    const start = source.slice(tag, tag + 9);
    if (start.startsWith('<!--')) {
      const end = source.indexOf('-->', tag + 4);
      if (end < 0) return -1;
      this.innerText(from, tag);
      return end + 3;
    }
    if (start === '<![CDATA[') {
      const end = source.indexOf(']]>', tag + 9);
      if (end < 0) return -1;
      if (this.open.length === 0) throw this.broken('text stands outside of the document', tag);
      this.innerText(from, tag);
      if (this.textIsWanted) this.events.text(source.slice(tag + 9, end));
      return end + 3;
    }
    if (/^<!DOCTYPE/i.test(start)) {
      throw new DomainError('xmlDoctype', 'The XML has a document type declaration, which is refused.');
    }
    if (start.length < 9 && ('<!--'.startsWith(start) || '<![CDATA['.startsWith(start) || /^<!D/i.test(start)))
      return -1;
    throw this.broken('a declaration stands where none may', tag);
  }

  private instruction(from: number, tag: number): number {
    const end = this.source.indexOf('?>', tag + 2);
    if (end < 0) return -1;
    this.innerText(from, tag);
    return end + 2;
  }

  private innerText(from: number, to: number): void {
    this.checkOutside(from, to);
    if (to > from && this.textIsWanted) this.tellText(from, to);
  }

  private tellText(from: number, to: number): void {
    const text = this.source.slice(from, to);
    this.events.text(this.hasReferences ? referencesRead(text) : text);
  }

  private checkOutside(from: number, to: number): void {
    if (this.open.length === 0 && to > from && !isBlank(this.source.slice(from, to))) {
      throw this.broken('text stands outside of the document', from);
    }
  }

  private broken(why: string, at: number): DomainError {
    return new DomainError('xmlBroken', `The XML is not well-formed at character ${this.before + at + 1}: ${why}.`);
  }
}

const isBlank = (text: string): boolean => !/[^\s\p{Cc}\ufeff]/u.test(text);

const REFERENCE = /&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(amp|lt|gt|quot|apos));/g;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The text with the references that XML knows without a declaration; anything else stands as it is written. */
function referencesRead(text: string): string {
  return text.replace(REFERENCE, (all: string, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name]!;
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : all;
  });
}

const tooLarge = (why: string): DomainError => new DomainError('xmlTooLarge', `The XML is refused: ${why}.`);
