import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DomainError } from '../../../domain/errors.ts';
import { isCurrency } from '../../../domain/money.ts';
import { readStatementSync } from '../../../domain/statement/read.ts';
import { isLocalDate } from '../../../domain/time/dates.ts';
import type { StatementEvent, StatementFormat } from '../../../domain/statement/transaction.ts';
import { balance, bytesOf, camt, detail, entry, PAYER, processorTime } from './fixtures.ts';
import { told, WRITERS } from './write.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2_000);
const FORMATS = Object.keys(WRITERS) as StatementFormat[];

const rich = camt({
  head: balance('OPBD', '1000.00') + balance('CLBD', '947.00'),
  entries: [
    entry({
      amount: '53.00',
      sign: 'DBIT',
      rest: '<RvslInd>true</RvslInd><AcctSvcrRef>B-1</AcctSvcrRef><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>',
      details: [
        '<Btch><NbOfTxs>2</NbOfTxs></Btch>',
        detail(
          `<Amt Ccy="EUR">30</Amt><AmtDtls><InstdAmt><Amt Ccy="EUR">50.00</Amt></InstdAmt></AmtDtls><Chrgs><Amt Ccy="EUR">3.00</Amt></Chrgs>
          <RltdPties><Dbtr><Pty><Nm>A &amp; B</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>${PAYER}</IBAN></Id></DbtrAcct></RltdPties>
          <RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>`,
        ),
        detail('<Amt Ccy="EUR">23</Amt><RmtInf><Ustrd><![CDATA[x]]></Ustrd></RmtInf>'),
      ],
    }),
  ],
});

const original: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constant(bytesOf(rich)),
  fc
    .tuple(fc.constantFrom(...FORMATS), fc.array(told, { maxLength: 4 }))
    .map(([format, all]) => bytesOf(WRITERS[format](all))),
);

/** A flipped byte, a cut, a piece twice, a piece of something else. */
type Damage = (bytes: Uint8Array) => Uint8Array;
const joined = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
const place = fc.double({ min: 0, max: 1, noNaN: true });
const foreign = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 20 }),
  fc
    .constantFrom(
      '<',
      '>',
      '&#x0;',
      '<!--',
      ']]>',
      '<![CDATA[',
      '</Ntry>',
      '<Ntry>',
      '\n',
      '\0',
      ':61:',
      ':86:',
      '-',
      '?',
      '"',
      ';',
      '99',
    )
    .map(bytesOf),
);
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, flip]): Damage => (bytes) => {
    const changed = bytes.slice();
    const index = Math.floor(at * (bytes.length - 1));
    changed[index] = bytes[index]! ^ flip;
    return changed;
  }),
  place.map(
    (at): Damage =>
      (bytes) =>
        bytes.slice(0, Math.ceil(at * bytes.length)),
  ),
  fc.tuple(place, place).map(([a, b]): Damage => (bytes) => {
    const [from, to] = [Math.min(a, b), Math.max(a, b)].map((at) => Math.floor(at * bytes.length)) as [number, number];
    return joined(bytes.slice(0, to), bytes.slice(from));
  }),
  fc.tuple(place, foreign).map(([at, more]): Damage => (bytes) => {
    const index = Math.floor(at * bytes.length);
    return joined(bytes.slice(0, index), more, bytes.slice(index));
  }),
);

/** Which promise of the normal form an event does not keep. */
function promiseBrokenBy(event: StatementEvent): string | null {
  if (event.kind === 'statement') return null;
  if (event.kind !== 'transaction') return /^[a-zA-Z0-9]+$/.test(event.record.code) ? null : 'code';
  const { amountMinor, bookedOn, valueOn, currency, remittance, counterparty, position } = event.transaction;
  if (amountMinor === 0n) return 'amount';
  if (!isLocalDate(bookedOn) || (valueOn !== null && !isLocalDate(valueOn))) return 'date';
  if (!isCurrency(currency)) return 'currency';
  if (position === '') return 'position';
  const texts = [remittance, counterparty.name, counterparty.account].filter((text) => text !== null);
  return texts.some((text) => /^\s|\s$|\s\s|\p{Cc}|^$/u.test(text)) ? 'text' : null;
}

/** What is told of a file, each event held to what it promises; null where the file is refused. */
function readSafely(bytes: Uint8Array, format: StatementFormat | undefined): number | null {
  let told = 0;
  try {
    for (const event of readStatementSync(bytes, { currency: 'EUR', ...(format ? { format } : {}) })) {
      told++;
      const broken = promiseBrokenBy(event);
      if (broken !== null) throw new Error(`${broken}: ${inspect(event)}`);
    }
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
  return told;
}

test(
  `${RUNS} damaged files are read or refused, and none takes more than it may`,
  { timeout: 60_000 + RUNS * 30 },
  () => {
    fc.assert(
      fc.property(
        original,
        fc.array(damage, { minLength: 1, maxLength: 5 }),
        fc.option(fc.constantFrom(...FORMATS), { nil: undefined }),
        (bytes, damages, format) => {
          const damaged = damages.reduce((file, change) => change(file), bytes);
          const told = readSafely(damaged, format);
          // Work grows with the file: no record is told twice, and none is shorter than two characters.
          expect(told ?? 0).toBeLessThanOrEqual(damaged.length + 3);
        },
      ),
      { numRuns: RUNS },
    );
  },
);

test('repeated pieces of a file take time in proportion to it', () => {
  for (const piece of [
    '<Ntry>',
    '</Ntry>',
    '<!--',
    '&amp;',
    ':61:',
    ':86:?20',
    '?20',
    ':',
    '0',
    '05',
    '"',
    ';',
    '\n',
    '\r',
    '-',
    '\0',
    ' ',
  ]) {
    const bytes = bytesOf(piece.repeat(Math.ceil(400_000 / piece.length)));
    for (const format of FORMATS) {
      const time = processorTime(() => void readSafely(bytes, format));
      expect([piece, format, time < 2_000]).toEqual([piece, format, true]);
    }
  }
});

test.each([
  ['mt940', ':60F:C261119EUR1,00\n:61:261120C1,00NTRFNONREF\n:86:/REMI/', '/', 'x\n'],
  ['mt940', ':60F:C261119EUR1,00\n:61:261120C1,00NTRFNONREF\n:86:166?20', ' EREF: ', '\n'],
  ['mt940', ':60F:C261119EUR1,00\n:61:261120C1,00NTRFNONREF\n:86:', 'MOTIF: DE: ', '\n'],
  ['csv', 'Date;Amount;', '(', ' x\n19/11/2026;1.25;\n'],
  ['csv', 'Date;Amount;Text\n19/11/2026;1.25;', ' MOTIF: /DE ', '\n'],
] as const)('a long text of %s takes time in proportion to it: %s%s', (format, before, piece, behind) => {
  const bytes = bytesOf(before + piece.repeat(60_000 / piece.length) + behind);
  expect(processorTime(() => void readSafely(bytes, format))).toBeLessThan(2_000);
});
