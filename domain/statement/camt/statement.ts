import type { LocalDate } from '../../time/dates.ts';
import { amountOf, cleanText, isoDay, RecordFault } from '../fields.ts';
import { Totals } from '../totals.ts';
import type { RejectedRecord, StatementSummary } from '../transaction.ts';
import { accountIn, signOf, told } from './details.ts';
import { find, textOf, type XmlElement } from './elements.ts';
import { dayIn } from './entry.ts';

interface Balance {
  amountMinor: bigint;
  currency: string;
  on: LocalDate | null;
}

/** What a statement says of itself, gathered as its parts come in. */
export class CamtStatement {
  readonly position: number;
  readonly totals = new Totals();
  account: string | null = null;
  entries = 0;
  accountCurrency: string | null = null;
  private reference: string | null = null;
  private createdOn: LocalDate | null;
  private copy = false;
  private readonly balances = new Map<string, Balance>();

  /** `createdOn` is the message's day, for a statement that has none. */
  constructor(position: number, createdOn: LocalDate | null) {
    this.position = position;
    this.createdOn = createdOn;
  }

  /** The account's currency, or that of a balance. */
  get currency(): string | null {
    const [balance] = this.balances.values();
    return this.accountCurrency ?? balance?.currency ?? null;
  }

  /** The day of entries that name none: the closing balance's, else the one on which the statement was made. */
  get day(): LocalDate | null {
    return (this.balances.get('CLBD') ?? this.balances.get('ITBD'))?.on ?? this.createdOn;
  }

  /** Takes a part that is no entry. Throws a `RecordFault` for a balance that cannot be read. */
  take(part: XmlElement): void {
    switch (part.name) {
      case 'Id':
        this.reference = cleanText(part.text);
        break;
      case 'CreDtTm':
        this.createdOn = dayOrNull(part.text) ?? this.createdOn;
        break;
      case 'CpyDplctInd':
        this.copy = part.text.trim() !== '';
        break;
      case 'Acct':
        this.account = accountIn(find(part, 'Id'));
        this.accountCurrency = textOf(part, 'Ccy');
        break;
      case 'Bal':
        this.takeBalance(part);
        break;
      default:
    }
  }

  /** The first of a kind counts but for the closing one: pages repeat the opening balance. */
  private takeBalance(part: XmlElement): void {
    const code = textOf(part, 'Tp', 'CdOrPrtry', 'Cd') ?? textOf(part, 'Tp', 'Cd');
    if (code === null || !BALANCES.has(code) || (code !== 'CLBD' && this.balances.has(code))) return;
    const amount = told(find(part, 'Amt'));
    const currency = amount?.currency ?? this.accountCurrency;
    if (amount === null || currency === null) {
      throw new RecordFault('balanceInvalid', 'A balance has no amount or no currency.');
    }
    // No sign means credit.
    if (textOf(part, 'CdtDbtInd') !== null && signOf(part) === null) {
      throw new RecordFault('signInvalid', 'A balance is neither a credit nor a debit.');
    }
    const minor = amountOf(amount.text, currency);
    const on = dayIn(find(part, 'Dt'));
    this.balances.set(code, { amountMinor: signOf(part) === false ? -minor : minor, currency, on });
  }

  summary(): StatementSummary {
    const opening = this.balances.get('OPBD') ?? this.balances.get('PRCD') ?? null;
    const closing = this.balances.get('CLBD') ?? null;
    const currency = this.accountCurrency ?? this.totals.currency ?? (closing ?? opening)?.currency ?? null;
    const inCurrency = (balance: Balance | null) =>
      balance?.currency === currency ? { amountMinor: balance.amountMinor, on: balance.on } : null;
    return this.totals.summary({
      position: this.position,
      account: this.account,
      currency,
      reference: this.reference,
      opening: inCurrency(opening),
      closing: inCurrency(closing),
      copy: this.copy,
    });
  }

  balanceFault(fault: RecordFault, part: XmlElement): RejectedRecord {
    const code = textOf(part, 'Tp', 'CdOrPrtry', 'Cd') ?? textOf(part, 'Tp', 'Cd') ?? '';
    return fault.at(`statement ${this.position}, balance ${code}`);
  }
}

const BALANCES: ReadonlySet<string> = new Set(['OPBD', 'PRCD', 'CLBD', 'ITBD']);

/** The day of a time stamp that serves only where nothing better is told. */
export function dayOrNull(text: string | null): LocalDate | null {
  if (text === null) return null;
  try {
    return isoDay(text.trim());
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}
