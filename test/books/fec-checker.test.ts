import { describe, expect, test } from 'vitest';
import { FRENCH_CHART } from '../../domain/books/chart.ts';
import { fecHeader, fecLines } from '../../domain/books/fec.ts';
import { checkFec } from './fec-checker.ts';

/** The checker finds what the regulation forbids: else its silence about a real file says nothing. */

const NAME = '552100554FEC20261231.txt';
const entry = (number: number, onDate = '2026-03-02', amountMinor = 120_000n) =>
  fecLines(
    {
      kind: 'invoiceRegistered',
      onDate,
      currency: 'EUR',
      number,
      validatedOn: '2026-04-01',
      piece: `F\t${number}`,
      pieceOn: onDate,
      postings: [
        { account: 'receivable', amountMinor },
        { account: 'sales', amountMinor: -amountMinor },
      ],
      invoice: {
        number: `F ${number}`,
        issuedOn: onDate,
        grossMinor: amountMinor,
        vatMinor: amountMinor / 6n,
        extinguishedMinor: 0n,
        creditedMinor: 0n,
        recoveredMinor: 0n,
        doubtful: false,
      },
      customer: { reference: 'C|1', name: 'Société\r\nÉtoile' },
    },
    FRENCH_CHART,
  );
const good = fecHeader() + entry(1) + entry(2);
const check = (text: string, name = NAME) => checkFec(name, Buffer.from(text, 'utf8'));

test('a file of ours is right, also where names hold separators', () => {
  expect(check(good)).toEqual([]);
  expect(good).toContain('C 1\tSociété Étoile\tF 1');
});

describe('what is wrong is found', () => {
  const faults: [what: string, text: string, name?: string][] = [
    ['the name', good, 'export.txt'],
    ['a closing date that is none', good, '552100554FEC20261331.txt'],
    ['a field out of order', good.replace('JournalCode\tJournalLib', 'JournalLib\tJournalCode')],
    ['a field too few', good.replace(/\t\t\r\n$/, '\t\r\n')],
    ['a date with hyphens', good.replaceAll('20260302', '2026-03-02')],
    ['an amount with a point', good.replace('1200,00', '1200.00')],
    ['an account without three digits', good.replace('\t411000\t', '\tCLIENT\t')],
    ['an account with two names', good.replace('\t411000\tClients\t', '\t411000\tAutres\t')],
    ['an empty piece', good.replace('\tF 1\t', '\t\t')],
    ['half a subsidiary account', good.replace('\tC 1\t', '\t\t')],
    ['an entry that does not balance', good.replace('1200,00', '1200,01')],
    ['a gap in the numbers', fecHeader() + entry(1) + entry(3)],
    ['an entry after the closing date', fecHeader() + entry(1, '2027-01-01')],
    ['an entry validated before its date', fecHeader() + entry(1, '2026-05-01')],
    ['a line that does not end', good.slice(0, -2)],
    ['another encoding', ''],
  ];
  for (const [what, text, name] of faults) {
    test(what, () => {
      const problems = text === '' ? checkFec(NAME, Buffer.from(good, 'latin1')) : check(text, name);
      expect(problems).not.toEqual([]);
    });
  }
});
