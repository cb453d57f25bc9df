import type { LocalDate } from '../../time/dates.ts';
import { amountOf, cleanText, isoDay, joinTexts, movedAmount, realId, RecordFault } from '../fields.ts';
import { frenchLabel } from '../french-label.ts';
import { isReturnCode } from '../return-reasons.ts';
import type { BookingStatus, Counterparty, Transaction } from '../transaction.ts';
import {
  bankCodeOf,
  chargesOf,
  signOf,
  told,
  type Charge,
  type Detail,
  type Party,
  type ToldAmount,
} from './details.ts';
import { child, isTrue, textOf, type XmlElement } from './elements.ts';
import type { CamtKind } from './walker.ts';

/** What an entry takes from the statement it stands in. */
export interface EntryFrame {
  source: CamtKind;
  account: string | null;
  /** For amounts that name none: the account's, or that of a balance. */
  currency: string | null;
  /** What the account is kept in, where that is told: an entry in another currency cannot be its. */
  accountCurrency: string | null;
  /** The day of an entry that names none. */
  bookedOn: LocalDate | null;
  /** `statement 1, entry 3`. */
  position: string;
}

/** An entry: what was booked, and the transactions that it consists of. */
export interface Entry {
  status: BookingStatus;
  amountMinor: bigint;
  currency: string;
  /** Several where its details add up to it; else one. */
  transactions: Transaction[];
  /** It has several details that do not add up to it, so that it is told as one. */
  detailsDiffer: boolean;
}

const STATUSES: Readonly<Record<string, BookingStatus>> = {
  BOOK: 'booked',
  PDNG: 'pending',
  FUTR: 'pending',
  INFO: 'information',
};

/** Sub-families of ISO 20022 that undo another transaction: unpaid, returned, reversed or cancelled. */
const UNDOING: ReadonlySet<string> = new Set(['UPDD', 'UPCQ', 'RRTN', 'PRDD', 'RCDD', 'RPCR']);

/** The German bank code, where it stands for itself: `NRTI+109+00931+914`. */
const isGermanReturn = (code: string | null): boolean =>
  code !== null && code.charCodeAt(4) === PLUS && isReturnCode(code.slice(5, 8));
const PLUS = 0x2b;

/**
 * The transactions of an `Ntry` with its `TxDtls`. Its own sign and amount are final: `RvslInd` only says that the original
 * went the other way. Throws a `RecordFault`: `currencyMissing`, `currencyMismatch`, `unknownCurrency`, `amountInvalid`, `amountZero`,
 * `tooManyDecimals`, `signInvalid`, `statusUnknown`, `dateInvalid`, `dateMissing`.
 *
 * `details` may be null where there were more than can be held: the entry is then told as one.
 */
export function readEntry(element: XmlElement, details: readonly Detail[] | null, frame: EntryFrame): Entry {
  const amount = told(child(element, 'Amt'));
  if (amount === null) throw new RecordFault('amountInvalid', 'The entry has no amount.');
  const currency = amount.currency ?? frame.currency;
  if (currency === null) throw new RecordFault('currencyMissing', 'Neither entry nor account name a currency.');
  const credit = signOf(element);
  if (credit === null) throw new RecordFault('signInvalid', 'The entry is neither a credit nor a debit.');
  const minor = movedAmount(amount.text, currency);
  if (frame.accountCurrency !== null && currency !== frame.accountCurrency) {
    throw new RecordFault('currencyMismatch', 'The entry is in another currency than its account.');
  }
  const valueOn = dayIn(child(element, 'ValDt'));
  const common: Common = {
    status: statusOf(element),
    bookedOn: bookedOn(element, frame.bookedOn ?? valueOn),
    valueOn,
    currency,
    account: frame.account,
    undoes: isTrue(element, 'RvslInd'),
    bankText: cleanText(textOf(element, 'AddtlNtryInf')),
    bankId: realId(textOf(element, 'AcctSvcrRef')),
    bankCode: bankCodeOf(element),
    charges: chargesOf(element),
    source: frame.source,
  };
  const signed = credit ? minor : -minor;
  const parts = details === null || details.length < 2 ? null : partsOf(details, credit, currency, signed);
  return {
    status: common.status,
    amountMinor: signed,
    currency,
    detailsDiffer: parts === null && (details === null || details.length > 1),
    transactions: parts?.map((part, index) =>
      // The bank's id of the whole entry is not the id of a part of it.
      transactionOf(
        { ...common, bankId: null, charges: [] },
        details![index]!,
        part,
        `${frame.position}, detail ${index + 1}`,
      ),
    ) ?? [transactionOf(common, merged(details ?? []), signed, frame.position)],
  };
}

