import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorsMarkdown, PROBLEMS } from '../../api/problem.ts';
import { listFiles } from '../../scripts/check/files.ts';
import { openapiDocument } from '../../scripts/write-openapi.ts';

const root = process.cwd();

test('the committed description of the API and its table of errors are current', async () => {
  const committed: unknown = JSON.parse(await readFile(join(root, 'docs/openapi.json'), 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(await openapiDocument())));
  expect(await readFile(join(root, 'docs/errors.md'), 'utf8')).toBe(errorsMarkdown());
});

/** Raised where no request leads: by the stack, by mail, or inside an import, where they stand in the rows. */
const NOT_OF_REQUESTS = new Set([
  'clockDiffers',
  'csvEmpty',
  'csvNoHeader',
  'csvTooManyColumns',
  'documentUnreadable',
  'exceedsReceipt',
  'messageInvalid',
  'notJson',
  'pdfEncrypted',
  'pdfTooLarge',
  'pdfUnreadable',
  'pdfWithoutXml',
  'signatureStale',
  'unknownMessage',
  'unknownTemplate',
  'webhookUnreadable',
  'xmlBroken',
  'xmlDoctype',
  'xmlEncoding',
  'xmlNotInvoice',
  'xmlTooDeep',
  'xmlTooLarge',
]);

test('every code a request can be refused with stands in the table', async () => {
  const missing: string[] = [];
  for (const path of await listFiles(root)) {
    if (!/^(domain|db|api)\/.*\.ts$/.test(path)) continue;
    const text = await readFile(join(root, path), 'utf8');
    for (const [, code = ''] of text.matchAll(/new DomainError\(\s*'([A-Za-z]+)'/g)) {
      if (!Object.hasOwn(PROBLEMS, code) && !NOT_OF_REQUESTS.has(code)) missing.push(`${path}: ${code}`);
    }
  }
  expect(missing).toEqual([]);
});
