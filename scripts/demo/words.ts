import { dayNumber, weekday, type LocalDate } from '../../domain/time/dates.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import { DAY_ZERO } from './book.ts';

/** The zone of the demo's creditor: its days are the days of the story. */
export const ZONE = 'Europe/Paris';

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14 Jan` */
export const shortDate = (date: LocalDate): string =>
  `${Number(date.slice(8))} ${MONTHS[Number(date.slice(5, 7)) - 1]}`;

/** `day 12 · Fri 13 Mar · ` and what happened. */
export function storyLine(at: Instant, text: string): string {
  const date = localDate(at, ZONE);
  const day = dayNumber(date) - dayNumber(DAY_ZERO);
  const name = WEEKDAYS[weekday(date) - 1] ?? '';
  return `day ${String(day).padStart(2)} · ${name} ${shortDate(date).padStart(6)} · ${text}`;
}

/** `1 200,00 €` */
export function money(amount: string, currency: string): string {
  const [whole = '0', cents = ''] = amount.split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ' ');
  const sign = currency === 'EUR' ? '€' : currency === 'GBP' ? '£' : currency;
  return `${grouped}${cents === '' ? '' : `,${cents}`} ${sign}`;
}

/** `a, b and c` */
export function list(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