/** What the transactions of one entry share. */
interface Common {
  status: BookingStatus;
  bookedOn: LocalDate;
  valueOn: LocalDate | null;
  currency: string;
  account: string | null;
  undoes: boolean;
  bankText: string | null;
  bankId: string | null;
  bankCode: string | null;
  charges: Charge[];
  source: CamtKind;
}

/** `Sts` is text until version 7 and `Sts/Cd` from 8 on; an entry without one is booked. */
function statusOf(element: XmlElement): BookingStatus {
  const told = textOf(element, 'Sts') ?? textOf(element, 'Sts', 'Cd') ?? textOf(element, 'Sts', 'Prtry');
  if (told === null) return 'booked';
  const status = Object.hasOwn(STATUSES, told) ? STATUSES[told] : undefined;
  if (status === undefined) throw new RecordFault('statusUnknown', 'The status of the entry is not known.');
  return status;
}

function bookedOn(element: XmlElement, otherwise: LocalDate | null): LocalDate {
  const day = dayIn(child(element, 'BookgDt')) ?? otherwise;
  if (day === null) throw new RecordFault('dateMissing', 'Neither entry nor statement name a day.');
  return day;
}

/** `Dt` or `DtTm`. Throws `dateInvalid`. */
export function dayIn(element: XmlElement | null): LocalDate | null {
  const text = textOf(element, 'Dt') ?? textOf(element, 'DtTm');
  return text === null ? null : isoDay(text);
}

/** The signed amounts of the details, each with its own sign, where they add up to the entry; else null. */
function partsOf(details: readonly Detail[], credit: boolean, currency: string, total: bigint): bigint[] | null {
  const parts: bigint[] = [];
  let sum = 0n;
  for (const { amount, counterValue, credit: own } of details) {
    const minor = readable(amount, currency) ?? readable(counterValue, currency);
    if (minor === null || minor === 0n) return null;
    const signed = (own ?? credit) ? minor : -minor;
    parts.push(signed);
    sum += signed;
  }
  return sum === total ? parts : null;
}

