import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { formatterFor } from '../../activities/mail/format.ts';
import {
  renderMessage,
  TEMPLATE_NAMES,
  templateSource,
  type BuiltInTemplate,
  type MessageModel,
} from '../../activities/mail/render.ts';
import { formatAmount, parseAmount } from '../../domain/money.ts';
import { TONES, type Channel } from '../../domain/policy/types.ts';

const LOCALES = ['fr-FR', 'de-DE', 'en-GB'] as const;
const CHANNELS: Readonly<Record<BuiltInTemplate, Channel>> = {
  'before-due': 'email',
  reminder: 'email',
  'last-reminder': 'letter',
  'call-script': 'call',
  'thank-you': 'email',
  'formal-notice': 'registeredLetter',
  'plan-note': 'email',
  'plan-due': 'email',
  'plan-late': 'email',
};

const LATE: MessageModel['tables'] = [
  {
    currency: 'EUR',
    total: '2450.10',
    rows: [
      {
        number: 'F-2026-0042',
        issuedOn: '2026-10-01',
        dueOn: '2026-10-31',
        daysLate: 21,
        amount: '1200.00',
        invoiceTotal: '1500.00',
        note: 'partPaid',
      },
      {
        number: 'F-2026-0051',
        issuedOn: '2026-10-20',
        dueOn: '2026-11-20',
        daysLate: 1,
        amount: '1250.10',
        invoiceTotal: '1250.10',
      },
    ],
  },
  {
    currency: 'USD',
    total: '300.00',
    rows: [
      {
        number: 'F-2026-0060',
        issuedOn: '2026-10-05',
        dueOn: '2026-11-04',
        daysLate: 17,
        amount: '300.00',
        invoiceTotal: '900.00',
        note: 'partDisputed',
      },
    ],
  },
];

function modelOf(template: BuiltInTemplate, change: Partial<MessageModel> = {}): MessageModel {
  const soon = LATE.slice(0, 1).map((table) => ({
    ...table,
    rows: table.rows.map((row) => ({ ...row, daysLate: -3 })),
  }));
  return {
    locale: 'fr-FR',
    tone: 'neutral',
    channel: CHANNELS[template],
    creditor: {
      name: 'Ateliers Duvallon SAS',
      replyTo: 'compta@duvallon.example',
      iban: 'FR7630006000011234567890189',
      addressLines: ['12 rue des Tanneurs', '69007 Lyon'],
    },
    customer: { name: 'Maison Perrault & Fils', addressLines: ['4 place du Marché', '21000 Dijon'] },
    contact: { name: 'Camille Roux', phones: [{ number: '+33 4 72 00 00 01', name: 'Camille Roux' }] },
    reference: 'R-7K3F2A',
    today: '2026-11-21',
    tables:
      template === 'thank-you' || (template.startsWith('plan-') && template !== 'plan-note')
        ? []
        : template === 'before-due'
          ? soon
          : LATE,
    history: [
      { on: '2026-11-05', what: 'E-mail' },
      { on: '2026-11-12', what: 'Call: transfer announced for the 18th' },
    ],
    paid: { amounts: [{ amount: '1200.00', currency: 'EUR' }], numbers: ['F-2026-0042'] },
    portalUrl: 'https://pay.example/p/abc?x=1&y=2',
    payBy: template === 'formal-notice' ? '2026-12-01' : null,
    instalments: [
      { dueOn: '2026-12-01', amount: '1000.00', currency: 'EUR' },
      { dueOn: '2027-01-01', amount: '1450.10', currency: 'EUR' },
    ],
    instalment: {
      dueOn: '2026-12-01',
      amount: '1000.00',
      currency: 'EUR',
      n: 1,
      of: 2,
      lastGraceDay: '2026-12-05',
    },
    ...change,
  };
}

