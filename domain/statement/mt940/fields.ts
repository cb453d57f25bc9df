/** One field of an MT940 message: its tag, and its lines without the tag. */
export interface Mt940Field {
  tag: string;
  lines: string[];
  /** Where it begins, from 1. */
  line: number;
}

/** The fields of one statement; `ended` where its trailer or the next statement follows. */
export interface Mt940Message {
  fields: Mt940Field[];
  /** Its last field stands on a last line without a line break: the file may have been cut there. */
  openEnd: boolean;
}

/** Tags that exist; `:26:37` at the start of a wrapped line is the rest of a time. */
const TAG = /^:(20|21|25P?|28C?|13D?|34F|60[FM]|61|86|62[FM]|64|65|90[CD]|NS):/;
/** A tag that a line break cut: `:`, `:6`, `:61`. */
const CUT_TAG = /^:(?:\d{0,2}[A-Z]?)$/;
/** The envelope of a message, where its first field stands on the same line. */
const ENVELOPE = /^\{1:.*?\{4:(?=:\d\d)/;
const TRAILER = /^-(?:XXX|\}.*)?$/;

/**
 * Cuts a file into messages and fields. What stands before the first tag of a message (SOH, `940 00`, a SWIFT envelope) is
 * no field; a message ends with a trailer or where the next begins.
 */
export function mt940Messages(text: string): Mt940Message[] {
  const messages: Mt940Message[] = [];
  let fields: Mt940Field[] = [];
  let between = true;
  const finish = (openEnd: boolean): void => {
    if (fields.length > 0) messages.push({ fields, openEnd });
    fields = [];
    between = true;
  };
  let cutTag = '';
  const lines = text.split(/\r\n|\r|\n/);
  for (const [index, written] of lines.entries()) {
    // Control characters frame some files.
    const line = cutTag + written.replace(/(?!\t)\p{Cc}/gu, '').replace(ENVELOPE, '');
    cutTag = '';
    if (CUT_TAG.test(line) && index + 1 < lines.length) {
      cutTag = line;
      continue;
    }
    if (TRAILER.test(line.trimEnd()) && endsHere(fields, lines, index)) {
      finish(false);
      continue;
    }
    const tag = TAG.exec(line)?.[1];
    if (tag === undefined) {
      if (!between && line !== '') fields.at(-1)!.lines.push(line);
      continue;
    }
    if (startsAnew(tag, fields)) finish(false);
    between = false;
    fields.push({ tag, lines: [line.slice(tag.length + 2)], line: index + 1 });
  }
  finish(lines.at(-1) !== '');
  return messages;
}

/** Before the closing balance a hyphen may be the rest of a text, unless nothing or another statement follows. */
function endsHere(fields: readonly Mt940Field[], lines: readonly string[], index: number): boolean {
  if (fields.some(({ tag }) => tag.startsWith('62'))) return true;
  const next = lines[index + 1]?.trim() || lines[index + 2]?.trim() || '';
  return next === '' || /^(?::20:|\{)/.test(next);
}

/** `:20:` begins a statement; where a bank leaves it out, the opening balance behind a closing one does. */
const startsAnew = (tag: string, fields: readonly Mt940Field[]): boolean =>
  tag === '20' || (tag.startsWith('60') && fields.some((field) => /^6[02]/.test(field.tag)));

/** The least that a line which is cut for its length has. */
const LONG = 60;

/**
 * Lines are cut anywhere, within a word too; a blank at the end of one is part of the text. Some banks drop it: then a line
 * is one short of the full ones.
 */
export function unwrapped(lines: readonly string[]): string {
  const full = Math.max(...lines.map((line) => line.length));
  if (full < LONG) return lines.join('');
  return lines.map((line) => (line.length === full - 1 ? `${line} ` : line)).join('');
}
