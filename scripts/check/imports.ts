/**
 * Finds what a TypeScript module imports, without a compiler: TypeScript 7 has no API for it. A small tokenizer
 * skips comments, strings, templates and regular expressions, so that the word "import" in them is not taken for one.
 */

export interface Import {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** Erased before the program runs: `import type`, `export type … from`, `typeof import(…)`. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

interface Token {
  readonly kind: 'word' | 'string' | 'template' | 'mark';
  readonly text: string;
  readonly line: number;
}

/** The imports and re-exports of one module, in the order of the text. Dynamic imports with a computed name are left out. */
export function importsOf(source: string): Import[] {
  const tokens = tokenize(source);
  const found: Import[] = [];
  tokens.forEach((token, index) => {
    if (token.kind !== 'word' || tokens[index - 1]?.text === '.') return;
    const one =
      token.text === 'import'
        ? readImport(tokens, index)
        : token.text === 'export'
          ? readExport(tokens, index)
          : undefined;
    if (one) found.push(one);
  });
  return found;
}

/** Lines (1-based) where a module asks for today's date with `new Date()`, which no lint rule here can refuse. */
export function clockReadsOf(source: string): number[] {
  const tokens = tokenize(source);
  return tokens
    .filter((token, at) => {
      const words = [0, 1, 2, 3].map((step) => tokens[at + step]?.text).join(' ');
      return token.kind === 'word' && words === 'new Date ( )';
    })
    .map((token) => token.line);
}

function readImport(tokens: Token[], index: number): Import | undefined {
  const start = tokens[index];
  const next = tokens[index + 1];
  if (!start || !next) return undefined;
  if (next.kind === 'string') return { specifier: next.text, line: start.line, typeOnly: false, dynamic: false };
  if (isMark(next, '(')) {
    const name = tokens[index + 2];
    if (name?.kind !== 'string') return undefined;
    // `typeof import('x')` is a type; `import('x').T` in a type cannot be told from a call and counts as one.
    const typeOnly = tokens[index - 1]?.text === 'typeof';
    return { specifier: name.text, line: start.line, typeOnly, dynamic: true };
  }
  if (next.kind !== 'word' && !isMark(next, '{') && !isMark(next, '*')) return undefined;
  return readFrom(tokens, index);
}

function readExport(tokens: Token[], index: number): Import | undefined {
  const next = tokens[index + 1]?.text === 'type' ? tokens[index + 2] : tokens[index + 1];
  return next && (isMark(next, '{') || isMark(next, '*')) ? readFrom(tokens, index) : undefined;
}

/** Walks over `type? clause from 'x'`; a clause holds only names, commas, braces and a star. */
function readFrom(tokens: Token[], index: number): Import | undefined {
  const start = tokens[index];
  if (!start) return undefined;
  let at = index + 1;
  // `import type from 'x'` imports a default export called "type"; `import type, {…}` likewise.
  const afterType = tokens[at + 1];
  const typeOnly =
    tokens[at]?.text === 'type' && afterType !== undefined && !isMark(afterType, ',') && !isFromAndName(tokens, at + 1);
  if (typeOnly) at += 1;
  for (; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (!token) return undefined;
    if (isFromAndName(tokens, at)) {
      return { specifier: tokens[at + 1]?.text ?? '', line: start.line, typeOnly, dynamic: false };
    }
    const inClause = token.kind !== 'template' && (token.kind !== 'mark' || '{},*'.includes(token.text));
    if (!inClause) return undefined;
  }
  return undefined;
}

function isFromAndName(tokens: Token[], at: number): boolean {
  return tokens[at]?.kind === 'word' && tokens[at]?.text === 'from' && tokens[at + 1]?.kind === 'string';
}

function isMark(token: Token, text: string): boolean {
  return token.kind === 'mark' && token.text === text;
}

/** After these a slash begins a regular expression; after any other word, a number or a closing bracket it divides. */
const BEFORE_REGEXP = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'await',
  'yield',
]);

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open `${`, how many braces are open inside it. */
  const holes: number[] = [];
  let at = 0;
  let line = 1;
  const skipTo = (end: number): void => {
    for (let i = at; i < end; i += 1) if (source[i] === '\n') line += 1;
    at = end;
  };
  const templateFrom = (begin: number): void => {
    const end = endOfTemplate(source, begin);
    tokens.push({ kind: 'template', text: '', line });
    if (source.startsWith('${', end - 2)) holes.push(0);
    skipTo(end);
  };
  while (at < source.length) {
    const char = source.charAt(at);
    if (/\s/.test(char)) skipTo(at + 1);
    else if (source.startsWith('//', at)) skipTo(endOrLength(source.indexOf('\n', at), source));
    else if (source.startsWith('/*', at)) skipTo(afterOrLength(source.indexOf('*/', at + 2), 2, source));
    else if (char === '`') templateFrom(at + 1);
    else if (char === '"' || char === "'") {
      const end = endOfString(source, at);
      if (end !== undefined) tokens.push({ kind: 'string', text: source.slice(at + 1, end - 1), line });
      // A quote without its partner on the line is an apostrophe in JSX text.
      skipTo(end ?? at + 1);
    } else if (/[\p{ID_Start}$_]/u.test(char)) {
      const word = /^[\p{ID_Continue}$]+/u.exec(source.slice(at, at + 200))?.[0] ?? char;
      tokens.push({ kind: 'word', text: word, line });
      skipTo(at + word.length);
    } else if (char === '/' && regexpMayStart(tokens.at(-1))) {
      const end = endOfRegexp(source, at);
      tokens.push({ kind: 'mark', text: end === undefined ? '/' : 'regexp', line });
      skipTo(end ?? at + 1);
    } else if (char === '}' && holes.at(-1) === 0) {
      holes.pop();
      templateFrom(at + 1);
    } else {
      const hole = holes.length - 1;
      const depth = holes[hole];
      if (depth !== undefined && char === '{') holes[hole] = depth + 1;
      if (depth !== undefined && char === '}') holes[hole] = depth - 1;
      tokens.push({ kind: 'mark', text: char, line });
      skipTo(at + 1);
    }
  }
  return tokens;
}

