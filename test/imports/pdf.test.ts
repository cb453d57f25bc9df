import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { PDFArray, PDFDict, PDFDocument, PDFName } from 'pdf-lib';
import { describe, expect, test, vi } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { readDocument, sniffFormat } from '../../domain/imports/imports.ts';
import { xmlFromPdf } from '../../domain/imports/pdf.ts';
import { cii, encryptedPdfWith, pdfWith, pdfWithLoopedTree, ubl } from './fixtures.ts';

const refusal = async (bytes: Uint8Array): Promise<string> => {
  try {
    await xmlFromPdf(bytes);
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'read';
};
const text = async (bytes: Uint8Array): Promise<string> => Buffer.from(await xmlFromPdf(bytes)).toString();

describe('the XML in a PDF', () => {
  const invoice = cii();

  test.each([true, false])(
    'is found by its root, not by its name or place (object streams: %s)',
    async (useObjectStreams) => {
      const bytes = await pdfWith(
        [
          { name: 'a.pdf', content: '%PDF-1.4' },
          { name: 'order.xml', content: '<Order/>' },
          { name: 'broken.xml', content: '<x' },
          { name: 'anything.bin', content: invoice },
        ],
        { useObjectStreams },
      );
      expect(await text(bytes)).toBe(invoice);
      expect(await readDocument(bytes)).toMatchObject({ line: 1, document: { number: 'R-1' } });
    },
  );

  test('UBL in a PDF is read too', async () => {
    const bytes = await pdfWith([{ name: 'xrechnung.xml', content: ubl('CreditNote', '') }]);
    expect(await readDocument(bytes)).toMatchObject({ document: { kind: 'creditNote', number: 'U-1' } });
  });

  test('under kids of the name tree, and among associated files alone', async () => {
    const moved = async (change: (document: PDFDocument, tree: PDFDict) => void): Promise<Uint8Array> => {
      const document = await PDFDocument.load(await pdfWith([{ name: 'a.xml', content: invoice }]));
      const names = document.catalog.lookup(PDFName.of('Names'), PDFDict);
      change(document, names.lookup(PDFName.of('EmbeddedFiles'), PDFDict));
      return document.save({ useObjectStreams: false });
    };
    const kids = await moved(({ catalog, context }, tree) => {
      const leaf = context.register(tree);
      catalog.delete(PDFName.of('AF'));
      catalog.set(PDFName.of('Names'), context.obj({ EmbeddedFiles: { Kids: [context.obj({ Kids: [leaf] })] } }));
    });
    const associated = await moved(({ catalog, context }, tree) => {
      const file = tree.lookup(PDFName.of('Names'), PDFArray).get(1);
      catalog.delete(PDFName.of('Names'));
      catalog.set(PDFName.of('AF'), context.obj([file]));
    });
    expect(await text(kids)).toBe(invoice);
    expect(await text(associated)).toBe(invoice);
  });

  test('is missing', async () => {
    expect(await refusal(await pdfWith([]))).toBe('pdfWithoutXml');
    expect(await refusal(await pdfWith([{ name: 'factur-x.xml', content: '<Order/>' }]))).toBe('pdfWithoutXml');
    expect(await refusal(await pdfWithLoopedTree())).toBe('pdfWithoutXml');
  });

  test('cannot be read because of encryption', async () =>
    expect(await refusal(await encryptedPdfWith([{ name: 'factur-x.xml', content: invoice }]))).toBe('pdfEncrypted'));

  test.each([
    ['no PDF', Buffer.from('hello')],
    ['nothing', new Uint8Array()],
    ['a header alone', Buffer.from('%PDF-1.7\n')],
    ['no catalog', Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 9 0 R>>\n%%EOF')],
  ])('is in a file that is unreadable: %s', async (_, bytes) => expect(await refusal(bytes)).toBe('pdfUnreadable'));

  test('is refused when the file is too large', async () =>
    expect(await refusal(new Uint8Array(30_000_001))).toBe('pdfTooLarge'));

  test('is not unpacked without bounds', async () => {
    const bomb = await pdfWith([{ name: 'factur-x.xml', content: `<Invoice>${' '.repeat(30_000_000)}</Invoice>` }]);
    expect(bomb.byteLength).toBeLessThan(100_000);
    expect(await refusal(bomb)).toBe('pdfWithoutXml');
  });

  test('object streams are measured before they are unpacked', async () => {
    const packed = deflateSync(new Uint8Array(101_000_000));
    const around = (dictionary: string): Uint8Array =>
      Buffer.concat([
        Buffer.from(`%PDF-1.7\n1 0 obj\n<<${dictionary} /N 1 /First 4 /Length ${packed.byteLength}>>\nstream\n`),
        packed,
        Buffer.from('\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF'),
      ]);
    expect(await refusal(around('/Type /ObjStm /Filter /FlateDecode'))).toBe('pdfTooLarge');
    expect(await refusal(around('/Type /Obj#53tm /Filter [/FlateDecode]'))).toBe('pdfTooLarge');
    expect(await refusal(around('/Type /ObjStm /Filter [/FlateDecode /FlateDecode]'))).toBe('pdfUnreadable');
    expect(await refusal(around('/Type /ObjStm /Filter 5 0 R'))).toBe('pdfUnreadable');
    expect(await refusal(around('/Type /ObjStm /A (0 obj) /Filter /LZWDecode'))).toBe('pdfUnreadable');
  });

  test('damage anywhere is a result or a refusal', async () => {
    // The PDF library says on the console where it goes on behind a broken object.
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const whole = await pdfWith([{ name: 'factur-x.xml', content: invoice }]);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 30 }), async (at, noise) => {
        const damaged = Uint8Array.from(whole);
        damaged.set(noise.subarray(0, whole.length - at), at);
        expect(await refusal(damaged)).toMatch(/^(read|pdf(Unreadable|WithoutXml|Encrypted|TooLarge))$/);
      }),
      { numRuns: 200 },
    );
  });
});

test('what a file is shows in its first bytes', async () => {
  expect(sniffFormat(await pdfWith([]))).toBe('pdf');
  expect(sniffFormat(Buffer.from('\r\n%PDF-1.4'))).toBe('pdf');
  expect(sniffFormat(Buffer.from(`\ufeff\n${cii()}`))).toBe('xml');
  expect(sniffFormat(Buffer.from(cii(), 'utf16le'))).toBe('xml');
  expect(sniffFormat(Buffer.from('number;amount'))).toBe('csv');
  await expect(readDocument(Buffer.from('number;amount'))).rejects.toMatchObject({ code: 'documentUnreadable' });
});
