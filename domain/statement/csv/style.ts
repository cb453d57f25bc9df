import { DecimalEvidence } from '../../text/amount-text.ts';
import type { CsvRecord } from '../../text/csv-records.ts';
import { DateOrderEvidence } from '../../text/date-text.ts';
import type { CsvColumns } from './columns.ts';
import { textAt, type Table } from './row.ts';
import { directionOf } from './words.ts';

/** First pass: what the columns show about decimal mark, date order and direction. */
export function styleOf(records: Iterable<CsvRecord>, columns: CsvColumns): Omit<Table, 'columns' | 'currency'> {
  const { places } = columns;
  const amounts = new DecimalEvidence();
  const balances = new DecimalEvidence();
  const dates = new DateOrderEvidence();
  // A column that is named so, or one of a kind of booking or without a header that holds nothing but directions.
  const named = places.get('direction')?.[0];
  const likely = new Set([...(places.get('bankText') ?? []), ...columns.unnamed]);
  const directions = new Set(named === undefined ? [...likely, ...columns.unknown] : [named]);
  let isSigned = false;
  let debits = 0;
  const account = places.get('account')?.[0];
  const accounts = new Set<string | null>();
  let rows = 0;
  for (const record of records) {
    if ('broken' in record) continue;
    rows++;
    for (const field of ['amount', 'debit', 'credit', 'balance'] as const) {
      const cell = textAt(record, places.get(field)?.[0]);
      if (cell !== null) (field === 'balance' ? balances : amounts).see(cell);
      if (field === 'amount' && cell !== null) isSigned ||= /[-\u2212(]/.test(cell);
    }
    for (const place of [...(places.get('bookedOn') ?? []), ...(places.get('valueOn') ?? [])]) {
      const cell = textAt(record, place);
      if (cell !== null) dates.see(cell);
    }
    for (const place of directions) {
      const isCredit = directionOf(textAt(record, place));
      if (isCredit === false) debits++;
      if (place !== named && isCredit === null) directions.delete(place);
    }
    if (account !== undefined && accounts.size < 2) accounts.add(textAt(record, account));
  }
  // A header that is not known says nothing: there the amounts must lack signs, and some be debits.
  const proven = [...directions].filter((place) => place === named || likely.has(place) || (!isSigned && debits > 0));
  const [direction = null] = places.has('amount') && rows > 0 ? proven : [];
  const { ownAccounts } = columns;
  const accountIsOwn = ownAccounts === 'yes' || (ownAccounts === 'perhaps' && rows > 1 && accounts.size === 1);
  const decimalMark = amounts.mark() ?? balances.mark();
  const balanceMark = balances.mark() ?? decimalMark;
  return { decimalMark, balanceMark, dateOrder: dates.order() ?? 'dayFirst', direction, accountIsOwn };
}
