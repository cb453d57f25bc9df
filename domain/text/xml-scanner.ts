import { DomainError } from '../errors.ts';

/** What a scanner tells, in the order of the text. Names are as written, with their prefixes. */
export interface XmlEvents {
  /** `attributes`, as they are written, is null where there are none. True where the element's text is wanted. */
  opened(name: string, attributes: ReadonlyMap<string, string> | null): boolean;
  closed(): void;
  /** Text of an element that holds no other, in one piece or several; what stands between elements is not told. */
  text(text: string): void;
}

/** Bounds of what is held and of what a hostile file makes us do. */
const MAX_DEPTH = 64;
const MAX_ATTRIBUTES = 64;
/** Characters without a whole tag in them: a text, a comment, a tag that does not end. */
const MAX_HELD = 1_000_000;

const AMPERSAND = 0x26;
const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const EXCLAMATION = 0x21;
const QUESTION = 0x3f;

/**
 * Scans XML for its elements and their texts as it comes in. It looks at
 * little more than where tags begin and end, which makes it several times as fast as a SAX parser, and the more patient one:
 * `&` that begins no reference stands for itself, several documents may follow each other, and which characters a name may
 * have is not looked at. Tags must match, and a document type is refused whole: no entity is ever expanded or fetched.
 *
 * Throws `xmlBroken` with the place, `xmlDoctype`, `xmlTooDeep` and `xmlTooLarge`.
 */
export class XmlScanner {
  private readonly events: XmlEvents;
  /** Names of the open elements, outermost first. */
  private readonly open: string[] = [];
  private readonly names: string[] = Array.from({ length: 256 }, () => '');
  /** The text that is scanned, and of the one before it what was not whole. */
  private source = '';
  private held = '';
  /** How much was held when it was scanned last; it is scanned again when it has doubled, so that small pieces cost no more. */
  private tried = 0;
  /** Characters of the file that are read, for messages. */
  private before = 0;
  /** The element that opened last is open still, holds no other, and its text is wanted. */
  private textIsWanted = false;
  /** The text before the tag that is looked at holds an ampersand. */
  private hasReferences = false;

  constructor(events: XmlEvents) {
    this.events = events;
  }

  write(text: string): void {
    if (this.held.length + text.length < 2 * this.tried) {
      this.held += text;
      return;
    }
    let used = 0;
    if (this.held !== '') {
      // What was held is completed by itself: scanning a text that was just put together is twice as slow.
      const begun = this.held + text.slice(0, text.indexOf('>') + 1);
      const done = this.scan(begun, 0);
      used = done === begun.length ? begun.length - this.held.length : 0;
      if (used === 0) text = begun.slice(done) + text.slice(begun.length - this.held.length);
    }
    this.hold(text, this.scan(text, used));
  }

  /** Reads all that is held so far, as far as it is whole. */
  flush(): void {
    this.hold(this.held, this.scan(this.held, 0));
  }

  private hold(text: string, used: number): void {
    this.held = text.slice(used);
    this.tried = this.held.length;
    if (this.tried > MAX_HELD) throw tooLarge('a text or a tag in it does not end');
  }

  /** Whether an element is open: a text that ends here was cut. */
  get isOpen(): boolean {
    return this.open.length > 0;
  }

  /** Throws `xmlBroken` where the text does not end behind a whole document. */
  end(): void {
    this.flush();
    if (this.open.length > 0) throw this.broken(`<${this.open.at(-1)!}> is not closed`, this.held.length);
    if (!isBlank(this.held)) throw this.broken('text stands outside of the document', 0);
  }

  /** Reads a text from `from` on up to its last tag that is whole, and says how far that is. */
  private scan(text: string, from: number): number {
    this.source = text;
    this.before -= from;
    let at = from;
    for (;;) {
      const tag = this.nextTag(text, at);
      const next = text.charCodeAt(tag + 1);
      if (Number.isNaN(next)) break;
      const end =
        next === SLASH
          ? this.closingTag(at, tag)
          : next === EXCLAMATION
            ? this.declaration(at, tag)
            : next === QUESTION
              ? this.instruction(at, tag)
              : this.openingTag(at, tag);
      if (end < 0) break;
      at = end;
    }
    this.before += at;
    return at;
  }

