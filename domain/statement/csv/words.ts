import { normalHeader } from '../../text/headers.ts';
import type { BookingStatus } from '../transaction.ts';

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const DEBIT = setOf(
  's soll d dr debit debet db dbit dbt af out ausgang debito addebito dare cargo adeudo debe uitgaand',
);
const CREDIT = setOf('h haben c cr crdt credit kredit cdt bij in eingang credito accredito avere abono haber inkomend');

/** Whether the word for a direction means a credit; null for none that is known. */
export function directionOf(text: string | null): boolean | null {
  const trimmed = text?.trim() ?? '';
  const word = normalHeader(trimmed);
  if (trimmed === '+' || CREDIT.has(word)) return true;
  return trimmed === '-' || DEBIT.has(word) ? false : null;
}

const FAILED =
  /declin|refus|reject|fail|cancel|annul|revert|abgelehnt|storniert|geweigerd|afgewezen|rifiutat|rechazad|odrzucon|expired/;
const PENDING =
  /pending|vorgemerkt|en attente|en cours|a venir|in behandeling|in sospeso|non contabilizzat|pendiente|processing|authori[sz]ed|ausstehend|offen|oczekuj/;

/** A status is a word or two; in a sentence such words may mean anything. */
const LONGEST_STATUS = 40;

/** What did not happen is only told; what is announced is pending; every other word means booked. */
export function statusOf(text: string | null): BookingStatus {
  if (text === null || text.length > LONGEST_STATUS) return 'booked';
  const word = normalHeader(text);
  if (FAILED.test(word)) return 'information';
  return PENDING.test(word) ? 'pending' : 'booked';
}

const BALANCES =
  'anfangs?saldo|endsaldo|alter kontostand|neuer kontostand|kontostand|opening balance|closing balance|beginning balance|' +
  'ending balance|balance brought forward|balance carried forward|solde (?:initial|final|precedent|de depart)|ancien solde|' +
  'nouveau solde|saldo (?:inicial|final|iniziale|finale|anterior|contabile|poczatkowe|koncowe)|beginsaldo|eindsaldo';
/** Nothing but a day may follow: payers write of balances, too. */
const BALANCE = new RegExp(`^(?:${BALANCES})(?: (?:as of|vom|per|am|au|at|on|du|le|op|del|al|z dnia))?(?: \\d+)*$`);

/** Whether a text says that its row is a balance and no transaction. */
export const isBalanceText = (text: string): boolean =>
  /sald|solde|balance|kontostand/i.test(text) && BALANCE.test(normalHeader(text));
