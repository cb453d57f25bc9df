import { parseAmount } from '../money.ts';
import type { LocalDate } from '../time/dates.ts';
import type { CompensationRule } from './country-law.ts';

export interface CompensationFacts {
  currency: string;
  dueOn: LocalDate;
  /** The day it is asked for, its payments included. */
  asOf: LocalDate;
  /** What was unpaid at the end of the due date and was really owed: later credits taken off. Minor units. */
  paidLateMinor: bigint;
  /** Instalments of the contract that were not paid by their own date. */
  lateInstalments: number;
  /** The day of a judgment that opened proceedings over the debtor. */
  judgmentOn: LocalDate | null;
}

/**
 * The fixed compensation for an invoice paid late, from the first day on, even where part was paid in time: once an
 * invoice, in Germany also for each instalment paid late. Minor units; 0 where the currency is another than the law's.
 */
export function compensationMinor(rule: CompensationRule, facts: CompensationFacts): bigint {
  const { currency, dueOn, asOf, paidLateMinor, judgmentOn } = facts;
  if (asOf <= dueOn || paidLateMinor <= 0n || currency !== rule.currency) return 0n;
  if (rule.notAfterJudgment && judgmentOn !== null && dueOn >= judgmentOn) return 0n;
  const band = rule.bands.find(({ below }) => below === null || paidLateMinor < parseAmount(below, currency));
  const times = 1n + (rule.perInstalment ? BigInt(facts.lateInstalments) : 0n);
  return band === undefined ? 0n : parseAmount(band.amount, currency) * times;
}
