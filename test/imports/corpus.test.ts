import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { readCsv } from '../../domain/imports/csv.ts';
import { readDocument } from '../../domain/imports/imports.ts';

/** Files that nobody in this project wrote; they are no part of the product, so a checkout may lack them. */
const corpus = process.env['CORPUS_DIR'] ?? path.resolve(import.meta.dirname, '../../../shared/data');
const absent = !existsSync(corpus);
const why = absent ? ` (skipped: no test data at CORPUS_DIR or ${corpus})` : '';

/** kind, number, issued, due and its source, amount, currency, customer, corrected invoice; else the code of the refusal. */
async function summary(file: string): Promise<string> {
  try {
    const result = await readDocument(readFileSync(path.join(corpus, 'e-invoices', file)));
    if (!('document' in result)) return result.faults.map(({ code }) => code).join(' ');
    const { document: d } = result;
    const debit = d.collection?.method === 'directDebit' ? ` debited ${d.collection.on}` : '';
    return `${d.kind} ${d.number} ${d.issuedOn} due ${d.dueOn} (${d.dueOnSource}) ${d.amount} ${d.currency} ${d.customer.name}${d.correctsNumber ? ` corrects ${d.correctsNumber}` : ''}${debit}`;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

test.skipIf(absent)(`the shared e-invoices${why}`, async () => {
  const files = readdirSync(path.join(corpus, 'e-invoices')).toSorted();
  const table = Object.fromEntries(await Promise.all(files.map(async (file) => [file, await summary(file)])));
  expect(table).toEqual({
    'EN16931_Einfach.ubl.xml': 'invoice 471102 2018-03-05 due 2018-04-04 (terms) 529.87 EUR Kunden AG Mitte',
    'EN16931_Elektron.cii.xml': 'invoice 181301674 2018-04-25 due 2018-04-25 (terms) 300.00 EUR ConsultingService GmbH',
    'EN16931_Kraftfahrversicherung_Bruttopreise.ubl.xml':
      'invoice 00.123.456.7-2018-1 2018-03-11 due null (none) 440.00 EUR Herrn Max Mustermann',
    'EN16931_Physiotherapeut.cii.xml':
      'invoice R18-31 2018-10-03 due 2018-11-21 (document) 380.00 EUR Liselotte Müller',
    'EN16931_SEPA_Prenotification.ubl.xml':
      'invoice 471102 2018-03-05 due 2018-03-20 (terms) 529.87 EUR Kunden AG Mitte debited 2018-03-20',
    'Facture_UE_BASICWL.pdf': 'invoice FA-2017-0008 2017-11-03 due 2017-12-03 (document) 1453.76 EUR Me gusta olive',
    'XRECHNUNG_Einfach.cii.xml': 'invoice 471102 2024-11-15 due 2024-12-15 (terms) 529.87 EUR Kunden AG Mitte',
    'zugferd_2p0_BASIC_Einfach.pdf': 'invoice 471102 2018-03-05 due 2018-04-04 (document) 235.62 EUR Kunden AG Mitte',
    'zugferd_2p0_EN16931_Betriebskostenabrechnung.pdf':
      'invoice 471102 2018-03-05 due 2018-04-04 (document) 502.63 EUR Beispielmieter GmbH',
    'zugferd_2p0_EN16931_Kraftfahrversicherung_Bruttopreise.pdf':
      'invoice 00.123.456.7-2018-1 2018-03-11 due null (none) 440.00 EUR Herrn Max Mustermann',
    'zugferd_2p0_EN16931_Rechnungskorrektur.pdf':
      'creditNote RK21012345 2018-09-16 due null (none) 8.79 EUR MUSTER-KUNDE GMBH corrects R87654321012345',
    'zugferd_2p0_EXTENDED_Rechnungskorrektur.pdf':
      'creditNote RK21012345 2018-09-16 due null (none) 8.79 EUR MUSTER-KUNDE GMBH',
  });
});

describe.skipIf(absent)(`the shared tables${why}`, () => {
  const mapped =
    'number="Document Number",references="Billing Number"+"Assignment Number",customer.reference="Customer ID",' +
    'customer.name="Customer Name",amount=Amount,currency="Currency Code",issuedOn="Document Date",dueOn="Due Date"';

  test.each([
    ['single', mapped, 9_696, 8_421, 1_275],
    ['single', 'number=Document Number,references=Billing Number+Assignment Number', 9_696, 8_421, 1_275],
    ['single', '', 9_696, 8_421, 1_275],
    ['multi', mapped, 9_633, 8_375, 1_258],
  ])('%s_invoices.csv with columns %j', (name, columns, count, accepted, rejected) => {
    const bytes = readFileSync(path.join(corpus, 'payments-to-invoices', `${name}_invoices.csv`));
    const table = readCsv(bytes, { columns });
    const numbers = new Set<string>();
    const refused: string[] = [];
    const lines = new Set<number>();
    for (const row of table.rows) {
      lines.add(row.line);
      if ('document' in row) {
        numbers.add(row.document.number);
        expect(row.document.references).toHaveLength(2);
        expect(row.document.dueOnSource).toBe('document');
      } else refused.push(...row.faults.map(({ code, message }) => `${code} ${/\b(JPY|KRW)\b/.test(message)}`));
    }
    expect(table.rowCount).toBe(count);
    expect([Math.min(...lines), Math.max(...lines), lines.size]).toEqual([2, count + 1, count]);
    expect([numbers.size, refused.length]).toEqual([accepted, rejected]);
    expect(new Set(refused)).toEqual(new Set(['tooManyDecimals true']));
  });
});
