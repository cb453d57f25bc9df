import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { templateFaults } from '../../activities/mail/judge.ts';
import { renderPart } from '../../activities/mail/parts.ts';
import { FILTERS } from '../../activities/mail/parts-engine.ts';
import { renderMessage } from '../../activities/mail/render.ts';
import { fullView, sampleModel, sampleShapes } from '../../activities/mail/samples.ts';
import { partsOf, readTemplate } from '../../activities/mail/templates.ts';
import { LANGUAGES, TEMPLATE_NAMES, type KnownTemplate, type TemplateParts } from '../../domain/policy/templates.ts';

const partsWith = (change: Partial<TemplateParts>): TemplateParts => ({
  subject: 'Invoices {{ numbers }} [{{ reference }}]',
  lead: '{{ salutation }}\n\nPlease pay {{ totals }}.',
  close: 'Or {{ reachUs }}.',
  ...change,
});
const codes = (lead: string, name: KnownTemplate = 'reminder'): string[] =>
  templateFaults(name, 'en', partsWith({ lead })).map((fault) => fault.code);

describe('the built-in texts', () => {
  test.each(TEMPLATE_NAMES)('%s would be taken in every language', (name) => {
    for (const language of LANGUAGES) {
      expect(templateFaults(name, language, partsOf(readTemplate(name, language)))).toEqual([]);
    }
  });
});

describe('a text is taken', () => {
  test.each([
    '{% if paid %}{{ paid.amounts }}{% endif %}Please pay.',
    'By {{ payBy | default: "return" }}.',
    '{% for t in tables %}{% for row in t.rows %}- {{ row.number }}{% if row.note %} ({{ row.note }}){% endif %}\n{% endfor %}{% endfor %}',
    '{% for t in tables %}{{ forloop.index }}. {{ t.total }}{% unless forloop.last %}, {% endunless %}{% endfor %}',
    '{% assign rest = count | minus: 1 %}{% if rest > 0 %}One and {{ rest }} more{% else %}One{% endif %}',
    '{% for i in (1..3) %}{{ i }}{% endfor %}',
    '{% case channel %}{% when "email" %}Mail{% else %}Paper{% endcase %}',
    '{% comment %}{% nothing %}{{ looked at }}{% endcomment %}Hello',
    'Less than 5 < 6 & more, "quoted"',
    '{{ customer.name | upcase | truncate: 20 }}',
    '{% if 1 <count %}Several{% else %}One{% endif %}',
  ])('%s', (lead) => {
    expect(templateFaults('reminder', 'en', partsWith({ lead }))).toEqual([]);
  });
});

