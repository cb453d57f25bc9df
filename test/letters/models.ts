import type { LetterDetails } from '../../activities/letters/index.ts';
import type { MessageModel, MessageRow } from '../../activities/mail/render.ts';
import { formatAmount } from '../../domain/money.ts';

export const FRENCH: LetterDetails = {
  creditorCountry: 'FR',
  place: 'Lyon',
  registration: 'RCS Lyon 123 456 789',
  vatId: 'FR40123456789',
};
export const GERMAN: LetterDetails = { creditorCountry: 'DE', place: 'Berlin' };

export const row = (n: number, change: Partial<MessageRow> = {}): MessageRow => ({
  number: `F-2026-${String(n).padStart(4, '0')}`,
  issuedOn: '2026-09-01',
  dueOn: '2026-10-01',
  daysLate: 51,
  amount: `${n}.05`,
  invoiceTotal: '1500.00',
  note: n % 5 === 0 ? 'partPaid' : null,
  ...change,
});

/** A table of `count` invoices of n.05 EUR each. */
export function table(count: number, currency = 'EUR'): MessageModel['tables'][number] {
  const minor = (BigInt(count) * BigInt(count + 1) * 100n) / 2n + BigInt(count) * 5n;
  return { currency, total: formatAmount(minor, currency), rows: Array.from({ length: count }, (_, i) => row(i + 1)) };
}

export function letter(change: Partial<MessageModel> = {}): MessageModel {
  return {
    locale: 'fr-FR',
    tone: 'firm',
    channel: 'letter',
    creditor: {
      name: 'Ateliers Duvallon SAS',
      replyTo: 'compta@duvallon.example',
      iban: 'FR7630006000011234567890189',
      addressLines: ['12 rue des Tanneurs', '69007 Lyon', 'FR'],
    },
    customer: { name: 'Maison Perrault & Fils', addressLines: ['4 place du Marché', '21000 Dijon', 'FR'] },
    contact: { name: null },
    reference: 'R-7K3F2A',
    today: '2026-11-21',
    tables: [table(2)],
    history: [],
    portalUrl: 'https://pay.example/p/abc',
    country: 'FR',
    customerKind: 'business',
    instalments: [
      { dueOn: '2026-12-01', amount: '1.00', currency: 'EUR' },
      { dueOn: '2027-01-01', amount: '2.10', currency: 'EUR' },
    ],
    instalment: { dueOn: '2026-12-01', amount: '1.00', currency: 'EUR', n: 1, of: 2, lastGraceDay: '2026-12-05' },
    ...change,
  };
}
