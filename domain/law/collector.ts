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
  insurance: { insurer: string; policyNumber: string; validUntil: LocalDate };
  /** The account that only money collected for others goes to; debtors are asked to pay there. */
  dedicatedIban: string;
  declaration: { court: string; declaredOn: LocalDate };
  /** The written mandate, with what R124-3 asks of it. */
  mandate: { signedOn: LocalDate } & Record<MandateTerm, boolean>;
}

/** What a mandate says besides its date (CPCE R124-3): power to receive, itemised sums, guarantee, fee, remittance. */
export const MANDATE_TERMS = ['powerToReceive', 'itemisedSums', 'guarantee', 'fee', 'remittance'] as const;
type MandateTerm = (typeof MANDATE_TERMS)[number];

/** What somebody says of it; anything may be missing. */
export type CollectsForDraft = {
  [Part in keyof CollectsFor]?: CollectsFor[Part] extends object
    ? { [Field in keyof CollectsFor[Part]]?: CollectsFor[Part][Field] | undefined } | undefined
    : CollectsFor[Part] | undefined;
};

/**
 * CPCE L111-8, paragraphs 2 and 3, in the very words that R124-4 (5) wants printed, with the straight apostrophes of the
 * official text.
 */
export const L111_8: readonly string[] = [
  'Les frais de recouvrement entrepris sans titre exécutoire restent à la charge du créancier, ' +
    "sauf s'ils concernent un acte dont l'accomplissement est prescrit par la loi au créancier. " +
    'Toute stipulation contraire est réputée non écrite, sauf disposition législative contraire.',
  'Cependant, le créancier qui justifie du caractère nécessaire des démarches entreprises pour recouvrer sa créance ' +
    "peut demander au juge de l'exécution de laisser tout ou partie des frais ainsi exposés à la charge du débiteur " +
    'de mauvaise foi.',
];

/** Articles that the set is checked against. */
export const COLLECTOR_SOURCE = 'CPCE art. R124-1 to R124-7';

const REQUIRED: readonly (readonly [part: keyof CollectsFor, field: string | null])[] = [
  ['principal', 'name'],
  ['principal', 'addressLines'],
  ['insurance', 'insurer'],
  ['insurance', 'policyNumber'],
  ['insurance', 'validUntil'],
  ['dedicatedIban', null],
  ['declaration', 'court'],
  ['declaration', 'declaredOn'],
  ['mandate', 'signedOn'],
];

/**
 * What is missing for somebody who wants to collect for others, each at its place; empty where nothing is. The insurance
 * has to be in force on `today`, declaration and mandate to lie before it, and the collector's own address to be known,
 * since its letters show it.
 */
export function collectorFaults(draft: CollectsForDraft, today: LocalDate, hasAddress: boolean): Fault[] {
  const faults: Fault[] = [];
  const add = (pointer: string, message: string): void => {
    faults.push({ pointer, code: 'collectorSetIncomplete', message });
  };
  if (!hasAddress) add('/address', 'the letters of a collector show its address (CPCE R124-4)');
  for (const [part, field] of REQUIRED) {
    const value: unknown = draft[part];
    const said: unknown = field === null ? value : (value as Record<string, unknown> | undefined)?.[field];
    if (isMissing(said))
      add(`/collectsFor/${part}${field === null ? '' : `/${field}`}`, 'is missing (CPCE R124-2 to R124-4)');
  }
  const { insurance, declaration, mandate } = draft;
  if (insurance?.validUntil !== undefined && insurance.validUntil < today) {
    add('/collectsFor/insurance/validUntil', 'the insurance has ended (CPCE R124-2)');
  }
  if (declaration?.declaredOn !== undefined && declaration.declaredOn > today) {
    add('/collectsFor/declaration/declaredOn', 'the declaration comes first (CPCE R124-2)');
  }
  if (mandate?.signedOn !== undefined && mandate.signedOn > today) {
    add('/collectsFor/mandate/signedOn', 'the mandate comes first (CPCE R124-3)');
  }
  for (const term of MANDATE_TERMS) {
    if (mandate?.[term] !== true) add(`/collectsFor/mandate/${term}`, 'the mandate has to say this (CPCE R124-3)');
  }
  return faults;
}

const isMissing = (value: unknown): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