describe('a text is refused', () => {
  test('with every unknown variable, its part and its line, in branches that no sample takes too', () => {
    const faults = templateFaults('reminder', 'en', {
      subject: '{{ nothing }}',
      lead: 'Dear\n{% if count == 77 %}\n{{ customer.iban }}\n{% for t in tables %}{{ t.sum }}{% endfor %}{% endif %}',
      close: '{% unless true %}{{ creditor.__proto__ }}{{ creditor.constructor.name }}{% endunless %}',
    });
    expect(faults).toEqual([
      { pointer: '/subject', code: 'unknownVariable', message: 'Line 1: undefined variable: nothing.' },
      { pointer: '/lead', code: 'unknownVariable', message: 'Line 3: undefined variable: customer.iban.' },
      { pointer: '/lead', code: 'unknownVariable', message: 'Line 4: undefined variable: t.sum.' },
      { pointer: '/close', code: 'unknownVariable', message: 'Line 1: undefined variable: creditor.__proto__.' },
      { pointer: '/close', code: 'unknownVariable', message: 'Line 1: undefined variable: creditor.constructor.' },
    ]);
  });

  test.each([
    ['{{ row.number }}', 'unknownVariable'],
    ['{% assign x = nothing %}Hello', 'unknownVariable'],
    ['{% if nothing.at.all or count %}x{% endif %}y', 'unknownVariable'],
    ['{% case tone %}{% when nothing %}x{% endcase %}y', 'unknownVariable'],
    ['{% case 1 %}{% when 1 %}x{% else %}{{ nothing }}{% endcase %}', 'unknownVariable'],
    ['{% for t in tables limit: 0 %}{{ t.nothing }}{% else %}x{% endfor %}y', 'unknownVariable'],
    ['{% for t in tables %}x{% else %}{{ nothing }}{% endfor %}', 'unknownVariable'],
    ['{% for i in (3..1) %}{{ nothing }}{% endfor %}y', 'unknownVariable'],
    ['{% for t in tables %}{% break %}{{ t.nothing }}{% endfor %}y', 'unknownVariable'],
    ['{{ labels.total }}', 'unknownVariable'],
    ['{{ tables[7].total }}', 'unknownVariable'],
    ['{{ creditor.addressLines.first }}', 'unknownVariable'],
    ['{{ paid.amounts }}', 'templateUnusable'],
    ['Pay by {{ payBy }}', 'templateUnusable'],
    ['Dear {{ contact.name }}', 'templateUnusable'],
    ['{{ creditor }}', 'templateUnusable'],
    ['{{ tables }}', 'templateUnusable'],
    ['{% for letter in creditor.name %}x{% endfor %}', 'templateUnusable'],
    ['{% if count > 1 %}Several{% endif %}', 'templateUnusable'],
    ['{% if count > 1 %}never closed', 'templateSyntax'],
    ['{{ count', 'templateSyntax'],
    ['{% if true %}'.repeat(1_500) + 'x' + '{% endif %}'.repeat(1_500), 'templateSyntax'],
    ['{{ totals | raw }}', 'notAllowed'],
    ['{{ "now" | date: "%s" }}', 'notAllowed'],
    ['{{ tables | sample }}', 'notAllowed'],
    ['{{ "PGI+" | base64_decode }}', 'notAllowed'],
    ['{% raw %}x{% endraw %}', 'notAllowed'],
    ['{% include "reminder" %}', 'notAllowed'],
    ['{% render "../../package.json" %}', 'notAllowed'],
    ['{% layout "layout.html" %}x', 'notAllowed'],
    ['{% tablerow t in tables %}x{% endtablerow %}', 'notAllowed'],
    ['{% capture x %}y{% endcapture %}{{ x }}', 'notAllowed'],
    ['{% increment count %}', 'notAllowed'],
    ['{% echo totals %}', 'notAllowed'],
    ['{% liquid\nassign x = 1\n%}', 'notAllowed'],
    ['<script>alert(1)</script>', 'htmlNotAllowed'],
    ['a <b>bold</b> word', 'htmlNotAllowed'],
    ['<!-- hidden -->', 'htmlNotAllowed'],
    ['{{ "<script>" }}', 'htmlNotAllowed'],
    ['A&nbsp;B', 'htmlNotAllowed'],
  ])('%s', (lead, code) => {
    expect(codes(lead)).toContain(code);
  });

  const nested = (depth: number, list: string, body = 'a'): string =>
    Array.from({ length: depth }, (_, i) => `{% for x${i} in ${list} %}`).join('') +
    body +
    '{% endfor %}'.repeat(depth);

  test.each([
    ['a loop without end', '{% for i in (1..1000000000) %}a{% endfor %}'],
    ['loops in loops', nested(3, '(1..1000)')],
    ['empty loops', nested(12, '(1..10)', '')],
    ['loops over the invoices of a large customer', nested(4, 'tables[0].rows')],
    [
      'a text that doubles',
      '{% assign s = "aaaaaaaa" %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}x',
    ],
    [
      'a text that is printed too often',
      '{% assign s = "' + 'a'.repeat(9_000) + '" %}{% for i in (1..900) %}{{ s }}{% endfor %}',
    ],
  ])('for %s, soon', (_, lead) => {
    // Cost is counted, not timed; a loop that runs away would meet the time-out of the test.
    expect(codes(lead)).toEqual(['templateTooCostly']);
  });

  test('or taken, in a time that grows with its length only', () => {
    expect(codes('{%'.repeat(10_000))).toContain('templateSyntax');
    expect(codes('{{'.repeat(10_000))).toContain('templateSyntax');
    const wide = partsWith({ lead: 'x{% for i in (1..1000) %}' + '\t'.repeat(500) + '{% endfor %}y' });
    expect(templateFaults('reminder', 'en', wide)).toEqual([]);
    const model = sampleModel('reminder', 'en', sampleShapes('reminder')[0]!);
    expect(renderMessage('reminder', model, wide).text).toMatch(/^x y\n/);
  });

  test('when its subject cannot stand in a mail', () => {
    const subject = '{% for i in (1..500) %}ab{% endfor %}';
    const [fault] = templateFaults('reminder', 'en', partsWith({ subject }));
    expect(fault).toMatchObject({ pointer: '/subject', code: 'templateUnusable' });
  });

  test('in no other way than by its own fault: an error never says a value', () => {
    const model = sampleModel('reminder', 'en', sampleShapes('reminder')[0]!);
    model.customer.name = 'canary-person';
    const wrong = partsWith({ lead: '{{ customer.name | truncate: 3 | append: nothing }}' });
    expect(() => renderMessage('reminder', model, wrong)).toThrow(/undefined variable: nothing/);
    expect(() => renderMessage('reminder', model, wrong)).not.toThrow(/canary/);
  });
});

