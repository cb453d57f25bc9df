import { DomainError } from '../errors.ts';

/** The fields that a mapping may name, and those that may gather several headers. */
export interface MappingGrammar<Field extends string> {
  fields: readonly Field[];
  isField: (name: string) => name is Field;
  takesSeveral: (field: Field) => boolean;
}

/**
 * Reads the API's column grammar: `field=Header,…`, a header in double quotes where it holds commas, plus signs or equal
 * signs (`""` for a quote in it); `references=A+B` takes several headers. Spaces need no quotes, since a shell strips them.
 * Throws `columnsInvalid` with a fault whose message names the field or header that is wrong.
 */
export function readMapping<Field extends string>(text: string, grammar: MappingGrammar<Field>): Map<Field, string[]> {
  const mapping = new Map<Field, string[]>();
  const refuse = (message: string): DomainError =>
    new DomainError('columnsInvalid', message, [{ pointer: '/columns', code: 'columnsInvalid', message }]);
  let at = 0;
  const skipSpaces = (): void => {
    while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n') at++;
  };
  const header = (field: string): string => {
    skipSpaces();
    if (text[at] !== '"') {
      const from = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '+') at++;
      return text.slice(from, at).trim();
    }
    let value = '';
    for (at++; ; at++) {
      if (at >= text.length) throw refuse(`${field}: the quote before "${value.slice(0, 40)}" is not closed`);
      if (text[at] !== '"') value += text[at]!;
      else if (text[at + 1] === '"') {
        value += '"';
        at++;
      } else break;
    }
    at++;
    skipSpaces();
    if (at < text.length && text[at] !== ',' && text[at] !== '+') {
      throw refuse(`${field}: expected "," or "+" after the header "${value}"`);
    }
    return value.trim();
  };

  if (text.length > 10_000) throw refuse('the column mapping is longer than 10,000 characters');
  for (;;) {
    skipSpaces();
    if (at >= text.length) break;
    const equals = text.indexOf('=', at);
    const comma = text.indexOf(',', at);
    if (equals < 0 || (comma >= 0 && comma < equals)) {
      const part = text.slice(at, comma < 0 ? undefined : comma).trim();
      throw refuse(`"${part}" is not of the form field=Header`);
    }
    const field = text.slice(at, equals).trim();
    if (!grammar.isField(field)) {
      throw refuse(`"${field}" is not a field; known are ${grammar.fields.join(', ')}`);
    }
    if (mapping.has(field)) throw refuse(`${field} is given twice`);
    at = equals + 1;
    const headers = [header(field)];
    while (text[at] === '+') {
      at++;
      headers.push(header(field));
    }
    if (headers.includes('')) throw refuse(`${field}: a header is empty`);
    if (headers.length > 1 && !grammar.takesSeveral(field)) {
      throw refuse(`${field} takes one header, "${headers.join('+')}" are ${headers.length}`);
    }
    mapping.set(field, headers);
    if (text[at] === ',') at++;
  }
  return mapping;
}
