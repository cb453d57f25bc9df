import fc from 'fast-check';
import { formatAmount } from '../../../domain/money.ts';
import type { StatementFormat } from '../../../domain/statement/transaction.ts';
import { balance, camt, cfonb, detail, entry, punched } from './fixtures.ts';

/** What all formats can say of a transaction. */
export interface Told {
  bookedOn: string;
  valueOn: string;
  amountMinor: bigint;
  name: string | null;
  remittance: string | null;
  endToEndId: string | null;
}

const word = fc.stringMatching(/^[A-Za-z0-9äéßÖ.-]{1,8}$/).filter((text) => /[A-Za-z1-9]/.test(text));
const words = (most: number) => fc.array(word, { minLength: 1, maxLength: most }).map((all) => all.join(' '));
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const day = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2079-12-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

export const told: fc.Arbitrary<Told> = fc
  .record({
    bookedOn: day,
    // A booking is never half a year from its value date.
    valueOn: fc.constant(''),
    amountMinor: fc
      .oneof(fc.bigInt(1n, 99_999n), fc.bigInt(1n, 9_999_999_999n))
      .chain((minor) => fc.constantFrom(minor, -minor)),
    name: orNull(words(3).filter((text) => text.length <= 27)),
    remittance: orNull(words(6)),
    endToEndId: orNull(fc.stringMatching(/^E2E[0-9A-Z-]{1,20}$/)),
  })
  .chain((one) =>
    fc.integer({ min: -20, max: 20 }).map((days) => ({
      ...one,
      valueOn: new Date(Date.parse(one.bookedOn) + days * 86_400_000).toISOString().slice(0, 10),
    })),
  );

const decimal = (minor: bigint): string => formatAmount(minor < 0n ? -minor : minor, 'EUR');
const compact = (on: string): string => on.slice(2).replaceAll('-', '');
const sum = (all: readonly Told[]): bigint => all.reduce((total, { amountMinor }) => total + amountMinor, 0n);
const OPENING = 100_000n;

/** A statement that holds these, and adds up. */
export const WRITERS: Readonly<Record<StatementFormat, (all: readonly Told[]) => string>> = {
  'camt.052': (all) => writeCamt('BkToCstmrAcctRpt', all),
  'camt.053': (all) => writeCamt('BkToCstmrStmt', all),
  'camt.054': (all) => writeCamt('BkToCstmrDbtCdtNtfctn', all),
  cfonb120: (all) =>
    [
      cfonb({ kind: '01', amount: punched(OPENING) }),
      ...all.flatMap((one) => [
        cfonb({
          kind: '04',
          code: '05',
          on: french(one.bookedOn),
          valueOn: french(one.valueOn),
          amount: punched(one.amountMinor),
        }),
        ...(one.name === null
          ? []
          : [cfonb({ kind: '05', qualifier: one.amountMinor > 0n ? 'NPY' : 'NBE', text: one.name })]),
        ...(one.remittance === null ? [] : [cfonb({ kind: '05', qualifier: 'LCC', text: one.remittance })]),
        ...(one.endToEndId === null ? [] : [cfonb({ kind: '05', qualifier: 'RCN', text: one.endToEndId })]),
      ]),
      cfonb({ kind: '07', amount: punched(OPENING + sum(all)) }),
    ].join('\n'),
  mt940: (all) =>
    [
      ':20:X',
      ':25:1/2',
      `:60F:${swift(OPENING)}`,
      ...all.flatMap((one) => {
        const keywords = [
          one.endToEndId === null ? '' : `EREF+${one.endToEndId}`,
          one.remittance === null ? '' : `SVWZ+${one.remittance}`,
        ].filter((text) => text !== '');
        const subfields = keywords.flatMap((text) => text.match(/.{1,27}/g)!).map((text, i) => `?${20 + i}${text}`);
        return [
          `:61:${compact(one.valueOn)}${compact(one.bookedOn).slice(2)}${one.amountMinor > 0n ? 'C' : 'D'}` +
            `${decimal(one.amountMinor).replace('.', ',')}NTRFNONREF`,
          // Cut into lines of 65 characters, as SWIFT has it.
          ...`:86:166?00TEXT${subfields.join('')}${one.name === null ? '' : `?32${one.name}`}`.match(/.{1,65}/g)!,
        ];
      }),
      `:62F:${swift(OPENING + sum(all))}`,
      '-',
      '',
    ].join('\r\n'),
  csv: (all) => {
    let running = OPENING;
    const rows = all.map((one) => {
      running += one.amountMinor;
      const amount = (minor: bigint): string => `${minor < 0n ? '-' : ''}${decimal(minor).replace('.', ',')}`;
      const cells = [
        one.bookedOn,
        one.valueOn,
        amount(one.amountMinor),
        'EUR',
        one.name,
        one.remittance,
        one.endToEndId,
        amount(running),
      ];
      return cells.map((cell) => cell ?? '').join(';');
    });
    return ['Buchungstag;Valuta;Betrag;Währung;Name;Verwendungszweck;End-to-End-Referenz;Saldo', ...rows, ''].join(
      '\n',
    );
  },
};

const french = (on: string): string => on.slice(8) + on.slice(5, 7) + on.slice(2, 4);
const swift = (minor: bigint): string => `${minor < 0n ? 'D' : 'C'}261120EUR${decimal(minor).replace('.', ',')}`;

function writeCamt(
  message: 'BkToCstmrStmt' | 'BkToCstmrAcctRpt' | 'BkToCstmrDbtCdtNtfctn',
  all: readonly Told[],
): string {
  const closing = OPENING + sum(all);
  return camt({
    message,
    head: balance('OPBD', decimal(OPENING)) + balance('CLBD', decimal(closing), closing < 0n ? 'DBIT' : 'CRDT'),
    entries: all.map((one) => {
      const role = one.amountMinor > 0n ? 'Dbtr' : 'Cdtr';
      return entry({
        amount: decimal(one.amountMinor),
        sign: one.amountMinor > 0n ? 'CRDT' : 'DBIT',
        days: `<BookgDt><Dt>${one.bookedOn}</Dt></BookgDt><ValDt><Dt>${one.valueOn}</Dt></ValDt>`,
        details: [
          detail(
            (one.endToEndId === null ? '' : `<Refs><EndToEndId>${one.endToEndId}</EndToEndId></Refs>`) +
              (one.name === null ? '' : `<RltdPties><${role}><Nm>${one.name}</Nm></${role}></RltdPties>`) +
              (one.remittance === null ? '' : `<RmtInf><Ustrd>${one.remittance}</Ustrd></RmtInf>`),
          ),
        ],
      });
    }),
  });
}