describe.each(LOCALES)('%s', (locale) => {
  describe.each(TEMPLATE_NAMES)('%s', (template) => {
    test('reads as written, in every tone', () => {
      const rendered = TONES.map((tone) => {
        const { subject, text } = renderMessage(template, modelOf(template, { locale, tone }));
        return `${subject}\n\n${text}`;
      });
      const distinct = new Set(rendered);
      expect(distinct.size).toBe(template === 'reminder' ? TONES.length : 1);
      for (const text of distinct) expect(text).toMatchSnapshot();
    });

    test('for a single invoice', () => {
      const tables = modelOf(template)
        .tables.slice(0, 1)
        .map((table) => ({ ...table, total: '1200.00', rows: table.rows.slice(0, 1) }));
      const { subject, text } = renderMessage(template, modelOf(template, { locale, tables, contact: { name: null } }));
      expect(`${subject}\n\n${text}`).toMatchSnapshot();
    });

    test('says in HTML what it says in text', () => {
      const model = modelOf(template, { locale });
      const { subject, html, text } = renderMessage(template, model);
      expect(subject).toContain('[R-7K3F2A]');
      expect(html).toMatch(/^<!doctype html>\n<html lang="(fr|de|en)">/);
      for (const row of model.tables.flatMap((table) => table.rows)) {
        expect(html).toContain(row.number);
        expect(text).toContain(row.number);
      }
      for (const amount of text.match(/\d[\d.,\u202f\u00a0]*[.,]\d\d/g) ?? []) expect(html).toContain(amount);
      // Every sentence of the text stands in the HTML too.
      const flat = (part: string): string => part.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
      const document = flat(html.replaceAll('&#39;', "'").replaceAll('&#34;', '"').replaceAll('&amp;', '&'));
      const paragraphs = text.split(/\n\n/).filter((block) => /^\p{L}.*[.!?]$/su.test(block));
      expect(paragraphs.length).toBeGreaterThan(0);
      for (const paragraph of paragraphs) expect(document).toContain(flat(paragraph));
      expect(html).not.toMatch(/<script|javascript:|\{\{|\{%|undefined|\[object/);
    });
  });

  test('the layout of a mail, a letter and a script', () => {
    for (const template of ['reminder', 'formal-notice', 'call-script'] as const) {
      expect(renderMessage(template, modelOf(template, { locale })).html).toMatchSnapshot();
    }
  });
});

describe('amounts and dates', () => {
  const textIn = (locale: string, amount: string, currency: string): string => {
    const rows = [{ ...LATE[0]!.rows[1]!, amount, invoiceTotal: amount }];
    return renderMessage('reminder', modelOf('reminder', { locale, tables: [{ currency, total: amount, rows }] })).text;
  };

  test.each([
    ['fr-FR', '1200.00', 'EUR', 'Total\u00a0: 1\u202f200,00\u00a0€', '20 novembre 2026'],
    ['de-DE', '1200.00', 'EUR', 'Summe: 1.200,00\u00a0€', '20. November 2026'],
    ['de-CH', '200.00', 'CHF', 'CHF\u00a0200.00', '20. November 2026'],
    ['en', '1200.00', 'EUR', 'Total: €1,200.00', '20 November 2026'],
    ['en-US', '1200.00', 'EUR', 'Total: €1,200.00', 'November 20, 2026'],
    ['it-IT', '1200.00', 'EUR', 'Total: €1,200.00', '20 November 2026'],
    ['not a locale', '1200.00', 'EUR', 'Total: €1,200.00', '20 November 2026'],
    [
      'fr-FR',
      '90071992547409931200.05',
      'EUR',
      '90\u202f071\u202f992\u202f547\u202f409\u202f931\u202f200,05\u00a0€',
      '2026',
    ],
    ['fr-FR', '1200.123', 'TND', '1\u202f200,123\u00a0TND', '2026'],
    ['fr-FR', '1200.500', 'IQD', '1\u202f200,500\u00a0IQD', '2026'],
    ['en-GB', '1200', 'JPY', 'JP¥1,200', '2026'],
  ])('%s %s %s', (locale, amount, currency, money, date) => {
    const text = textIn(locale, amount, currency);
    expect(text).toContain(money);
    expect(text.replace(/\s+/g, ' ')).toContain(date);
  });

  test('the first of a month in French is "1er"', () => {
    const rows = [{ ...LATE[0]!.rows[1]!, dueOn: '2026-10-01' }];
    const model = modelOf('reminder', { tables: [{ currency: 'EUR', total: '1250.10', rows }] });
    expect(renderMessage('reminder', model).text).toContain('1er\u00a0octobre 2026');
  });

  test('French punctuation never begins a line', () => {
    for (const template of TEMPLATE_NAMES) {
      const { subject, text, html } = renderMessage(template, modelOf(template));
      const body = html.replace(/<style>[\s\S]*<\/style>/, '').replace(/<[^>]+>/g, '');
      for (const part of [subject, text, body]) expect(part).not.toMatch(/[ \n][:;?!»]/);
    }
  });

  test('an invoice asked for in full does not repeat its total', () => {
    const row = { ...LATE[0]!.rows[1]!, amount: '1250.1', invoiceTotal: '1250.1' };
    const model = modelOf('reminder', { tables: [{ currency: 'EUR', total: '1250.10', rows: [row] }] });
    expect(renderMessage('reminder', model).text).not.toContain('sur 1');
  });
});

describe('foreign text', () => {
  const NASTY = `<img src=x onerror=alert(1)> {{ creditor.iban }} '; DROP TABLE x; -- 🎩👩‍💼 "q" &amp;`;

  test.each(TEMPLATE_NAMES)('in %s is escaped in HTML and left alone in text', (template) => {
    const model = modelOf(template, {
      creditor: { name: NASTY, replyTo: NASTY, iban: '"><b>', addressLines: [NASTY] },
      customer: { name: NASTY, addressLines: [NASTY] },
      contact: { name: NASTY },
      reference: 'R-7K3F2A',
      history: [{ on: '2026-11-05', what: NASTY }],
      paid: { amounts: [{ amount: '1.00', currency: 'EUR' }], numbers: [NASTY] },
      tables: LATE.map((table) => ({ ...table, rows: table.rows.map((row) => ({ ...row, number: NASTY })) })),
    });
    const { subject, html, text } = renderMessage(template, model);
    expect(html).not.toContain('<img');
    expect(html).not.toContain('"><b>');
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(html).toContain('🎩👩‍💼 &#34;q&#34; &amp;amp;');
    expect(text.replace(/\s+/g, ' ')).toContain(NASTY);
    expect(subject).not.toMatch(/[\r\n]/);
  });

  test('cannot break lines, turn the writing, or add a header to the subject', () => {
    const name = 'Dune\r\nBcc: x@y.example\n\n- a list\u202e\u0007 \ud800 fin';
    const { subject, text } = renderMessage(
      'call-script',
      modelOf('call-script', { customer: { name, addressLines: [] } }),
    );
    expect(subject).toContain('Dune Bcc: x@y.example - a list \ufffd fin');
    for (const mark of ['\r', '\u0007', '\u202e', '\ud800']) expect(subject + text).not.toContain(mark);
  });

  test('from right to left is kept apart', () => {
    const { text } = renderMessage('reminder', modelOf('reminder', { contact: { name: 'שלום בע״מ' } }));
    expect(text).toContain('Bonjour \u2068שלום בע״מ\u2069,');
  });
});

describe('limits', () => {
  test('no template is found by a path, and none without what it needs', () => {
    for (const name of ['../../package', 'fr/reminder', 'nothing', '__proto__', 'constructor']) {
      expect(() => renderMessage(name, modelOf('reminder'))).toThrow(/There is no template/);
      expect(() => templateSource(name, 'fr')).toThrow(/There is no template/);
    }
    const { paid: _paid, instalments: _instalments, ...bare } = modelOf('reminder');
    const { instalment: _instalment, ...noInstalment } = bare;
    const { lastGraceDay: _lastGraceDay, ...withoutGrace } = bare.instalment!;
    const incomplete: [BuiltInTemplate, MessageModel, RegExp][] = [
      ['thank-you', bare, /what was paid is missing/],
      ['thank-you', { ...bare, paid: { amounts: [], numbers: [] } }, /what was paid is missing/],
      ['plan-note', bare, /the instalments are missing/],
      ['plan-due', noInstalment, /the instalment is missing/],
      ['plan-late', { ...bare, instalment: withoutGrace }, /the last day of grace is missing/],
      ['reminder', { ...bare, tables: [] }, /there is no invoice/],
      ['reminder', { ...bare, reference: ' ' }, /a reference is missing/],
    ];
    for (const [name, model, reason] of incomplete) expect(() => renderMessage(name, model)).toThrow(reason);
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', 'pay.example'])('the portal link is no %s', (portalUrl) => {
    expect(() => renderMessage('reminder', modelOf('reminder', { portalUrl }))).toThrow(/must begin with https/);
  });

  test('without IBAN, reply address or portal the message is still whole', () => {
    const creditor = { name: 'Duvallon', replyTo: null, iban: null, addressLines: [] };
    const { html, text } = renderMessage('reminder', modelOf('reminder', { creditor, portalUrl: null }));
    expect(html + text).not.toMatch(/IBAN|null|href/);
    expect(text).toContain('Référence à rappeler\u00a0: R-7K3F2A');
  });

  test('a template has one source per language, which changes with its words', () => {
    const hashes = TEMPLATE_NAMES.flatMap((name) =>
      LOCALES.map((locale) => createHash('sha256').update(templateSource(name, locale)).digest('hex')),
    );
    expect(new Set(hashes).size).toBe(TEMPLATE_NAMES.length * LOCALES.length);
    expect(templateSource('reminder', 'fr-CH')).toBe(templateSource('reminder', 'fr'));
    expect(templateSource('reminder', 'nl')).toBe(templateSource('reminder', 'en'));
  });

  test('nothing speaks of interest, fees or courts where nothing is claimed but the principal', () => {
    // The formal notice does: what it may say is tested below.
    for (const name of TEMPLATE_NAMES.filter((one) => one !== 'formal-notice')) {
      for (const locale of LOCALES) {
        expect(renderMessage(name, modelOf(name, { locale })).text).not.toMatch(
          /intérêt|pénalit|indemnit|frais|tribunal|Zins|Gebühr|Verzugs|Gericht|interest|penalt|\bfees?\b|court\b/i,
        );
      }
    }
  });

  test('a reminder states what is claimed beside the principal, and asks for the total', () => {
    const tables = modelOf('reminder').tables.slice(0, 1);
    const principal = tables[0]!.total;
    const total = formatAmount(parseAmount(principal, 'EUR') + 5_234n, 'EUR');
    const claim = { currency: 'EUR', principal, interest: '12.34', compensation: '40.00', total };
    const { text } = renderMessage('reminder', modelOf('reminder', { locale: 'fr', tone: 'firm', tables, claim }));
    const plain = text.replaceAll(/\s+/g, ' ');
    expect(plain).toContain(`régler la somme de ${formatterFor('fr').money(total, 'EUR')}`.replaceAll(/\s/g, ' '));
    expect(text).toMatch(/Intérêts de retard, arrêtés au .*12,34/);
    expect(text).toMatch(/Indemnité forfaitaire pour frais de recouvrement.*40,00/);
    expect(renderMessage('reminder', modelOf('reminder', { locale: 'fr', tone: 'firm' })).text).not.toContain(
      'Indemnité',
    );
  });
});

describe('a formal notice', () => {
  const claim: NonNullable<MessageModel['claim']> = {
    currency: 'EUR',
    principal: '2450.10',
    interest: '12.34',
    compensation: '80.00',
    costs: null,
    total: '2542.44',
    perDay: '0.82',
  };
  const textOf = (change: Partial<MessageModel>): string =>
    renderMessage('formal-notice', modelOf('formal-notice', change)).text.replace(/\s+/g, ' ');
  const french = { locale: 'fr-FR', customerKind: 'business', country: 'FR' } as const;

  test('asks for the principal alone when nothing else is claimed', () => {
    for (const locale of LOCALES) {
      expect(textOf({ locale })).not.toMatch(
        /intérêt|indemnit|frais|zins|pauschale|kosten|interest|compensation|costs/i,
      );
    }
  });

  test.each([
    ['fr-FR', ['Principal, toutes taxes comprises', 'Intérêts de retard', 'Indemnité forfaitaire', '0,82'], '2 542,44'],
    ['de-DE', ['Hauptforderung', 'Verzugszinsen', 'Verzugspauschale', '0,82'], '2.542,44'],
    ['en-GB', ['Principal', 'Late payment interest', 'Fixed compensation', '€0.82'], '2,542.44'],
  ])('in %s sets principal, interest and compensation apart and asks for their sum', (locale, parts, total) => {
    const text = textOf({ locale, claim });
    for (const part of parts) expect(text).toContain(part);
    expect(text.split(total).length).toBeGreaterThan(2);
    // Costs are not claimed here.
    expect(text).not.toMatch(/Frais justifiés|Nachgewiesene|Documented/);
    const { html } = renderMessage('formal-notice', modelOf('formal-notice', { locale, claim }));
    for (const part of parts) expect(html).toContain(part);
    expect(html).not.toMatch(/[=|] (Principal|Hauptforderung)/);
  });

  test('of another currency is asked for beside the claim', () => {
    expect(textOf({ locale: 'en-GB', claim })).toMatch(/pay €2,542\.44 and US\$300\.00/);
  });

  test('whose sums do not add up does not leave', () => {
    const broken = [
      { ...claim, total: '2542.45' },
      { ...claim, principal: '2450.11', total: '2542.45' },
      { ...claim, currency: 'GBP' },
    ];
    for (const one of broken) expect(() => textOf({ claim: one })).toThrow(/does not add up/);
  });

  test('names the law where it applies', () => {
    expect(textOf(french)).toMatch(/article 1344 du Code civil.*L441-10/);
    const elsewhere = [
      { ...french, country: 'BE' },
      { ...french, customerKind: 'consumer' },
      { locale: 'fr-FR' },
    ] as Partial<MessageModel>[];
    for (const change of elsewhere) expect(textOf(change)).not.toMatch(/1344|L441/);
    expect(textOf({ locale: 'de-DE', country: 'DE' })).toContain('§ 286 Abs. 1 BGB');
    expect(textOf({ locale: 'de-DE', country: 'AT' })).not.toContain('BGB');
  });

  test('names both parties and counts its days from receipt', () => {
    const text = textOf({ ...french, deadlineDays: 8 });
    expect(text).toContain('Ateliers Duvallon SAS met Maison Perrault & Fils en demeure');
    expect(text).toContain('dans un délai de 8 jours à compter de la réception');
    expect(text).not.toContain('au plus tard');
    expect(renderMessage('formal-notice', modelOf('formal-notice', french)).subject).toMatch(/^MISE EN DEMEURE /);
  });
});
