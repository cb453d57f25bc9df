import type { CustomerKind } from '../policy/types.ts';
import { BELGIUM, IRELAND, EU_FLOOR, EU_MEMBERS, ITALY, NETHERLANDS, SPAIN } from './countries/eu.ts';
import { FRANCE } from './countries/fr.ts';
import { GERMANY } from './countries/de.ts';
import { UNITED_KINGDOM } from './countries/gb.ts';
import type { DeadlineRule } from './deadlines.ts';
import type { InvoiceMentionRule } from './invoice-mentions.ts';
import type { LegalStep } from './legal-steps.ts';
import type { LimitationRule } from './limitation.ts';
import type { NoticeRule } from './notice-mentions.ts';
import type { PaymentTermRules } from './payment-terms.ts';
import type { RateSeries } from './rates.ts';

/** What late payment costs by law, for one kind of debtor of one country. */
export interface InterestRule {
  /** Names the regime in answers and documents: `frBusiness`, `deConsumer`, `euFloor`, … */
  regime: string;
  series: RateSeries;
  /** Points added to the reference rate, a decimal string. */
  margin: string;
  /** `floating`: the rate of each half-year. `fixed`: for good that of the half-year in which interest begins to run. */
  mode: 'floating' | 'fixed';
  /** The sum is rounded up to the next multiple of so many points (Belgium). */
  roundUpTo?: string;
  /** `due`: from the day after the due date. `notice`: from the day after the formal notice reached the debtor. */
  runsFrom: 'due' | 'notice';
  /** A contract may set another rate; with `floor`, a lower one than so many times that series asks for a person. */
  contract?: { floor?: { series: RateSeries; times: bigint } };
  /** Articles, as they are printed in a statement. */
  source: string;
}

/** The fixed sum for the costs of collecting an invoice paid late. */
export interface CompensationRule {
  /** The only currency in which it is due; an invoice in another one claims none, since no rate of exchange is at hand. */
  currency: string;
  /** By what was unpaid when the delay began: the first band whose `below` is more than it. Decimal strings. */
  bands: readonly { below: string | null; amount: string }[];
  /** Also once for each instalment paid late (BGB § 288(5) sentence 2). */
  perInstalment: boolean;
  /** Not where proceedings forbade payment on the due date already (C. com. L441-10 II, end). */
  notAfterJudgment: boolean;
  source: string;
}

/** Parts of a claim that money can extinguish. */
export type ClaimPart = 'costs' | 'interest' | 'principal' | 'compensation';

/** What a payment on one debt extinguishes first, where the payer said nothing that binds the creditor. */
export interface ImputationRule {
  order: readonly ClaimPart[];
  /** Among several debts nobody chose from: those due first, then `mostOnerous` or `leastSecured` first, the oldest, pro rata. */
  several: readonly ('due' | 'leastSecured' | 'mostOnerous' | 'oldest')[];
  source: string;
}

/** The rules of one country. Each country's stand in one file of `countries/`. */
export interface CountryLaw {
  country: string;
  /** Null: nothing is claimed from this kind of debtor. */
  interest: Readonly<Record<CustomerKind, InterestRule | null>>;
  compensation: Readonly<Record<CustomerKind, CompensationRule | null>>;
  imputation: ImputationRule;
  /** A due date on a Saturday, Sunday or holiday moves to the next working day (BGB § 193). */
  dueDateRolls: boolean;
  /** How long a claim can be pursued, by kind of debtor; null: not known here, nothing is time-barred by us. */
  limitation: Readonly<Record<CustomerKind, LimitationRule | null>>;
  /** The longest payment terms; null: none is known here. */
  paymentTerms: PaymentTermRules | null;
  /** What an invoice must show about late payment; null: nothing that is known here. */
  invoiceMentions: InvoiceMentionRule | null;
  /** What a formal notice must show beyond the usual; null: nothing that is known here. */
  notice: NoticeRule | null;
  /** How periods of procedure end; as policy the deadlines of letters too. */
  deadlines: DeadlineRule;
  /** What can be done next before a court or a bailiff, in the order in which it is proposed. */
  legalSteps: readonly LegalStep[];
}

const LAWS: readonly CountryLaw[] = [FRANCE, GERMANY, UNITED_KINGDOM, BELGIUM, SPAIN, ITALY, NETHERLANDS, IRELAND];
const BY_COUNTRY: ReadonlyMap<string, CountryLaw> = new Map(LAWS.map((law) => [law.country, law]));

/**
 * The rules of the debtor's country (ISO 3166-1 alpha-2). Members of the European Union without rules of their own here
 * have the floor of Directive 2011/7; null elsewhere: reminders claim no interest there, and say so.
 */
export function lawOf(country: string): CountryLaw | null {
  return BY_COUNTRY.get(country) ?? (EU_MEMBERS.includes(country) ? { ...EU_FLOOR, country } : null);
}

/** Where no law is known a deadline that ends on a day without work moves all the same: policy, and kind to the debtor. */
const BY_POLICY: DeadlineRule = { movesOffFreeDays: true, source: 'policy' };

/** How deadlines are reckoned in a country. */
export const deadlineRuleOf = (country: string): DeadlineRule => lawOf(country)?.deadlines ?? BY_POLICY;
