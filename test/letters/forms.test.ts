import { describe, expect, test } from 'vitest';
import {
  layoutClaimDeclaration,
  layoutClaimSheet,
  layoutStatementOfAccount,
  layoutTimeline,
  renderClaimDeclaration,
  renderClaimSheet,
  renderStatementOfAccount,
  renderTimeline,
  type ClaimDeclarationModel,
  type ClaimSheetModel,
  type StatementModel,
  type TimelineModel,
} from '../../activities/letters/index.ts';
import { load, readPages, wordsOf } from './reading.ts';

const creditor = {
  name: 'Ateliers Duvallon SAS',
  addressLines: ['12 rue des Tanneurs', '69007 Lyon'],
  registration: 'SIREN 123 456 789',
  email: 'compta@duvallon.example',
};
const debtor = { name: 'Maison Perrault & Fils', addressLines: ['4 place du Marché', '21000 Dijon'] };

const sheet: ClaimSheetModel = {
  locale: 'fr-FR',
  date: '2026-11-21',
  reference: 'P-88',
  creditor: { ...creditor, iban: 'FR76 3000' },
  debtor,
  contacts: [{ name: 'Camille Roux', role: 'Comptabilité', email: 'c@debtor.example', phone: '+33 3' }],
  claims: [
    {
      currency: 'EUR',
      invoices: [{ number: 'F-1', issuedOn: '2026-08-01', dueOn: '2026-09-30', total: '1500.00', open: '1200.00' }],
      principal: '1200.00',
      interest: '62.31',
      compensation: '40.00',
      total: '1302.31',
    },
  ],
  payments: [{ on: '2026-10-05', amount: '300.00', currency: 'EUR', invoiceNumber: 'F-1', reference: 'VIR 0510' }],
  history: [
    { on: '2026-10-05', what: 'E-mail', delivery: 'delivered' },
    { on: '2026-11-02', what: 'Mise en demeure', delivery: 'refused', tracking: '2C 123' },
  ],
  disputes: [{ openedOn: '2026-10-12', invoiceNumber: 'F-1', about: 'Quantité', amount: '300.00', currency: 'EUR' }],
  notices: [{ dispatchedOn: '2026-11-02', deliveredOn: '2026-11-04', deadline: '2026-11-12', tracking: '2C 123' }],
};

const declaration: ClaimDeclarationModel = {
  date: '2026-11-21',
  place: 'Lyon',
  reference: 'D-12',
  fromCountry: 'FR',
  creditor: { ...creditor, representative: 'La présidente' },
  debtor: { ...debtor, siren: '987 654 321' },
  trustee: { name: 'SELARL Dupont', addressLines: ['8 rue du Palais', '21000 Dijon'] },
  proceedings: 'receivership',
  judgmentOn: '2026-10-15',
  court: 'tribunal de commerce de Dijon',
  publishedOn: '2026-10-29',
  lastDay: '2026-12-29',
  currency: 'EUR',
  due: [
    {
      number: 'F-1',
      issuedOn: '2026-08-01',
      dueOn: '2026-09-30',
      principal: '1200.00',
      interest: '5.70',
      compensation: '40.00',
      total: '1245.70',
    },
  ],
  notYetDue: [{ number: 'F-3', issuedOn: '2026-10-01', dueOn: '2026-10-31', amount: '800.00' }],
  interestUntil: '2026-10-14',
  total: '2045.70',
};

const timeline: TimelineModel = {
  locale: 'de-DE',
  timeZone: 'Europe/Berlin',
  date: '2026-11-21',
  title: 'Verlauf der Rechnung',
  invoiceNumber: 'R-17',
  creditor: 'Werkstatt Jäger GmbH',
  rows: Array.from({ length: 60 }, (_, i) => ({
    at: Date.UTC(2026, 8, 1, 22, i, 5),
    event: 'Erinnerung',
    actor: 'Relance',
    summary: `Nachricht ${i} zugestellt`,
    hash: String(i).padStart(64, '0123456789abcdef'),
  })),
  headHash: 'ab'.repeat(32),
};

const statement: StatementModel = {
  locale: 'en-GB',
  date: '2026-11-21',
  from: '2026-01-01',
  to: '2026-11-20',
  creditor,
  customer: debtor,
  currency: 'EUR',
  opening: '-50.00',
  lines: Array.from({ length: 80 }, (_, i) => ({
    on: '2026-02-01',
    label: `Invoice ${i}`,
    debit: '100.00',
    credit: null,
    balance: `${(i + 1) * 100 - 50}.00`,
  })),
  closing: '7950.00',
};

const flat = (pages: string[][]): string =>
  pages
    .flat()
    .join('\n')
    .replace(/[\u00a0\u202f]/g, ' ');

