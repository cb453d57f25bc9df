import { isSameAccount } from './account.ts';
import { normaliseToken } from '../matching/tokens.ts';
import { addDays, type LocalDate } from '../time/dates.ts';
import type { BookingStatus, SourceKind, Transaction } from './transaction.ts';

/**
 * Which transactions told by different sources are one (reference: bank-mail-matching, "Duplicates across sources"). One
 * payment comes by webhook, in the interim report (052), the advice (054) and the statement (053); each of ten equal ones
 * must stay one of ten. So each source counts for itself, and the account has the most that any of them told.
 */

/** A transaction that is known, with the documents in which it was told. */
export interface KnownTransaction {
  id: string;
  status: BookingStatus;
  bookedOn: LocalDate;
  counterpartyName: string | null;
  counterpartyAccount: string | null;
  remittance: string | null;
  bankId: string | null;
  endToEndId: string | null;
  /** A document is a file, or the stream of messages of a feed. */
  sightings: { document: string; source: SourceKind }[];
}

export type Sameness =
  | { kind: 'new' }
  /** It is this one; `books` where it was announced before and is booked now. */
  | { kind: 'same'; id: string; books: boolean }
  /** It may be one of these: a person looks. */
  | { kind: 'unclear'; ids: string[] };

/** Days between the booking dates that two kinds of sources give to one transaction, at most. */
export const DATE_WINDOW = 3;

/**
 * What a transaction told in a document is, among the known ones of the same account, amount and currency within
 * `DATE_WINDOW`. What the document told before is one each: it is never told twice in one.
 */
export function sameness(told: Transaction, document: string, known: readonly KnownTransaction[]): Sameness {
  const candidates = known
    .filter((one) => one.sightings.every((sighting) => sighting.document !== document))
    .map((one) => ({ one, likeness: likeness(told, one) }))
    .filter(({ likeness: found }) => found !== 'different');
  const best = nearest(
    told,
    candidates.filter(({ likeness: found }) => found === 'same').map(({ one }) => one),
  );
  if (best) return { kind: 'same', id: best.id, books: best.status !== 'booked' && told.status === 'booked' };
  if (candidates.length === 0) return { kind: 'new' };
  return { kind: 'unclear', ids: candidates.map(({ one }) => one.id) };
}

type Likeness = 'same' | 'unclear' | 'different';

function likeness(told: Transaction, one: KnownTransaction): Likeness {
  const sameKind = one.sightings.some(({ source }) => source === told.source);
  const settles = one.status !== 'booked' || told.status !== 'booked';
  const days = daysApart(told.bookedOn, one.bookedOn);
  // A source that tells a transaction again dates it as before; what was only announced may be booked later.
  if (days > DATE_WINDOW || (sameKind && !settles && days > 0)) return 'different';

  const ids = agreement(told.bankId, one.bankId);
  const endToEnd = agreement(told.endToEndId, one.endToEndId);
  const account = accountsAgree(told.counterparty.account, one.counterpartyAccount);
  const isOther = endToEnd === 'differ' || account === 'differ';
  // Ids of one kind of source are the bank's; those of two kinds need not be written alike. They recur, so that one alone
  // does not outweigh another payer.
  if (ids === 'agree') return isOther ? 'unclear' : 'same';
  if (isOther || (ids === 'differ' && sameKind)) return 'different';
  if (endToEnd === 'agree') return 'same';

  const texts = textsAgree(told.remittance, one.remittance);
  const names = textsAgree(told.counterparty.name, one.counterpartyName);
  if (texts === 'agree') return 'same';
  if (texts === 'doubtful') return 'unclear';
  if (texts === 'differ') return names === 'agree' || account === 'agree' ? unlessSame(sameKind) : 'different';
  // One of them has no text: then whoever paid, or nothing else at all, must be the same.
  if (account === 'agree' || names === 'agree') return 'same';
  if (names === 'differ') return 'different';
  return days === 0 ? 'same' : 'unclear';
}

/** Two texts of one payer on one day are two payments where one source tells both, and may be one told in two ways else. */
const unlessSame = (sameKind: boolean): Likeness => (sameKind ? 'different' : 'unclear');

function agreement(a: string | null, b: string | null): 'agree' | 'differ' | 'unknown' {
  if (a === null || b === null) return 'unknown';
  return normaliseToken(a) === normaliseToken(b) ? 'agree' : 'differ';
}

/** One format tells the IBAN, another one the account number that is a part of it. */
function accountsAgree(a: string | null, b: string | null): 'agree' | 'differ' | 'unknown' {
  if (a === null || b === null) return 'unknown';
  return isSameAccount(a, b) || isSameAccount(b, a) ? 'agree' : 'differ';
}

/**
 * Banks cut, join and prefix texts: one that holds the other is the same, and so are two that share a word with a digit
 * in it. Where one ends within a number of the other it may be cut, or another number: `F-2026-1` and `F-2026-12`.
 */
function textsAgree(a: string | null, b: string | null): 'agree' | 'differ' | 'doubtful' | 'unknown' {
  if (a === null || b === null) return 'unknown';
  const [one, other] = [normaliseToken(a), normaliseToken(b)];
  if (one === '' || other === '') return 'unknown';
  const [long, short] = one.length >= other.length ? [one, other] : [other, one];
  const at = long.indexOf(short);
  if (at >= 0 && !partsNumber(long, at) && !partsNumber(long, at + short.length)) return 'agree';
  const words = (text: string): Set<string> =>
    new Set(
      text
        .split(/\s+/)
        .map(normaliseToken)
        .filter((word) => word.length >= 4 && /\d/.test(word)),
    );
  const mine = words(a);
  const theirs = words(b);
  if ([...mine].some((word) => theirs.has(word))) return 'agree';
  return at >= 0 ? 'doubtful' : 'differ';
}

const partsNumber = (text: string, at: number): boolean => /^\d{2}$/.test(text.slice(Math.max(0, at - 1), at + 1));

function nearest(told: Transaction, same: readonly KnownTransaction[]): KnownTransaction | null {
  return [...same].sort((a, b) => rank(told, a) - rank(told, b))[0] ?? null;
}

/** The same id first, then the very same text, then the same day, then the nearest one. */
const rank = (told: Transaction, one: KnownTransaction): number =>
  (agreement(told.bankId, one.bankId) === 'agree' ? 0 : 100) +
  (agreement(told.remittance, one.remittance) === 'agree' ? 0 : 10) +
  daysApart(told.bookedOn, one.bookedOn);

function daysApart(a: LocalDate, b: LocalDate): number {
  const [early, late] = a < b ? [a, b] : [b, a];
  for (let days = 0; days <= DATE_WINDOW; days += 1) if (addDays(early, days) === late) return days;
  return DATE_WINDOW + 1;
}
