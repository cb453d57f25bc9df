import type { Fault } from '../errors.ts';
import type { LocalDate } from '../time/dates.ts';

/**
 * Whoever collects for others by way of amicable collection, even now and then, needs all of this (CPCE R124-1 to
 * R124-3): liability insurance, a dedicated account, a prior declaration to the prosecutor, and a written mandate with
 * the power to receive money. A creditor that collects its own claims in its own name needs none of it.
 */
export interface CollectsFor {
  /** Whose claims these are. */
  principal: { name: string; addressLines: string[] };
  /** The collector as it names itself in its letters. */
  collector: { name: string; addressLines: string[] };
  insurance: { insurer: string; policyNumber: string; validUntil: LocalDate };
  /** The account that only money collected for others goes to; debtors are asked to pay there. */
  dedicatedIban: string;
  declaration: { court: string; declaredOn: LocalDate };
  mandate: {
    signedOn: LocalDate;
    /** That the mandate has what R124-3 asks of it. */
    powerToReceive: boolean;
    itemisedSums: boolean;
    guarantee: boolean;
    fee: boolean;
    remittance: boolean;
  };
}

/** What a mandate must have besides its signature (CPCE R124-3). */
const MANDATE_TERMS = ['powerToReceive', 'itemisedSums', 'guarantee', 'fee', 'remittance'] as const;

/** CPCE L111-8, paragraphs 2 and 3, in the very words that R124-4 (5) wants printed. */
export const L111_8: readonly string[] = [
  'Les frais de recouvrement entrepris sans titre exécutoire restent à la charge du créancier, sauf s’ils concernent un ' +
    'acte dont l’accomplissement est prescrit par la loi au créancier. Toute stipulation contraire est réputée non ' +
    'écrite, sauf disposition législative contraire.',
  'Cependant, le créancier qui justifie du caractère nécessaire des démarches entreprises pour recouvrer sa créance peut ' +
    'demander au juge de l’exécution de laisser tout ou partie des frais ainsi exposés à la charge du débiteur de ' +
    'mauvaise foi.',
];

/**
 * What is missing or over for somebody who collects for others, each at its place; empty where nothing is. The insurance
 * has to be in force on `today`, declaration and mandate to lie before it.
 */
export function collectorFaults(set: CollectsFor, today: LocalDate): Fault[] {
  const faults: Fault[] = [];
  const add = (pointer: string, message: string): void => {
    faults.push({ pointer: `/collectsFor${pointer}`, code: 'collectorSetIncomplete', message });
  };
  if (set.insurance.validUntil < today) add('/insurance/validUntil', 'the insurance has ended');
  if (set.declaration.declaredOn > today) add('/declaration/declaredOn', 'the declaration comes first');
  if (set.mandate.signedOn > today) add('/mandate/signedOn', 'the mandate comes first');
  for (const term of MANDATE_TERMS) {
    if (!set.mandate[term]) add(`/mandate/${term}`, 'the mandate has to have this (CPCE R124-3)');
  }
  return faults;
}