  /** Where the next tag begins, else the end. Stepping is faster than searching: between two tags stand a few characters. */
  private nextTag(text: string, from: number): number {
    this.hasReferences = false;
    let at = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LESS) break;
      if (code === AMPERSAND) this.hasReferences = true;
    }
    return at;
  }

  /** Each of these reads the text from `from` and the tag at `tag`; -1 where the tag is not whole yet, else its end. */
  private closingTag(from: number, tag: number): number {
    const { source, open } = this;
    const name = open[open.length - 1];
    if (name === undefined) throw this.broken('a closing tag closes nothing', tag);
    let end = tag + 2 + name.length;
    if (source.charCodeAt(end) !== GREATER) {
      end = source.indexOf('>', tag);
      if (end < 0) return -1;
    }
    const behind = tag + 2 + name.length;
    if (!standsAt(name, source, tag + 2) || behind > end || (behind !== end && !isBlank(source.slice(behind, end)))) {
      throw this.broken(`<${name}> is closed by another tag`, tag);
    }
    if (this.textIsWanted && tag > from) this.tellText(from, tag);
    open.pop();
    this.textIsWanted = false;
    this.events.closed();
    return end + 1;
  }

  private openingTag(from: number, tag: number): number {
    const { source } = this;
    let nameEnd = tag + 1;
    for (;;) {
      const code = source.charCodeAt(nameEnd);
      // NaN at the end of what is source.
      if (!(code > 0x20)) break;
      if (code === GREATER || code === SLASH) break;
      if (code === LESS) throw this.broken('a tag opens within a tag', nameEnd);
      nameEnd++;
    }
    if (nameEnd >= source.length) return -1;
    if (nameEnd === tag + 1) throw this.broken('a tag has no name', tag);
    const plain = source.charCodeAt(nameEnd) === GREATER;
    const end = plain ? nameEnd : endOfTag(source, nameEnd);
    if (end < 0) return -1;
    if (this.open.length === 0) this.checkOutside(from, tag);
    const name = this.name(tag + 1, nameEnd);
    const empty = source.charCodeAt(end - 1) === SLASH;
    const attributes = plain ? '' : source.slice(nameEnd, empty ? end - 1 : end);
    if (this.open.length >= MAX_DEPTH) {
      throw new DomainError('xmlTooDeep', `The XML is nested deeper than ${MAX_DEPTH} levels.`);
    }
    const told = attributes === '' || isBlank(attributes) ? null : this.attributes(attributes, tag);
    this.textIsWanted = this.events.opened(name, told) && !empty;
    if (empty) this.events.closed();
    else this.open.push(name);
    return end + 1;
  }

  /** The same few names come again and again: each is cut out once, and then found by its length and two characters. */
  private name(from: number, to: number): string {
    const { source, names } = this;
    const place = (31 * (to - from) + 7 * source.charCodeAt(from) + source.charCodeAt(to - 1)) & 255;
    const known = names[place]!;
    if (known.length === to - from && standsAt(known, source, from)) return known;
    return (names[place] = source.slice(from, to));
  }

  private attributes(text: string, tag: number): Map<string, string> {
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

/** The `>` that ends a tag: one within quotes does not. -1 where there is none yet. */
function endOfTag(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (Number.isNaN(code)) return -1;
    if (code === GREATER) return at;
    if (code === 0x22 || code === 0x27) {
      at = text.indexOf(code === 0x22 ? '"' : "'", at + 1);
      if (at < 0) return -1;
    }
    at++;
  }
}

function standsAt(name: string, text: string, at: number): boolean {
  for (let i = 0; i < name.length; i++) if (text.charCodeAt(at + i) !== name.charCodeAt(i)) return false;
  return true;
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
