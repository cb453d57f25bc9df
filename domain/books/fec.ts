import { formatAmount } from '../money.ts';
import { bookLines, type BookEntry } from './book-lines.ts';
import type { Chart } from './chart.ts';

/**
 * The fichier des écritures comptables: article A47 A-1 of the livre des procédures fiscales, VII-1°: eighteen fields in this
 * order, separated by tabs, a line each, dates as YYYYMMDD, amounts with a comma, in the order of validation. UTF-8.
 */
export const FEC_FIELDS = [
  'JournalCode',
  'JournalLib',
  'EcritureNum',
  'EcritureDate',
  'CompteNum',
  'CompteLib',
  'CompAuxNum',
  'CompAuxLib',
  'PieceRef',
  'PieceDate',
  'EcritureLib',
  'Debit',
  'Credit',
  'EcritureLet',
  'DateLet',
  'ValidDate',
  'Montantdevise',
  'Idevise',
] as const;

/** The currency that a FEC is kept in; what is in another one would need its rate of the day. */
export const FEC_CURRENCY = 'EUR';

export const fecHeader = (): string => `${FEC_FIELDS.join('\t')}\r\n`;

/** The lines of one entry. */
export function fecLines(entry: BookEntry, chart: Chart): string {
  return bookLines(entry, chart)
    .map(({ journal, account, customer, text, amountMinor }) => {
      const { number: code, label: journalLabel } = chart.journals[journal];
      const { number, label } = chart.accounts[account];
      return [
        code,
        journalLabel,
        String(entry.number),
        day(entry.onDate),
        number,
        label,
        customer?.reference ?? '',
        customer?.name ?? '',
        entry.piece,
        day(entry.pieceOn),
        text,
        decimal(amountMinor > 0n ? amountMinor : 0n, entry.currency),
        decimal(amountMinor < 0n ? -amountMinor : 0n, entry.currency),
        '',
        '',
        day(entry.validatedOn),
        '',
        '',
      ]
        .map(field)
        .join('\t');
    })
    .map((line) => `${line}\r\n`)
    .join('');
}

/** The name that the regulation asks for: SIREN, `FEC`, the last day. */
export const fecFilename = (siren: string, to: string): string => `${siren}FEC${day(to)}.txt`;

/** The SIREN in a French registration number: SIREN (9 digits) or SIRET (14), spaces and an RCS before it aside. */
export function sirenOf(registrationId: string | null): string | null {
  const digits = (registrationId ?? '').replaceAll(/\D/g, '');
  return digits.length === 9 || digits.length === 14 ? digits.slice(0, 9) : null;
}

const day = (date: string): string => date.replaceAll('-', '');
const decimal = (minor: bigint, currency: string): string => formatAmount(minor, currency).replace('.', ',');
/** A field holds no separator of fields or lines. */
const field = (text: string): string => text.replaceAll(/[\t\r\n|\u2028\u2029]+/g, ' ');
