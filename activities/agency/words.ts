import type { Language } from '../mail/format.ts';

/** Codes of the record in the words of a language, for the pages of an agency's file. */
export interface PaperWords {
  timeline: string;
  /** How interest goes on; `{amount}` a further day, by `{source}`. */
  perDay: string;
  kinds: Readonly<Record<string, string>>;
  channels: Readonly<Record<string, string>>;
  /** Of people at the debtor's. */
  roles: Readonly<Record<string, string>>;
  /** Kinds of journal entries that move what is owed. */
  entries: Readonly<Record<string, string>>;
  categories: Readonly<Record<string, string>>;
  outcomes: Readonly<Record<string, string>>;
}

export const PAPER_WORDS: Readonly<Record<Language, PaperWords>> = {
  fr: {
    timeline: 'Historique du dossier',
    perDay: 'Intérêts à ajouter : {amount} par jour supplémentaire ({source}).',
    kinds: {
      beforeDue: 'Avis avant échéance',
      reminder: 'Relance',
      formalNotice: 'Mise en demeure',
      plan: 'Échéancier',
      thankYou: 'Remerciement',
    },
    channels: { email: 'e-mail', call: 'appel', letter: 'lettre', registeredLetter: 'lettre recommandée' },
    roles: {
      billing: 'facturation',
      accounting: 'comptabilité',
      buyer: 'achats',
      manager: 'direction',
      legal: 'juridique',
      other: 'autre',
    },
    entries: {
      invoiceRegistered: 'Facture',
      allocated: 'Règlement',
      allocationUndone: 'Règlement annulé',
      creditAllocated: 'Avoir',
      writtenOff: 'Passage en perte',
      writeOffUndone: 'Passage en perte annulé',
    },
    categories: {
      price: 'prix',
      quantity: 'quantité',
      quality: 'qualité',
      delivery: 'livraison',
      duplicate: 'doublon',
      alreadyPaid: 'déjà payée',
      missingDocument: 'document manquant',
      other: 'autre',
    },
    outcomes: { upheld: 'fondé', rejected: 'rejeté', partly: 'fondé en partie', closed: 'clos' },
  },
  de: {
    timeline: 'Verlauf des Vorgangs',
    perDay: 'Hinzu kommen {amount} Zinsen je weiterem Tag ({source}).',
    kinds: {
      beforeDue: 'Hinweis vor Fälligkeit',
      reminder: 'Mahnung',
      formalNotice: 'Letzte Mahnung mit Fristsetzung',
      plan: 'Ratenplan',
      thankYou: 'Dank',
    },
    channels: { email: 'E-Mail', call: 'Anruf', letter: 'Brief', registeredLetter: 'Einschreiben' },
    roles: {
      billing: 'Rechnungen',
      accounting: 'Buchhaltung',
      buyer: 'Einkauf',
      manager: 'Leitung',
      legal: 'Recht',
      other: 'andere',
    },
    entries: {
      invoiceRegistered: 'Rechnung',
      allocated: 'Zahlung',
      allocationUndone: 'Zahlung zurückgenommen',
      creditAllocated: 'Gutschrift',
      writtenOff: 'Ausbuchung',
      writeOffUndone: 'Ausbuchung zurückgenommen',
    },
    categories: {
      price: 'Preis',
      quantity: 'Menge',
      quality: 'Qualität',
      delivery: 'Lieferung',
      duplicate: 'doppelt',
      alreadyPaid: 'bereits bezahlt',
      missingDocument: 'fehlende Unterlage',
      other: 'anderes',
    },
    outcomes: { upheld: 'anerkannt', rejected: 'abgelehnt', partly: 'teils anerkannt', closed: 'geschlossen' },
  },
  en: {
    timeline: 'History of the case',
    perDay: 'Interest of {amount} is added for each further day ({source}).',
    kinds: {
      beforeDue: 'Note before due date',
      reminder: 'Reminder',
      formalNotice: 'Formal notice',
      plan: 'Instalment plan',
      thankYou: 'Thanks',
    },
    channels: { email: 'e-mail', call: 'call', letter: 'letter', registeredLetter: 'registered letter' },
    roles: {
      billing: 'billing',
      accounting: 'accounting',
      buyer: 'buyer',
      manager: 'manager',
      legal: 'legal',
      other: 'other',
    },
    entries: {
      invoiceRegistered: 'Invoice',
      allocated: 'Payment',
      allocationUndone: 'Payment taken back',
      creditAllocated: 'Credit note',
      writtenOff: 'Write-off',
      writeOffUndone: 'Write-off undone',
    },
    categories: {
      price: 'price',
      quantity: 'quantity',
      quality: 'quality',
      delivery: 'delivery',
      duplicate: 'duplicate',
      alreadyPaid: 'already paid',
      missingDocument: 'missing document',
      other: 'other',
    },
    outcomes: { upheld: 'upheld', rejected: 'rejected', partly: 'partly upheld', closed: 'closed' },
  },
};