/** An amount in the entry's currency; null for none, for another currency, and for one that cannot be read. */
function readable(amount: ToldAmount | null, currency: string): bigint | null {
  if (amount === null || (amount.currency ?? currency) !== currency) return null;
  try {
    return amountOf(amount.text, currency);
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}

const NOBODY: Party = { name: null, ultimateName: null, account: null };

const NOTHING_TOLD: Detail = {
  credit: null,
  amount: null,
  counterValue: null,
  instructed: null,
  charges: [],
  debtor: NOBODY,
  creditor: NOBODY,
  structuredReferences: [],
  remittance: null,
  bankText: null,
  bankId: null,
  endToEndId: null,
  mandateId: null,
  returned: null,
  bankCode: null,
};

/** Several details of one transaction: their texts are all of it; who and which id can only be said of one. */
function merged(details: readonly Detail[]): Detail {
  if (details.length < 2) return details[0] ?? NOTHING_TOLD;
  return {
    ...NOTHING_TOLD,
    structuredReferences: [...new Set(details.flatMap((detail) => detail.structuredReferences))].slice(0, 100),
    remittance: joinTexts(details.map((detail) => detail.remittance).slice(0, 100)),
    bankText: joinTexts(details.map((detail) => detail.bankText).slice(0, 100)),
  };
}

function transactionOf(common: Common, detail: Detail, amountMinor: bigint, position: string): Transaction {
  const credit = amountMinor > 0n;
  const bankCode = detail.bankCode ?? common.bankCode;
  const undoes =
    detail.returned !== null || common.undoes || UNDOING.has(bankCode?.slice(-4) ?? '') || isGermanReturn(bankCode);
  const { feesMinor, originalMinor } = feesOf(common, detail, amountMinor);
  const bankText = joinTexts([common.bankText, detail.bankText]);
  const label = detail.remittance === null ? frenchLabel(bankText) : null;
  const counterparty = counterpartyOf(detail, credit, undoes, common.account);
  return {
    status: common.status,
    bookedOn: common.bookedOn,
    valueOn: common.valueOn,
    amountMinor,
    currency: common.currency,
    counterparty: label === null ? counterparty : { ...counterparty, name: counterparty.name ?? label.name },
    structuredReferences: detail.structuredReferences,
    remittance: label === null ? detail.remittance : label.remittance,
    bankText: label === null ? bankText : label.bankText,
    bankId: detail.bankId ?? common.bankId,
    endToEndId: detail.endToEndId,
    mandateId: detail.mandateId,
    returns: undoes
      ? {
          reasonCode: detail.returned?.reasonCode ?? null,
          originalBankId: null,
          // A return travels under the end-to-end id of what it returns.
          originalEndToEndId: detail.endToEndId,
          originalAmountMinor: originalMinor,
        }
      : null,
    feesMinor,
    bankCode,
    source: common.source,
    position,
  };
}

/**
 * Fees that the booked amount holds: where amount and charges make it up (a returned debit of 50.00 with 3.00 of fees books
 * 53.00; a transfer of 100.00 less 2.50 books 97.50), or where the bank says that it holds them.
 */
function feesOf(
  common: Common,
  detail: Detail,
  amountMinor: bigint,
): { feesMinor: bigint | null; originalMinor: bigint | null } {
  const told = readable(detail.instructed, common.currency);
  const original = told === null || told === 0n ? null : told;
  const charges = detail.charges.length > 0 ? detail.charges : common.charges;
  if (charges.length === 0) return { feesMinor: null, originalMinor: original };
  const booked = amountMinor > 0n ? amountMinor : -amountMinor;
  let fees = 0n;
  for (const charge of charges) {
    const minor = readable(charge, common.currency) ?? 0n;
    fees += charge.credit ? -minor : minor;
  }
  if (fees <= 0n) return { feesMinor: null, originalMinor: original };
  if (original !== null) {
    const netted = booked === original + fees || booked === original - fees;
    return { feesMinor: netted ? fees : null, originalMinor: original };
  }
  const included = charges.every((charge) => charge.included) && (amountMinor > 0n || booked > fees);
  if (!included) return { feesMinor: null, originalMinor: null };
  return { feesMinor: fees, originalMinor: amountMinor > 0n ? booked + fees : booked - fees };
}

/**
 * The other side: the debtor of a credit, the creditor of a debit. In a return most banks leave the parties in their old
 * roles, and some turn them around: then the other party counts, unless the account shows that this is us.
 */
function counterpartyOf(detail: Detail, credit: boolean, undoes: boolean, own: string | null): Counterparty {
  const [likely, other] = credit === undoes ? [detail.creditor, detail.debtor] : [detail.debtor, detail.creditor];
  if (isToldOf(likely) && !isUs(likely, own)) return likely;
  if (undoes && other.account !== null && !isUs(other, own)) return other;
  return NOBODY;
}

const isUs = ({ account }: Party, own: string | null): boolean => account !== null && account === own;

const isToldOf = (party: Party): boolean =>
  party.name !== null || party.ultimateName !== null || party.account !== null;
