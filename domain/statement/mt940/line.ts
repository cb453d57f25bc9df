import { daysBetween, isLocalDate, type LocalDate } from '../../time/dates.ts';
import { fullYear, movedAmount, realId, RecordFault } from '../fields.ts';

/** A statement line (`:61:`). */
export interface StatementLine {
  bookedOn: LocalDate;
  valueOn: LocalDate;
  amountMinor: bigint;
  /** It takes back another one (RC, RD). */
  reversal: boolean;
  /** How it was booked: `NTRF`, `NRTI`. */
  type: string | null;
  customerReference: string | null;
  bankId: string | null;
  /** What stands on the line below. */
  supplement: string;
}

/**
 * Value date (some banks write its century), booking day, mark with the letter of the funds, amount (some write a point),
 * type, references.
 */
const LINE =
  /^(?:20(?=\d{6}(?:\d{4})? ?R?[CD]))?(?<value>\d{6})(?<booked>\d{4})? ?(?<mark>R?[CD])(?<funds>[A-Z])? ?(?<amount>\d{1,15}[.,]\d{0,5}|[.,]\d{1,5})(?![\d.,]) ?(?<type>[NFS][A-Z0-9]{3})?(?<rest>.*)$/;

/**
 * Reads a `:61:`. One whose first line is no whole one may have been wrapped, so that the next lines are tried with it.
 * Throws a `RecordFault`: `lineInvalid`, `dateInvalid`, `amountInvalid`, `amountZero`, `tooManyDecimals`, `unknownCurrency`.
 */
export function readLine(lines: readonly string[], currency: string): StatementLine {
  for (let taken = 1; taken <= Math.min(lines.length, 3); taken++) {
    const parts = LINE.exec(lines.slice(0, taken).join('').trimEnd())?.groups;
    if (parts) return lineOf(parts, lines.slice(taken).join(' '), currency);
  }
  throw new RecordFault('lineInvalid', 'The statement line is not of the form date, mark, amount.');
}

function lineOf(parts: Partial<Record<string, string>>, supplement: string, currency: string): StatementLine {
  const { value = '', booked, mark = '', amount = '', type, rest = '' } = parts;
  const valueOn = valueDay(value);
  const minor = movedAmount(amount, currency);
  const [customerReference = '', bankId = ''] = rest.split('//', 2);
  // A reversed credit takes money away, a reversed debit brings it.
  const credit = mark === 'C' || mark === 'RD';
  return {
    bookedOn: booked === undefined ? valueOn : bookingDay(booked, valueOn),
    valueOn,
    amountMinor: credit ? minor : -minor,
    reversal: mark.length === 2,
    type: type ?? null,
    // EREF, PREF and MARF stand for what the text says.
    customerReference: /^(?:EREF|PREF|MARF|KREF)$/.test(customerReference.trim()) ? null : realId(customerReference),
    bankId: realId(bankId),
    supplement,
  };
}

/** `yymmdd`. Banks that count months of 30 days value on 29 and 30 February: that is its last day. Throws `dateInvalid`. */
function valueDay(text: string): LocalDate {
  const [year, month, day] = [fullYear(text.slice(0, 2)), text.slice(2, 4), text.slice(4, 6)];
  const days = month === '02' && (day === '30' || day === '29') ? [day, '29', '28'] : [day];
  const found = days.map((one) => `${year}-${month}-${one}`).find(isLocalDate);
  if (found === undefined) throw new RecordFault('dateInvalid', 'A date is not one that exists.');
  return found;
}

/** `mmdd` in the year that brings it next to the value date: around New Year that is another one. Throws `dateInvalid`. */
function bookingDay(text: string, valueOn: LocalDate): LocalDate {
  const year = Number(valueOn.slice(0, 4));
  const days = [year - 1, year, year + 1]
    .map((one) => `${one}-${text.slice(0, 2)}-${text.slice(2, 4)}`)
    .filter(isLocalDate)
    .sort((a, b) => Math.abs(daysBetween(a, valueOn)) - Math.abs(daysBetween(b, valueOn)));
  if (days[0] === undefined) throw new RecordFault('dateInvalid', 'A date is not one that exists.');
  return days[0];
}
