import { DomainError } from '../errors.ts';
import { proportion, splitByWeights } from '../money.ts';
import type { Chart } from './chart.ts';
import { vatByRate, type InvoiceVatLine, type VatOfRate } from './invoice-vat.ts';
import type { StatementParty } from './statement.ts';

/**
 * VAT on a bad debt comes back: CGI 272-1, BOI-TVA-DED-40-10-20. The claim is definitively lost, the tax was due with the
 * invoice, and a duplicate of it goes to the customer with the words that it bears (CGI ann. II 242 nonies A leaves them to
 * the doctrine).
 */
export interface Loss {
  /** Of the creditor. */
  country: string;
  vatDueOn: Chart['vatDueOn'];
  currency: string;
  grossMinor: bigint;
  /** What of the invoice was given up and has not come since. */
  lostMinor: bigint;
  vat: readonly InvoiceVatLine[];
  /** The VAT of it came back before and has not been due again. */
  relieved: boolean;
}

export interface VatRelief {
  /** Of what was lost, by rate; together all of it. */
  rates: VatOfRate[];
  netMinor: bigint;
  vatMinor: bigint;
}

/**
 * What VAT of a loss comes back. Throws `notWrittenOff`, `vatReliefUnknown` (the rules of another country: Great Britain
 * and Germany have others), `vatNotDue` (due with the money that never came, or 0), `vatUnknown`, `vatRelieved`.
 */
export function vatReliefOf(loss: Loss): VatRelief {
  if (loss.lostMinor <= 0n) throw new DomainError('notWrittenOff', 'Nothing of the invoice is written off.');
  if (loss.relieved) throw new DomainError('vatRelieved', 'The VAT of this loss has come back already.');
  if (loss.country !== 'FR') {
    throw new DomainError('vatReliefUnknown', `How VAT of losses comes back in ${loss.country} is not covered.`);
  }
  if (loss.vatDueOn === 'receipts') {
    throw new DomainError('vatNotDue', 'VAT is due with the money here: on what was never paid none was due.');
  }
  const rates = vatByRate(loss.vat, loss.grossMinor, loss.currency);
  if (rates === null) {
    throw new DomainError('vatUnknown', 'The invoice was registered without VAT that adds up to its amount.');
  }
  const parts = splitByWeights(
    loss.lostMinor,
    rates.flatMap(({ netMinor, vatMinor }) => [netMinor, vatMinor]),
  );
  const lost = rates.map(({ rate }, i) => ({ rate, netMinor: parts[2 * i]!, vatMinor: parts[2 * i + 1]! }));
  const sum = (of: 'netMinor' | 'vatMinor'): bigint => lost.reduce((total, row) => total + row[of], 0n);
  if (sum('vatMinor') === 0n) throw new DomainError('vatNotDue', 'There is no VAT on what was lost.');
  return { rates: lost, netMinor: sum('netMinor'), vatMinor: sum('vatMinor') };
}

/** What of relieved VAT is due again once only `lostMinor` of the loss is left: in proportion, halves up. */
export function dueAgainMinor(relief: { lossMinor: bigint; vatMinor: bigint }, lostMinor: bigint): bigint {
  const left = lostMinor < relief.lossMinor ? lostMinor : relief.lossMinor;
  const come = relief.lossMinor - left;
  return proportion(relief.vatMinor, come, relief.lossMinor);
}

/** All that the duplicate shows. Dates are local. */
export interface VatReliefDocument {
  date: string;
  currency: string;
  creditor: StatementParty;
  customer: StatementParty;
  fromCountry: string;
  invoice: { number: string; issuedOn: string; dueOn: string; grossMinor: bigint; rates: VatOfRate[] };
  relief: VatRelief;
}

/** The words of the doctrine, with both amounts as they are to be printed (BOI-TVA-DED-40-10-20). */
export const vatReliefMention = (net: string, vat: string): string =>
  `Facture demeurée impayée pour la somme de ${net} (prix net) et pour la somme de ${vat} (TVA correspondante) qui ne ` +
  'peut faire l’objet d’une déduction (article 272 du CGI).';
