import type { StatementDocument, StatementLineKind, StatementParty } from '../../domain/books/statement.ts';
import { formatAmount } from '../../domain/money.ts';
import { languageOf, type Language } from '../mail/format.ts';
import { renderStatementOfAccount } from './forms/statement-of-account.ts';
import type { FormParty } from './forms/form.ts';
import { postalLines } from './address.ts';

const LABELS: Readonly<Record<Language, Readonly<Record<StatementLineKind, string>>>> = {
  fr: {
    invoice: 'Facture',
    creditNote: 'Avoir',
    receipt: 'Règlement',
    return: 'Règlement rejeté ou remboursé',
    interest: 'Intérêts de retard',
    compensation: 'Indemnité forfaitaire de recouvrement',
    costs: 'Frais',
    waiver: 'Intérêts et indemnités abandonnés',
    difference: 'Écart de règlement',
    discount: 'Escompte',
    writeOff: 'Passage en perte',
    recovery: 'Encaissement après passage en perte',
    transfer: 'Règlement reçu pour un autre client ou par lui',
  },
  de: {
    invoice: 'Rechnung',
    creditNote: 'Gutschrift',
    receipt: 'Zahlung',
    return: 'Zahlung zurückgegeben oder erstattet',
    interest: 'Verzugszinsen',
    compensation: 'Verzugspauschale',
    costs: 'Kosten',
    waiver: 'Erlassene Zinsen und Pauschalen',
    difference: 'Zahlungsdifferenz',
    discount: 'Skonto',
    writeOff: 'Ausbuchung',
    recovery: 'Eingang nach Ausbuchung',
    transfer: 'Zahlung für einen anderen Kunden oder durch ihn',
  },
  en: {
    invoice: 'Invoice',
    creditNote: 'Credit note',
    receipt: 'Payment',
    return: 'Payment returned or refunded',
    interest: 'Late payment interest',
    compensation: 'Fixed compensation',
    costs: 'Costs',
    waiver: 'Interest and compensation waived',
    difference: 'Payment difference',
    discount: 'Discount',
    writeOff: 'Written off',
    recovery: 'Received after write-off',
    transfer: 'Payment for another customer or by it',
  },
};

/** The statement as a PDF in the customer's language; equal documents give equal bytes. */
export async function customerStatementPdf(document: StatementDocument): Promise<Uint8Array> {
  const { locale, date, from, to, currency, creditor, customer, fromCountry, statement } = document;
  const labels = LABELS[languageOf(locale)];
  const amount = (minor: bigint): string => formatAmount(minor, currency);
  const party = (one: StatementParty): FormParty => ({
    ...one,
    addressLines: postalLines(one.addressLines, fromCountry),
    phone: null,
  });
  return await renderStatementOfAccount({
    locale,
    date,
    from,
    to,
    currency,
    creditor: party(creditor),
    customer: party(customer),
    opening: amount(statement.openingMinor),
    lines: statement.lines.map(({ on, kind, reference, amountMinor, balanceMinor }) => ({
      on,
      label: reference === null ? labels[kind] : `${labels[kind]} ${reference}`,
      debit: amountMinor > 0n ? amount(amountMinor) : null,
      credit: amountMinor < 0n ? amount(-amountMinor) : null,
      balance: amount(balanceMinor),
    })),
    closing: amount(statement.closingMinor),
  });
}
