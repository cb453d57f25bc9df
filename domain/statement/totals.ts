import type { BalanceCheck, StatementSummary } from './transaction.ts';

/** Counts what a statement books and holds it against its balances. */
export class Totals {
  private readonly sums = new Map<string, bigint>();
  private entries = 0;

  /** An entry that moved money: once, however many transactions it consists of. */
  book(amountMinor: bigint, currency: string): void {
    this.entries++;
    this.sums.set(currency, (this.sums.get(currency) ?? 0n) + amountMinor);
  }

  /** The currency of the first entry; null before it. */
  get currency(): string | null {
    const [first] = this.sums.keys();
    return first ?? null;
  }

  summary(told: Omit<StatementSummary, 'entries' | 'sumMinor' | 'balance'>): StatementSummary {
    const sumMinor = this.sums.get(told.currency ?? '') ?? 0n;
    return { ...told, entries: this.entries, sumMinor, balance: this.check(told, sumMinor) };
  }

  private check(
    { opening, closing, currency }: Pick<StatementSummary, 'opening' | 'closing' | 'currency'>,
    sumMinor: bigint,
  ): BalanceCheck {
    const foreign = [...this.sums.keys()].some((one) => one !== currency);
    if (opening === null || closing === null || foreign) return 'unknown';
    return opening.amountMinor + sumMinor === closing.amountMinor ? 'holds' : 'broken';
  }
}

/** Of a whole file: one statement that is broken spoils it, a balance that is not told leaves it open. */
export function balanceOfFile(statements: readonly Pick<StatementSummary, 'balance'>[]): BalanceCheck {
  if (statements.some(({ balance }) => balance === 'broken')) return 'broken';
  return statements.length > 0 && statements.every(({ balance }) => balance === 'holds') ? 'holds' : 'unknown';
}