/** Position after the closing backtick, or after the `${` of the next hole. */
function endOfTemplate(source: string, begin: number): number {
  for (let i = begin; i < source.length; i += 1) {
    if (source[i] === '\\') i += 1;
    else if (source[i] === '`') return i + 1;
    else if (source.startsWith('${', i)) return i + 2;
  }
  return source.length;
}

function endOfString(source: string, begin: number): number | undefined {
  const quote = source[begin];
  for (let i = begin + 1; i < source.length && source[i] !== '\n'; i += 1) {
    if (source[i] === '\\') i += 1;
    else if (source[i] === quote) return i + 1;
  }
  return undefined;
}

function endOfRegexp(source: string, begin: number): number | undefined {
  let inClass = false;
  for (let i = begin + 1; i < source.length && source[i] !== '\n'; i += 1) {
    if (source[i] === '\\') i += 1;
    else if (source[i] === '[') inClass = true;
    else if (source[i] === ']') inClass = false;
    else if (source[i] === '/' && !inClass) return i + 1;
  }
  return undefined;
}

function regexpMayStart(before: Token | undefined): boolean {
  if (!before) return true;
  if (before.kind === 'word') return BEFORE_REGEXP.has(before.text);
  return before.kind === 'mark' && !')]}'.includes(before.text) && !/\d/.test(before.text) && before.text !== 'regexp';
}

function endOrLength(position: number, source: string): number {
  return position === -1 ? source.length : position;
}

function afterOrLength(position: number, length: number, source: string): number {
  return position === -1 ? source.length : position + length;
}
