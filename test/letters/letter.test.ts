import { createHash } from 'node:crypto';
import { PDFDict, PDFName } from 'pdf-lib';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../activities/letters/fonts.ts';
import {
  layoutLetter,
  renderLetterMessage,
  renderPreviewPdf,
  type LetterDetails,
  type LetterModel,
} from '../../activities/letters/index.ts';
import { renderParts, TEMPLATE_NAMES, type MessageModel } from '../../activities/mail/render.ts';
import { sampleModel } from '../../activities/mail/samples.ts';
import { partsOf, readTemplate } from '../../activities/mail/templates.ts';
import { TEMPLATES } from '../../domain/policy/templates.ts';
import { FRENCH, GERMAN, letter, table } from './models.ts';
import { load, readPages, textsOf, wordsOf } from './reading.ts';

const FOR_LETTERS = TEMPLATE_NAMES.filter((name) => TEMPLATES[name].channels.includes('letter'));

const pdfOf = async (template: string, model: MessageModel, details: LetterDetails = FRENCH): Promise<Uint8Array> =>
  (await renderLetterMessage(template, model, details)).pdf;

/** A letter's layout from a message, with what a test wants to change. */
function layoutOf(tables: MessageModel['tables'], change: Partial<LetterModel> = {}): ReturnType<typeof layoutLetter> {
  const { lead, close, subject } = renderParts('reminder', letter({ tables }));
  return layoutLetter({
    locale: 'fr-FR',
    fromCountry: 'FR',
    sender: { name: 'Ateliers Duvallon SAS', addressLines: ['12 rue des Tanneurs', '69007 Lyon'] },
    recipientLines: ['Maison Perrault & Fils', '4 place du Marché', '21000 Dijon'],
    registered: false,
    date: '2026-11-21',
    subject,
    reference: 'R-7K3F2A',
    lead,
    tables,
    payment: { beneficiary: 'Ateliers Duvallon SAS', iban: 'FR76', reference: 'R-7K3F2A' },
    close,
    ...change,
  });
}

