import { vatReliefMention, type VatReliefDocument } from '../../../domain/books/vat-relief.ts';
import type { StatementParty } from '../../../domain/books/statement.ts';
import { formatAmount } from '../../../domain/money.ts';
import { formatterFor } from '../../mail/format.ts';
import { postalLines } from '../address.ts';
import { draw } from '../draw.ts';
import { putTable } from '../table.ts';
import { finishForm, putParties, startForm, type FormParty } from './form.ts';

const LOCALE = 'fr';

/**
 * The duplicate of an invoice that stayed unpaid, with the words under which its VAT comes back (CGI 272): in French, as the
 * law that asks for it. Equal documents give equal bytes.
 */
export async function renderVatCorrection(document: VatReliefDocument): Promise<Uint8Array> {
  const { date, currency, creditor, customer, fromCountry, invoice, relief } = document;
  const format = formatterFor(LOCALE);
  const money = (minor: bigint): string => format.money(formatAmount(minor, currency), currency);
  // The doctrine writes the word, not the sign.
  const inWords = (minor: bigint): string => money(minor).replace('€', 'euros');
  const party = (one: StatementParty): FormParty => ({
    ...one,
    addressLines: postalLines(one.addressLines, fromCountry),
    phone: null,
  });
  const head = {
    locale: LOCALE,
    title: `Duplicata de la facture ${invoice.number}`,
    subtitle: `du ${format.longDate(invoice.issuedOn)}, échue le ${format.longDate(invoice.dueOn)}`,
    date,
    issuer: creditor.name,
    reference: null,
  };
  const flow = startForm(head);
  // Very visible, before anything else.
  flow.rule(flow.y, false);
  flow.gap(2.5);
  flow.paragraph(vatReliefMention(inWords(relief.netMinor), inWords(relief.vatMinor)), {
    size: 13,
    weight: 'bold',
    after: 2,
  });
  flow.rule(flow.y, false);
  flow.gap(5);
  putParties(flow, { role: 'Émetteur', party: party(creditor) }, { role: 'Client', party: party(customer) });
  flow.heading('Facture et part demeurée impayée');
  putTable(flow, {
    columns: [
      { title: 'Taux de TVA', share: 16 },
      { title: 'Prix net facturé', share: 22, align: 'right' },
      { title: 'TVA facturée', share: 20, align: 'right' },
      { title: 'Prix net impayé', share: 22, align: 'right' },
      { title: 'TVA impayée', share: 20, align: 'right' },
    ],
    rows: invoice.rates.map(({ rate, netMinor, vatMinor }, i) => ({
      cells: [
        `${rate.replace('.', ',')} %`,
        money(netMinor),
        money(vatMinor),
        money(relief.rates[i]!.netMinor),
        money(relief.rates[i]!.vatMinor),
      ],
    })),
    totals: [
      { label: 'Total hors taxe', values: [money(relief.netMinor)] },
      { label: 'TVA correspondante', values: [money(relief.vatMinor)] },
      {
        label: `Impayé, sur ${money(invoice.grossMinor)} toutes taxes comprises`,
        values: [money(relief.netMinor + relief.vatMinor)],
      },
    ],
  });
  flow.gap(3);
  flow.paragraph(
    'Ce duplicata vaut rectification de la facture initiale (CGI, art. 272, 1 ; BOI-TVA-DED-40-10-20). Le client qui a déduit ' +
      'cette TVA la reverse. La créance reste due : cet envoi n’en est pas l’abandon.',
    { size: 9, grey: true },
  );
  return draw(finishForm(flow, head));
}
