import type { CustomerKind } from '../policy/types.ts';
import { addYears, type LocalDate } from '../time/dates.ts';

/** The last day on which a claim can be pursued in time, and the text that says so. */
export interface Limitation {
  on: LocalDate;
  source: string;
}

interface Rule {
  years: number;
  endOfYear: boolean;
  source: string;
}

const FR_BUSINESS: Rule = { years: 5, endOfYear: false, source: 'C. com. art. L110-4; C. civ. art. 2224, 2233' };
const FR_CONSUMER: Rule = { years: 2, endOfYear: false, source: 'C. conso. art. L218-1, L218-2' };
const DE: Rule = { years: 3, endOfYear: true, source: 'BGB §§ 195, 199' };
const GB: Rule = { years: 6, endOfYear: false, source: 'Limitation Act 1980' };

const RULES: Readonly<Record<string, Readonly<Record<CustomerKind, Rule>>>> = {
  FR: { business: FR_BUSINESS, consumer: FR_CONSUMER, publicBody: FR_BUSINESS },
  DE: { business: DE, consumer: DE, publicBody: DE },
  GB: { business: GB, consumer: GB, publicBody: GB },
};

/**
 * The basic limitation period by the customer's country and kind, from the due date: France 5 years, consumers 2;
 * Germany 3 years to the end of the year (31 December); United Kingdom 6 years. The day returned is the last one in
 * time: from the next day on the claim is barred. It is not moved off a weekend. `null` for other countries: we do not
 * guess.
 *
 * Only the basic period: no interruption or suspension (acknowledgement, court claim, mediation), and no special term
 * such as transport's single year. For French public buyers our sources give no period of their own (debts of the State
 * and local authorities are subject to rules outside them); the business period stands in.
 */
export function limitationOn(country: string, kind: CustomerKind, dueOn: LocalDate): Limitation | null {
  const rule = Object.hasOwn(RULES, country) ? RULES[country]?.[kind] : undefined;
  if (!rule) return null;
  const on = addYears(dueOn, rule.years);
  return { on: rule.endOfYear ? `${on.slice(0, 4)}-12-31` : on, source: rule.source };
}
