import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../../domain/errors.ts';
import { processorTime } from '../statement/fixtures.ts';
import { XmlScanner } from '../../../domain/text/xml-scanner.ts';

/** Tags, and the texts of elements that hold no other, in their order; else the code of the refusal. */
function scanned(text: string, pieces = 1): string[] | string {
  const told: string[] = [];
  let leaf = '';
  const scanner = new XmlScanner<string>({
    named: (name) => name,
    opened: (name, attributes) => {
      told.push(`<${name}${[...(attributes ?? [])].map(([key, value]) => ` ${key}=${value}`).join('')}`);
      leaf = '';
      return true;
    },
    closed: () => {
      told.push(leaf, '>');
      leaf = '';
    },
    text: (part) => {
      leaf += part;
    },
  });
  try {
    const size = Math.ceil(text.length / pieces);
    for (let from = 0; from < text.length; from += size) scanner.write(text.slice(from, from + size));
    scanner.end();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return told;
}

/** The same by a SAX parser that keeps to the letter of XML. */
function parsed(text: string): string[] | 'error' {
  const told: string[] = [];
  let leaf: string | null = null;
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    told.push(
      `<${name}${Object.entries(attributes)
        .map(([key, value]) => ` ${key}=${value}`)
        .join('')}`,
    );
    leaf = '';
  });
  parser.on('closetag', () => {
    told.push(leaf ?? '', '>');
    leaf = null;
  });
  const add = (part: string): void => {
    if (leaf !== null) leaf += part;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  try {
    parser.write(text).close();
  } catch {
    return 'error';
  }
  return told;
}

const name = fc.constantFrom('a', 'Amt', 'n:Ntry', 'TtlChrgsAndTaxAmt', 'Ustrd');
const inner = fc.constantFrom(
  '',
  'x',
  ' 12.50 ',
  '&amp;',
  '&#233;&#x20AC;',
  '<![CDATA[<b> & ]] ]]>',
  '<!-- > <x> -->',
  '<?p > ?>',
  '😀',
  '>',
);
const leaf = fc.array(inner, { maxLength: 4 }).map((parts) => parts.join(''));
const space = fc.constantFrom('', ' ', '\n  ');
const attributes = fc.constantFrom('', ' Ccy="EUR"', " a='>' b = \"'\"", '\n x="1"\ty="/"');
const document = fc.letrec<{ element: string }>((tie) => ({
  element: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(name, attributes, space, leaf)
      .map(([tag, more, gap, text]) => `<${tag}${more}${gap}>${text}</${tag}${gap}>`),
    fc.tuple(name, attributes, space).map(([tag, more, gap]) => `<${tag}${more}${gap}/>`),
    fc
      .tuple(name, space, fc.array(tie('element'), { minLength: 1, maxLength: 4 }))
      .map(([tag, gap, children]) => `<${tag}>${gap}${children.join(gap)}${gap}</${tag}>`),
  ),
})).element;

describe('the scanner', () => {
  test('tells what a SAX parser tells, in pieces of any size', () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 1, max: 200 }), (text, pieces) => {
        const expected = parsed(text);
        expect(expected).not.toBe('error');
        expect(scanned(text)).toEqual(expected);
        expect(scanned(text, pieces)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('tells it of damaged documents too, where the parser reads them', () => {
    fc.assert(
      fc.property(
        document,
        fc.nat(),
        fc.constantFrom('', '<', '>', '/', '"', '&', 'a', ' ', '</a>'),
        (text, at, damage) => {
          const place = at % (text.length + 1);
          const damaged = text.slice(0, place) + damage + text.slice(place + 1);
          const expected = parsed(damaged);
          // Half a character is none that a parser must read.
          if (expected !== 'error' && !/\p{Surrogate}/u.test(damaged)) expect(scanned(damaged)).toEqual(expected);
          expect(scanned(damaged, 7)).toEqual(scanned(damaged));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['xmlBroken', '<a><b></a></b>'],
    ['xmlBroken', '<a></ab>'],
    ['xmlBroken', '<a>'],
    ['xmlBroken', '<a/><'],
    ['xmlBroken', '</a>'],
    ['xmlBroken', 'text<a/>'],
    ['xmlBroken', '<a/>text'],
    ['xmlBroken', '<![CDATA[text]]><a/>'],
    ['xmlBroken', '<a b=1/>'],
    ['xmlBroken', '<a b="1/>'],
    ['xmlBroken', '<a b/>'],
    ['xmlBroken', '<a><!ELEMENT b></a>'],
    ['xmlBroken', '<a>< b/></a>'],
    ['xmlBroken', '<a<b>'],
    ['xmlDoctype', '<!DOCTYPE a><a/>'],
    ['xmlDoctype', '<!doctype a><a/>'],
    ['xmlTooDeep', '<a>'.repeat(65)],
    ['xmlTooLarge', `<a b="${'x'.repeat(1_000_001)}`],
  ])('refuses with %s', (code, text) => {
    expect(scanned(text)).toBe(code);
    expect(scanned(text, Math.min(text.length, 40))).toBe(code);
  });

  test('is patient with an ampersand, unknown references and several documents', () => {
    expect(scanned('<a>AT&T &eacute; &#0; &#xD800; &#x110000;</a>\n<b/>')).toEqual([
      '<a',
      'AT&T &eacute; &#0; &#xD800; &#x110000;',
      '>',
      '<b',
      '',
      '>',
    ]);
  });

  test('does not grow with the square of a text that does not end', () => {
    const time = processorTime(() => {
      expect(scanned(`<a>${'<!-- > '.repeat(130_000)}`, 20_000)).toMatch('xml');
      expect(scanned(`<a ${'b=">" '.repeat(150_000)}`, 2_000)).toMatch('xml');
    });
    expect(time).toBeLessThan(5_000);
  });
});
