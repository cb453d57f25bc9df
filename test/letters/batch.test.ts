import { expect, test } from 'vitest';
import { manifestCsv, renderBatch, renderLetterMessage, type ManifestRow } from '../../activities/letters/index.ts';
import { FRENCH, letter, table } from './models.ts';
import { load, readPages } from './reading.ts';

const pdfOf = async (name: string, rows: number): Promise<Uint8Array> => {
  const model = letter({ customer: { ...letter().customer, name }, tables: [table(rows)] });
  return (await renderLetterMessage('reminder', model, FRENCH)).pdf;
};
const letters = async (): Promise<Uint8Array[]> => [
  await pdfOf('Première', 2),
  await pdfOf('Deuxième', 30),
  await pdfOf('Troisième', 3),
];
const BATCH = { title: 'Print batch 12', date: '2026-11-21' };

test('letters follow each other, and the batch knows their pages', async () => {
  const { pdf, pages } = await renderBatch(await letters(), BATCH);
  expect(pages).toEqual([
    { from: 1, to: 1 },
    { from: 2, to: 3 },
    { from: 4, to: 4 },
  ]);
  const read = await readPages(pdf);
  expect(read.map((page) => /Page \d\/\d/.exec(page)?.[0])).toEqual(['Page 1/1', 'Page 1/2', 'Page 2/2', 'Page 1/1']);
  for (const [i, name] of ['Première', 'Deuxième', 'Troisième'].entries()) {
    expect(read[pages[i]!.from - 1]).toContain(name);
  }
});

test('for both sides of the paper each letter begins on a sheet of its own', async () => {
  const { pdf, pages } = await renderBatch(await letters(), { ...BATCH, duplex: true });
  expect(pages).toEqual([
    { from: 1, to: 1 },
    { from: 3, to: 4 },
    { from: 5, to: 5 },
  ]);
  expect((await load(pdf)).getPageCount()).toBe(6);
});

test('equal letters give equal bytes; none are refused', async () => {
  const [first, second] = [await renderBatch(await letters(), BATCH), await renderBatch(await letters(), BATCH)];
  expect(Buffer.from(first.pdf).equals(Buffer.from(second.pdf))).toBe(true);
  await expect(renderBatch([], BATCH)).rejects.toMatchObject({ code: 'batchEmpty' });
});

const row = (change: Partial<ManifestRow> = {}): ManifestRow => ({
  contactId: 'con_1',
  pages: { from: 3, to: 4 },
  channel: 'registeredLetter',
  recipient: 'Maison Perrault & Fils',
  addressLines: ['4 place du Marché'],
  postalCode: '21000',
  city: 'Dijon',
  country: 'FR',
  ...change,
});

test('the manifest names contact, pages and address of each letter', () => {
  expect(manifestCsv([row()])).toBe(
    '\ufeffcontactId,pageFrom,pageTo,channel,recipient,address1,address2,address3,address4,postalCode,city,country,trackingNumber\r\n' +
      'con_1,3,4,registeredLetter,Maison Perrault & Fils,4 place du Marché,,,,21000,Dijon,FR,\r\n',
  );
});

test('quotes, line breaks and formulas in it are harmless, and no address line is lost', () => {
  const recipient = '=HYPERLINK("http://x.example","Y")';
  const addressLines = ['@A1', 'b, c', 'd\ne', 'f', 'g'];
  const [, line] = manifestCsv([row({ recipient, addressLines })]).split('\r\n');
  expect(line).toBe(
    `con_1,3,4,registeredLetter,"'=HYPERLINK(""http://x.example"",""Y"")",'@A1,"b, c","d\ne","f, g",21000,Dijon,FR,`,
  );
});