describe('all forms', () => {
  test.each([
    ['claim sheet', () => renderClaimSheet(sheet)],
    ['declaration', () => renderClaimDeclaration(declaration)],
    ['timeline', () => renderTimeline(timeline)],
    ['statement', () => renderStatementOfAccount(statement)],
  ])('the %s is a PDF, byte for byte the same each time, with numbered pages', async (_, render) => {
    const bytes = await render();
    expect(Buffer.from(await render()).equals(Buffer.from(bytes))).toBe(true);
    const document = await load(bytes);
    expect(document.getCreationDate()).toEqual(new Date('2026-11-21T00:00:00Z'));
    const pages = await readPages(bytes);
    pages.forEach((page, i) => expect(page).toMatch(new RegExp(`(Page|Seite) ${i + 1}/${pages.length}`)));
    expect(pages.join('')).not.toMatch(/undefined|null|NaN|\[object/);
  });
});

describe('the claim sheet', () => {
  test.each(['fr-FR', 'de-DE', 'en-GB'])('has everything, in %s', (locale) => {
    const text = flat(wordsOf(layoutClaimSheet({ ...sheet, locale })));
    for (const part of [
      ...['Ateliers Duvallon SAS', 'Maison Perrault & Fils', 'P-88', 'FR76 3000', 'Camille Roux', 'F-1', 'VIR 0510'],
      ...['Quantité', '2C 123', 'Mise en demeure'],
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/1.?302[.,]31/);
    expect(text).toContain({ fr: 'refusé', de: 'verweigert', en: 'refused' }[locale.slice(0, 2)]!);
  });

  test('mentions neither interest nor compensation that is not claimed, and says what there is none of', () => {
    const [claim] = sheet.claims;
    const bare = { ...claim!, interest: null, compensation: null, total: '1200.00' };
    const empty = { ...sheet, claims: [bare], contacts: [], payments: [], history: [], disputes: [], notices: [] };
    const text = flat(wordsOf(layoutClaimSheet(empty)));
    expect(text).not.toMatch(/Intérêts|Indemnité|Frais/);
    expect(text.match(/Néant/g)).toHaveLength(5);
  });

  test('prints names the font does not have as code points', () => {
    const text = flat(wordsOf(layoutClaimSheet({ ...sheet, debtor: { ...debtor, name: 'שלום' } })));
    expect(text).toContain('[U+05E9 U+05DC U+05D5 U+05DD]');
  });
});

describe('the declaration of claims', () => {
  test('says what L622-25 asks for', () => {
    const text = flat(wordsOf(layoutClaimDeclaration(declaration)));
    for (const part of [
      ...['DÉCLARATION DE CRÉANCE', 'SELARL Dupont', '987 654 321', 'redressement judiciaire'],
      ...['15 octobre 2026, tribunal de commerce de Dijon', '29 décembre 2026', '1 245,70 €', '800,00 €', '2 045,70 €'],
      ...['14 octobre 2026 inclus', 'Fait à Lyon, le 21 novembre 2026', 'chirographaire', 'certifie sincère'],
    ]) {
      expect(text).toContain(part);
    }
  });

  test('without interest, place, notice or sums to come it is still whole', () => {
    const [one] = declaration.due;
    const due = [{ ...one!, interest: null, compensation: null, total: '1200.00' }];
    const model = {
      ...declaration,
      due,
      notYetDue: [],
      total: '1200.00',
      publishedOn: null,
      lastDay: null,
      place: null,
    };
    const text = flat(wordsOf(layoutClaimDeclaration(model)));
    expect(text).not.toMatch(/Intérêts|Indemnité|BODACC|au plus tard/);
    expect(text).toContain('Fait le 21 novembre 2026');
  });

  test.each([
    { total: '2045.71' },
    { due: [{ ...declaration.due[0]!, interest: '5.71' }] },
    { notYetDue: [] },
  ] as Partial<ClaimDeclarationModel>[])('is refused when it does not add up: %o', async (change) => {
    await expect(renderClaimDeclaration({ ...declaration, ...change })).rejects.toMatchObject({
      code: 'declarationBroken',
    });
  });

  test('is refused to a trustee whose name cannot be printed', async () => {
    const trustee = { ...declaration.trustee, name: '律师' };
    await expect(renderClaimDeclaration({ ...declaration, trustee })).rejects.toMatchObject({ code: 'unprintable' });
  });
});

describe('the timeline', () => {
  const pages = wordsOf(layoutTimeline(timeline));

  test('prints instants in its zone, short hashes, and the whole hash of the last event', () => {
    const text = flat(pages);
    expect(text).toContain('02.09.2026 00:00:05');
    expect(text).toContain('Europe/Berlin');
    expect(text).toContain('0123456789');
    expect(text).not.toContain('0123456789a');
    expect(text).toContain('ab'.repeat(32));
  });

  test('holds each event once, in order', () => {
    const summaries = pages.flat().filter((word) => word.startsWith('Nachricht'));
    expect(summaries).toEqual(timeline.rows.map((row) => row.summary));
  });

  test('cuts a summary that is longer than a page, and takes an empty one', () => {
    const summary = 'Ein sehr langer Vermerk. '.repeat(600);
    const long = wordsOf(layoutTimeline({ ...timeline, rows: [{ ...timeline.rows[0]!, summary }] }));
    expect(long.length).toBeGreaterThan(2);
    expect(
      long
        .flat()
        .join(' ')
        .match(/Vermerk/g),
    ).toHaveLength(600);
    expect(wordsOf(layoutTimeline({ ...timeline, rows: [], headHash: null }))).toHaveLength(1);
  });
});

describe('the statement of account', () => {
  test('carries its balance from page to page', () => {
    const pages = wordsOf(layoutStatementOfAccount(statement));
    expect(pages.length).toBeGreaterThan(1);
    const carried = (page: string[], label: string): string => page[page.indexOf(label) - 1]!;
    const out = carried(pages[0]!, 'Carried forward');
    expect(out).toMatch(/^€/);
    expect(carried(pages[1]!, 'Brought forward')).toBe(out);
    expect(flat(pages)).toContain('-€50.00');
    expect(carried(pages.at(-1)!, 'Closing balance')).toBe('€7,950.00');
  });

  test('says so when nothing happened', () => {
    const text = flat(wordsOf(layoutStatementOfAccount({ ...statement, lines: [], closing: '-50.00' })));
    expect(text).toContain('No entries in this period.');
  });

  test.each([{ closing: '7950.01' }, { opening: '0.00' }])('is refused when it does not add up: %o', async (change) => {
    await expect(renderStatementOfAccount({ ...statement, ...change })).rejects.toMatchObject({
      code: 'statementBroken',
    });
  });
});
