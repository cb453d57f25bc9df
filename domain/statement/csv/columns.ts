import { DomainError } from '../../errors.ts';
import { normalHeader } from '../../text/headers.ts';
import { readMapping } from '../../text/mapping.ts';
import { FIELDS, isField, knownHeader, type CsvField } from './headers.ts';

export type { CsvField } from './headers.ts';

/** The header of each field, as the file has it; a field that is left out is recognised by the names that banks use. */
export type CsvMapping = Partial<Readonly<Record<CsvField, string>>>;

/** Reads the API's column grammar for a bank's table (`readMapping`): one header a field. Throws `columnsInvalid`. */
export function parseMapping(text: string): CsvMapping {
  const read = readMapping(text, { fields: FIELDS, isField, takesSeveral: (_field: CsvField) => false });
  return Object.fromEntries([...read].map(([field, [header]]) => [field, header!]));
}

/** Where each field stands in a record: the column that names it best first. */
export interface CsvColumns {
  places: ReadonlyMap<CsvField, readonly number[]>;
  /** Columns without a header. */
  unnamed: readonly number[];
  /** Columns whose header names nothing that is known. */
  unknown: readonly number[];
  /** What the header of the amounts says that they are in. */
  currency: string | null;
  /**
   * Whether the accounts are our own: `perhaps` under a header by which banks mean either, `yes` where such a column is the
   * first.
   */
  ownAccounts: 'yes' | 'perhaps' | 'no';
}

const AMOUNTS: ReadonlySet<CsvField> = new Set(['amount', 'debit', 'credit']);

/** Columns by the mapping, exactly or without regard to case and punctuation, and by their names where it is silent. */
export function columnsIn(headers: readonly string[], mapping: CsvMapping): CsvColumns {
  const normal = headers.map(normalHeader);
  const places = new Map<CsvField, number[]>();
  for (const field of FIELDS) {
    const header = mapping[field];
    if (header === undefined) continue;
    const exact = headers.findIndex((one) => one.trim() === header.trim());
    const place = exact >= 0 ? exact : normal.indexOf(normalHeader(header));
    if (place >= 0) places.set(field, [place]);
  }
  const taken = new Set([...places.values()].flat());
  const unnamed: number[] = [];
  const unknown: number[] = [];
  const found = headers.flatMap((header, place) => {
    if (taken.has(place)) return [];
    const known = knownHeader(header);
    if (known === null) (header.trim() === '' ? unnamed : unknown).push(place);
    return known === null || mapping[known.field] !== undefined ? [] : [{ ...known, place }];
  });
  found.sort((a, b) => a.rank - b.rank || a.place - b.place);
  for (const { field, place } of found) places.set(field, [...(places.get(field) ?? []), place]);
  const inHeader = found.find(({ field, place }) => AMOUNTS.has(field) && places.get(field)![0] === place);
  const account = mapping.account === undefined ? places.get('account')?.[0] : undefined;
  const ownAccounts = account === undefined ? 'no' : ownership(normal[account]!, account);
  return { places, unnamed, unknown, currency: inHeader?.currency ?? null, ownAccounts };
}

function ownership(header: string, place: number): CsvColumns['ownAccounts'] {
  if (place === 0 && /^(?:account(?: number)?|iban|kontonummer|numer konta)$/.test(header)) return 'yes';
  return /^account(?: number)?$/.test(header) ? 'perhaps' : 'no';
}

/** Whether a line is the header of a bank's table: it has a day and an amount. */
export const isHeader = ({ places }: CsvColumns): boolean =>
  places.has('bookedOn') && [...AMOUNTS].some((field) => places.has(field));

/** Throws `columnMissing` for a header that the mapping names and the file has not. */
export function checkMapping({ places }: CsvColumns, mapping: CsvMapping): void {
  for (const field of FIELDS) {
    if (mapping[field] !== undefined && !places.has(field)) {
      throw new DomainError('columnMissing', `The file has no header "${mapping[field].slice(0, 60)}" for ${field}.`);
    }
  }
}