describe.each(['fr-FR', 'de-DE', 'en-GB'])('in %s', (locale) => {
  test.each(FOR_LETTERS)('%s is a letter', async (template) => {
    const tables = template === 'plan-due' || template === 'plan-late' ? [] : [table(3)];
    const model = letter({ locale, tables, deadlineDays: 8 });
    const { subject, text, pdf } = await renderLetterMessage(template, model, FRENCH);
    const printed = (await readPages(pdf)).join('\n');
    expect(subject).toContain('[R-7K3F2A]');
    expect(printed).not.toContain('[R-7K3F2A]');
    expect(printed).toContain('FR76\u00a03000\u00a06000');
    for (const { number } of tables.flatMap((one) => one.rows)) {
      expect(printed).toContain(number);
      expect(text).toContain(number);
    }
    expect(printed).toMatch(locale === 'de-DE' ? /Seite 1\/1|Seite 1\/2/ : /Page 1\/[12]/);
    expect(printed).not.toMatch(/undefined|null|\{\{|\[object/);
  });

  test('says how it is sent when it is registered', async () => {
    const mention = {
      fr: 'Lettre recommandée avec avis de réception',
      de: 'Einschreiben mit Rückschein',
      en: 'Recorded delivery',
    };
    const expected = mention[locale.slice(0, 2) as keyof typeof mention];
    for (const details of [FRENCH, GERMAN]) {
      const [page = ''] = await readPages(
        await pdfOf('formal-notice', letter({ locale, channel: 'registeredLetter' }), details),
      );
      expect(page).toContain(expected);
      const [plain = ''] = await readPages(await pdfOf('formal-notice', letter({ locale }), details));
      expect(plain).not.toContain(expected);
    }
  });
});

describe('on paper', () => {
  test('accents, spaces and foreign letters can be read back', async () => {
    const customer = { name: 'Œuvres Řehoř & Łódź Straße Борис', addressLines: ['4 place du Marché', '21000 Dijon'] };
    const [page] = await readPages(
      await pdfOf('reminder', letter({ customer, tables: [{ ...table(1), total: '1200.05' }] })),
    );
    expect(page).toContain('Œuvres Řehoř & Łódź Straße Борис');
    expect(page).toContain('1\u202f200,05\u00a0€');
  });

  test('A4, with both fonts embedded as subsets and the letter’s day as the only time', async () => {
    const document = await load(await pdfOf('reminder', letter()));
    const [page] = document.getPages();
    expect(page!.getSize()).toEqual({ width: expect.closeTo(595.28, 1), height: expect.closeTo(841.89, 1) });
    const fonts = document.context
      .enumerateIndirectObjects()
      .map(([, object]) => object)
      .filter((object) => object instanceof PDFDict && object.get(PDFName.of('Type')) === PDFName.of('FontDescriptor'))
      .map((object) => object as PDFDict);
    expect(fonts.map((font) => String(font.get(PDFName.of('FontName'))).slice(8)).sort()).toEqual([
      'NotoSans-Bold',
      'NotoSans-Regular',
    ]);
    for (const font of fonts) expect(font.has(PDFName.of('FontFile2'))).toBe(true);
    expect(document.getCreationDate()).toEqual(new Date('2026-11-21T00:00:00Z'));
    expect(document.getModificationDate()).toEqual(new Date('2026-11-21T00:00:00Z'));
  });

  test('the same message gives the same bytes, another one gives others', async () => {
    const digest = async (model: MessageModel): Promise<string> =>
      createHash('sha256')
        .update(await pdfOf('reminder', model))
        .digest('hex');
    const first = await digest(letter({ tables: [table(60)] }));
    expect(await digest(letter({ tables: [table(60)] }))).toBe(first);
    expect(await digest(letter({ tables: [table(61)] }))).not.toBe(first);
    expect(await digest(letter({ tables: [table(60)], today: '2026-11-22' }))).not.toBe(first);
  });
});

describe('tables over many pages', () => {
  const layout = layoutOf([table(120)]);
  const pages = wordsOf(layout);

  test('repeat their head, number their pages and hold each invoice once', () => {
    expect(pages.length).toBeGreaterThan(3);
    pages.forEach((words, i) => expect(words).toContain(`Page ${i + 1}/${pages.length}`));
    const numbers = pages.flat().filter((word) => /^F-2026-\d{4}$/.test(word));
    expect(numbers).toEqual(table(120).rows.map((one) => one.number));
    const withRows = pages.filter((words) => words.some((word) => /^F-2026-\d{4}$/.test(word)));
    for (const words of withRows) expect(words).toContain('Échéance');
  });

  test('carry over what has come together so far', () => {
    const amount = (text: string): bigint => BigInt(text.replace(/\D/g, ''));
    let sum = 0n;
    let checked = 0;
    for (const page of layout.pages) {
      const lines = new Map<number, string[]>();
      for (const mark of textsOf(page)) lines.set(mark.y, [...(lines.get(mark.y) ?? []), mark.text]);
      for (const words of lines.values()) {
        const last = words.findLast((word) => word.endsWith('€')) ?? '';
        if (/^F-2026-\d{4}$/.test(words[0]!)) sum += amount(last);
        if (words.includes('À reporter') || words.includes('Report') || words.includes('Total')) {
          expect(amount(last)).toBe(sum);
          checked += 1;
        }
      }
    }
    expect(checked).toBeGreaterThan(4);
    expect(sum).toBe(726_600n);
  });

  test.each([1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 16, 40, 46, 47, 48, 49, 50])(
    '%i rows stay on the paper, and no page holds the greeting alone',
    (count) => {
      const made = layoutOf([table(count), table(2, 'USD')], { signature: { name: null } });
      for (const page of made.pages) {
        for (const mark of textsOf(page)) {
          expect(mark.x).toBeGreaterThanOrEqual(19.9);
          expect(mark.x + widthOf(mark.text, mark.size, mark.weight)).toBeLessThanOrEqual(190.1);
          expect(mark.y).toBeLessThanOrEqual(288);
          // Between the text and the footer nothing is written.
          expect(mark.y > 273 && mark.y < 280).toBe(false);
        }
      }
      const last = wordsOf(made).at(-1)!;
      const greeting = last.findIndex((word) => word.startsWith('Avec nos cordiales'));
      if (made.pages.length > 1) expect(greeting).toBeGreaterThan(0);
    },
  );

  test('one of each currency, with a title', () => {
    const words = wordsOf(layoutOf([table(2), table(2, 'USD')])).flat();
    expect(words).toEqual(expect.arrayContaining(['Factures en EUR', 'Factures en USD']));
    expect(wordsOf(layoutOf([table(2)])).flat()).not.toContain('Factures en EUR');
  });

  test('a number longer than its column is cut into lines', () => {
    const number = 'LIEFERSCHEIN-'.repeat(12);
    const only = { ...table(1), rows: [{ ...table(1).rows[0]!, number }] };
    const words = wordsOf(layoutOf([only])).flat();
    expect(words).not.toContain(number);
    expect(words.join('')).toContain(number);
  });
});

describe('the head', () => {
  const at = (layout: ReturnType<typeof layoutLetter>, text: string): { x: number; y: number } =>
    textsOf(layout.pages[0]!).find((mark) => mark.text === text)!;

  test('French: address on the right between 45 and 79 mm, folds at thirds', () => {
    const layout = layoutOf([table(2)]);
    const { x, y } = at(layout, '4 place du Marché');
    expect([x > 100, y > 45 && y < 79]).toEqual([true, true]);
    expect(
      layout.pages[0]!.filter((mark) => mark.kind === 'line' && mark.x2 < 15).map((mark) => 'y1' in mark && mark.y1),
    ).toEqual([99, 198]);
  });

  test('DIN 5008: address on the left below the return line, folds of form B', () => {
    const layout = layoutOf([table(2)], { fromCountry: 'DE', locale: 'de-DE' });
    const { x, y } = at(layout, 'Maison Perrault & Fils');
    expect([x, y > 62.7 && y < 90]).toEqual([25, true]);
    const back = at(layout, 'Ateliers Duvallon SAS · 12 rue des Tanneurs · 69007 Lyon');
    expect(back.y).toBeLessThan(63);
    expect(
      layout.pages[0]!.filter((mark) => mark.kind === 'line' && mark.x2 < 15).map((mark) => 'y1' in mark && mark.y1),
    ).toEqual([105, 210]);
  });

  test('an address of six lines and long names keep to their columns', () => {
    const long = 'Établissements Lefèbvre-Desrousseaux et Compagnie, successeurs';
    const layout = layoutOf([table(2)], {
      sender: {
        name: long,
        addressLines: [long, long, '69007 Lyon'],
        contact: 'comptabilite@lefebvre-desrousseaux.example',
      },
    });
    const window = textsOf(layout.pages[0]!).filter((mark) => mark.y > 45 && mark.y < 80);
    for (const mark of window.filter((one) => one.x < 100)) {
      expect(mark.x + widthOf(mark.text, mark.size, mark.weight)).toBeLessThan(100);
    }
  });
});

describe('without', () => {
  test('place, IBAN, portal, registration and contact nothing is left behind', async () => {
    const creditor = { name: 'Duvallon', replyTo: null, iban: null, addressLines: [] };
    const printed = (
      await readPages(await pdfOf('reminder', letter({ creditor, portalUrl: null }), { creditorCountry: 'FR' }))
    ).join('\n');
    expect(printed).not.toMatch(/IBAN|TVA|Immatriculation|en ligne|null|undefined/);
    expect(printed).toContain('21\u00a0novembre 2026');
    expect(printed).not.toContain(', le 21');
  });

  test('signature a reminder; a formal notice has a line for it', async () => {
    expect((await readPages(await pdfOf('reminder', letter()))).join()).not.toContain('Signature');
    expect((await readPages(await pdfOf('formal-notice', letter()))).join()).toContain('Signature');
    const signed = await pdfOf('formal-notice', letter(), { ...FRENCH, signatory: 'Jeanne Martin' });
    expect((await readPages(signed)).join()).toContain('Jeanne Martin');
  });
});

describe('a preview', () => {
  const letterhead = { country: 'DE', city: 'Berlin', registrationId: 'HRB 1', vatId: null };

  test('is on paper whatever channel its sample has, in the words it is given', async () => {
    const model = letter({ channel: 'email', locale: 'de-DE' });
    const parts = { subject: 'Wort', lead: 'Davor', close: 'Danach' };
    const printed = (
      await readPages(await renderPreviewPdf({ template: 'reminder', model, parts, letterhead }))
    ).join();
    for (const part of ['Wort', 'Davor', 'Danach', 'Berlin, 21.', 'HRB 1']) expect(printed).toContain(part);
    await expect(renderPreviewPdf({ template: 'call-script', model, parts, letterhead })).rejects.toMatchObject({
      code: 'templateFailed',
    });
  });

  test.each(FOR_LETTERS)('of %s can be made of the invented case', async (template) => {
    const model = sampleModel(template, 'fr', { channel: 'letter', tone: 'firm', invoices: 'few', lean: false });
    const parts = partsOf(readTemplate(template, 'fr'));
    const pages = await readPages(await renderPreviewPdf({ template, model, parts, letterhead }));
    expect(pages[0]).toContain('Maison Perrault');
  });
});

describe('refusals', () => {
  test.each(['شركة النور', 'שלום בע״מ', '上海贸易有限公司', 'Pizza 🍕'])('a letter to %s', async (name) => {
    const customer = { ...letter().customer, name };
    await expect(pdfOf('reminder', letter({ customer }))).rejects.toMatchObject({ code: 'unprintable' });
  });

  test('an address of ten lines', async () => {
    const customer = { name: 'Maison Perrault', addressLines: Array.from({ length: 10 }, (_, i) => `Ligne ${i}`) };
    await expect(pdfOf('reminder', letter({ customer }))).rejects.toMatchObject({ code: 'addressTooLong' });
  });

  test.each([
    ['reminder', { channel: 'email' }],
    ['thank-you', { paid: { amounts: [{ amount: '1.00', currency: 'EUR' }], numbers: ['F-1'] } }],
    ['plan-note', { channel: 'registeredLetter' }],
    ['reminder', { customer: { name: 'Sans adresse', addressLines: [] } }],
  ] as [string, Partial<MessageModel>][])('%s with %o', async (template, change) => {
    await expect(pdfOf(template, letter(change))).rejects.toMatchObject({ code: 'templateFailed' });
  });

  test('a template that does not exist', async () => {
    await expect(pdfOf('../letter', letter())).rejects.toMatchObject({ code: 'unknownTemplate' });
  });
});
