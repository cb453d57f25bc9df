import { DomainError } from '../errors.ts';

/**
 * windows-1252 in 0x80-0x9f (WHATWG index; the five holes stay C1 controls). Own table because some Node versions decode
 * this label as plain Latin-1.
 */
const CP1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** One character per byte. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  const step = 16_384;
  for (let at = 0; at < bytes.byteLength; at += step) text += String.fromCharCode(...bytes.subarray(at, at + step));
  return text;
}

export function decodeWindows1252(bytes: Uint8Array): string {
  return latin1(bytes).replace(/[\u0080-\u009f]/g, (char) => CP1252[char.charCodeAt(0) - 0x80] ?? char);
}

/** Code page 850 from 0x80 on: the programs of DOS, and banks that still write for them. */
const CP850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0';
/** Within a word these are letters of code page 850; in windows-1252 they are quotes and other signs. */
const LETTERS_OF_850 = /(?<=[A-Za-z])[\u0081\u0082\u0084\u0085\u0087-\u0089\u0094](?=[A-Za-z])/g;
/** What windows-1252 has for the same, but for sharp s, which is another letter there. */
const LETTERS_OF_1252 = /[\u00c0-\u00e0\u00e2-\u00ff]/g;

/** Bytes of a desk program that are no UTF-8: windows-1252, or code page 850 where only that makes words of them. */
export function decodeDesk(bytes: Uint8Array): string {
  const text = latin1(bytes);
  const count = (letters: RegExp): number => text.match(letters)?.length ?? 0;
  if (count(LETTERS_OF_850) <= count(LETTERS_OF_1252)) return decodeWindows1252(bytes);
  return text.replace(/[\u0080-\u00ff]/g, (char) => CP850[char.charCodeAt(0) - 0x80]!);
}

export interface Decoded {
  text: string;
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
}

/**
 * A table's bytes to text: byte order marks first, then UTF-16 without a mark (every other byte is NUL), then UTF-8, else
 * windows-1252, as European desk programs write it. A file that is UTF-8 but for a few damaged bytes stays UTF-8: the
 * damage shows as U+FFFD in the rows it hit and leaves the others readable.
 */
export function decodeTable(bytes: Uint8Array): Decoded {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16(bytes.subarray(2), 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16(bytes.subarray(2), 'utf-16be');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return { text: new TextDecoder('utf-8').decode(bytes), encoding: 'utf-8' };
  }
  const unmarked = utf16WithoutMark(bytes);
  if (unmarked) return utf16(bytes, unmarked);

  const text = new TextDecoder('utf-8').decode(bytes);
  const damaged = text.match(/\ufffd/g)?.length ?? 0;
  if (damaged === 0) return { text, encoding: 'utf-8' };
  const sound = text.match(/[\u0080-\ufffc]/g)?.length ?? 0;
  if (sound > damaged) return { text, encoding: 'utf-8' };
  return { text: decodeWindows1252(bytes), encoding: 'windows-1252' };
}

const utf16 = (bytes: Uint8Array, encoding: 'utf-16le' | 'utf-16be'): Decoded => ({
  text: new TextDecoder(encoding).decode(bytes),
  encoding,
});

function utf16WithoutMark(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const length = Math.min(bytes.length, 512) & ~1;
  if (length < 8) return null;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < length; i += 2) {
    if (bytes[i] === 0) even++;
    if (bytes[i + 1] === 0) odd++;
  }
  const most = (length / 2) * 0.8;
  if (odd >= most && even === 0) return 'utf-16le';
  if (even >= most && odd === 0) return 'utf-16be';
  return null;
}

/** Encodings of XML that we read; everything that calls itself Latin-1 is windows-1252, as web browsers have it. */
export type XmlEncoding =
  'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | 'iso-8859-15' | 'iso-8859-2' | 'windows-1250' | 'windows-1257';

/**
 * What the mark or the declaration at the start of an XML entity says (XML 1.0, appendix F); UTF-8 where neither says.
 * Throws `xmlEncoding` for an encoding that we do not read. 512 bytes are enough to tell.
 */
export function xmlEncoding(head: Uint8Array): XmlEncoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const unmarked = utf16WithoutMark(head);
  if (unmarked) return unmarked;

  const text = latin1(head.subarray(0, 256));
  const declared = /^(?:ï»¿)?\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(text)?.[1]?.toLowerCase();
  switch (declared) {
    case undefined:
    case 'utf-8':
    case 'utf8':
    case 'us-ascii':
    case 'ascii':
    // A declaration of UTF-16 that can be read byte by byte was written by a program that saved it as UTF-8.
    case 'utf-16':
      return 'utf-8';
    case 'iso-8859-1':
    case 'latin1':
    case 'windows-1252':
    case 'cp1252':
      return 'windows-1252';
    case 'iso-8859-15':
    case 'iso-8859-2':
    case 'windows-1250':
    case 'windows-1257':
      return declared;
    default:
      throw cannotDecode(`encoding "${declared}" is not supported`);
  }
}

const cannotDecode = (why: string): DomainError => new DomainError('xmlEncoding', `The XML cannot be read: ${why}`);

/**
 * An XML entity's bytes to text. Throws `xmlEncoding` for an encoding that we do not read and for bytes that are not what
 * they are declared to be.
 */
export function decodeXml(bytes: Uint8Array): string {
  const encoding = xmlEncoding(bytes);
  if (encoding === 'windows-1252') return decodeWindows1252(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw cannotDecode(`it is not valid ${encoding.toUpperCase()}`);
  }
}

/**
 * The same in pieces, for files that are too large to hold. Damaged bytes become U+FFFD: in a file of thousands of records
 * they cost the one that they are in. The first piece must hold the start of the file (512 bytes, or all there is).
 */
export class XmlDecoder {
  private decode: ((bytes: Uint8Array, last: boolean) => string) | null = null;

  /** Throws `xmlEncoding`. */
  write(bytes: Uint8Array): string {
    this.decode ??= decoderOf(xmlEncoding(bytes));
    return this.decode(bytes, false);
  }

  /** What is left of a character that the file ends in. */
  end(): string {
    return this.decode?.(new Uint8Array(0), true) ?? '';
  }
}

function decoderOf(encoding: XmlEncoding): (bytes: Uint8Array, last: boolean) => string {
  if (encoding === 'windows-1252') return (bytes) => decodeWindows1252(bytes);
  const decoder = new TextDecoder(encoding);
  return (bytes, last) => decoder.decode(bytes, { stream: !last });
}