describe('whatever a text says', () => {
  const piece = fc.constantFrom(
    '<script>alert(1)</script>',
    '<img src=x onerror=y>',
    '{{ "<script>" }}',
    "{% assign s = '<script>' %}{{ s }}",
    '{{ "<" | append: "script>" }}',
    '{{ customer.name }}',
    '{{ customer.name | upcase }}',
    '\n\n- <b>x</b>\n\n',
    '"><svg onload=z>',
    '&lt;script&gt;',
    'plain',
    ' ',
  );
  test('no markup of its own, and none of a customer’s, comes into the mail', () => {
    const shape = sampleShapes('reminder')[0]!;
    const plain = partsWith({ subject: 'x', lead: 'x', close: 'x' });
    const tags = (html: string): number => (html.match(/<[a-z]/gi) ?? []).length;
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), (pieces) => {
        const model = sampleModel('reminder', 'en', shape);
        model.customer.name = '<script src=//evil.example></script>';
        const part = `x${pieces.join('')}`;
        const { html, subject } = renderMessage('reminder', model, { subject: part, lead: part, close: part });
        expect(html).not.toMatch(/<script|<img|<svg|<b>/i);
        expect(subject).not.toMatch(/[\r\n]/);
        // Paragraphs, lists and the line that mail programs show beside the subject are all that a part can make.
        const own = html.match(/<(?:p|ul|li|div)\b/g)?.length ?? 0;
        const base = renderMessage('reminder', model, plain).html;
        expect(tags(html) - own).toBe(tags(base) - (base.match(/<(?:p|ul|li|div)\b/g)?.length ?? 0));
      }),
    );
  });

  test('the same text over the same case is the same message', () => {
    const lead = '{% for t in tables %}{{ t.total }}{% endfor %}';
    const once = renderPart(lead, fullView('reminder', 'en'));
    expect(renderPart(lead, fullView('reminder', 'en'))).toBe(once);
  });
});

describe('what there is to name', () => {
  /** Every path into the view; of lists the first item stands for all. */
  const pathsOf = (value: unknown, path: string): string[] => {
    if (Array.isArray(value)) {
      expect(value.length, path).toBeGreaterThan(0);
      return typeof value[0] === 'object' ? [path, ...pathsOf(value[0], path)] : [path];
    }
    if (typeof value === 'object' && value !== null) {
      return Object.entries(value).flatMap(([name, item]) => pathsOf(item, path === '' ? name : `${path}.${name}`));
    }
    // Nothing is absent in the view that unknown variables are judged by.
    expect(value, path).not.toBeNull();
    return [path];
  };

  test.each(TEMPLATE_NAMES)('is the same for %s, and docs/policies.md lists it all', async (name) => {
    const paths = new Set(pathsOf(fullView(name, 'en'), ''));
    const text = await readFile(join(process.cwd(), 'docs/policies.md'), 'utf8');
    const section = text.slice(text.indexOf('| variable'), text.indexOf('Tags: `assign`'));
    const rows = section.split('\n').filter((row) => row.startsWith('| `'));
    const listed = rows.flatMap((row) => {
      const [, names = '', what = ''] = row.split('|');
      const inside = [...what.matchAll(/`([\w.]+)`/g)].map((m) => m[1]!).filter((one) => one.includes('.'));
      return [...[...names.matchAll(/`([\w.]+)`/g)].map((m) => m[1]!), ...inside];
    });
    expect([...new Set(listed)].sort()).toEqual([...paths].sort());
    for (const filter of FILTERS) expect(text).toContain(`\`${filter}\``);
  });
});
