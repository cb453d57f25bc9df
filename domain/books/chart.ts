import { DomainError, type Fault } from '../errors.ts';
import type { Account, EntryKind } from '../ledger/postings.ts';

/**
 * The chart of accounts: under which numbers of the creditor's own books the service's accounts appear in an export. The
 * journal itself knows no numbers, so that a chart can change without it.
 */

/** The accounts of the ledger, and those that only exports have: VAT that falls due with the money, receivables in doubt. */
export type BookAccount = Account | 'vatPending' | 'doubtful';

export const BOOK_ACCOUNTS = [
  'receivable',
  'doubtful',
  'allowance',
  'sales',
  'creditNotes',
  'unappliedCredit',
  'vat',
  'vatPending',
  'bank',
  'agency',
  'unappliedCash',
  'differences',
  'losses',
  'recoveries',
  'interest',
  'compensation',
  'costs',
  'interestWaived',
  'allowanceExpense',
  'allowanceReleased',
  'discounts',
  'bankFees',
  'setAside',
] as const satisfies readonly BookAccount[];

export const BOOK_JOURNALS = ['sales', 'bank', 'general'] as const;
export type BookJournal = (typeof BOOK_JOURNALS)[number];

/** A number and its name; of a journal: its code and its name. */
export interface Named {
  number: string;
  label: string;
}

export interface Chart {
  accounts: Readonly<Record<BookAccount, Named>>;
  journals: Readonly<Record<BookJournal, Named>>;
  /**
   * When VAT falls due: `debits`, with the invoice (goods; services by option); `receipts`, with the money (services in
   * France, CGI 269-2 c). It decides where the VAT of an invoice stands and whether that of a loss can come back.
   */
  vatDueOn: 'debits' | 'receipts';
  /** The month with which the financial year begins, 1 to 12. */
  yearBegins: number;
}

/**
 * French defaults, after the plan comptable général as amended by ANC 2022-06 (years from 2025 on). Where the plan leaves
 * a choice the accountant of the creditor has the last word: 707 stands for goods, 706 for services.
 */
export const FRENCH_CHART: Chart = {
  accounts: {
    receivable: { number: '411000', label: 'Clients' },
    doubtful: { number: '416000', label: 'Clients douteux ou litigieux' },
    allowance: { number: '491000', label: 'Dépréciations des comptes de clients' },
    sales: { number: '707000', label: 'Ventes de marchandises' },
    creditNotes: { number: '709000', label: 'Rabais, remises et ristournes accordés' },
    unappliedCredit: { number: '411000', label: 'Clients' },
    vat: { number: '445710', label: 'TVA collectée' },
    vatPending: { number: '445800', label: 'Taxes sur le chiffre d’affaires à régulariser ou en attente' },
    bank: { number: '512000', label: 'Banques' },
    agency: { number: '467000', label: 'Autres comptes débiteurs ou créditeurs' },
    unappliedCash: { number: '471000', label: 'Comptes d’attente' },
    differences: { number: '658000', label: 'Charges diverses de gestion courante' },
    losses: { number: '654000', label: 'Pertes sur créances irrécouvrables' },
    recoveries: { number: '758000', label: 'Produits divers de gestion courante' },
    interest: { number: '763000', label: 'Revenus des autres créances' },
    compensation: { number: '758100', label: 'Indemnités forfaitaires de recouvrement' },
    costs: { number: '758200', label: 'Frais de recouvrement refacturés' },
    interestWaived: { number: '658100', label: 'Intérêts et indemnités abandonnés' },
    allowanceExpense: { number: '681740', label: 'Dotations aux dépréciations des créances' },
    allowanceReleased: { number: '781740', label: 'Reprises sur dépréciations des créances' },
    discounts: { number: '665000', label: 'Escomptes accordés' },
    bankFees: { number: '627000', label: 'Services bancaires et assimilés' },
    setAside: { number: '471100', label: 'Encaissements hors clients à ventiler' },
  },
  journals: {
    sales: { number: 'VE', label: 'Ventes' },
    bank: { number: 'BQ', label: 'Banque' },
    general: { number: 'OD', label: 'Opérations diverses' },
  },
  vatDueOn: 'debits',
  yearBegins: 1,
};

/** In which journal an entry stands. */
export const JOURNAL_OF: Readonly<Record<EntryKind, BookJournal>> = {
  invoiceRegistered: 'sales',
  creditNoted: 'sales',
  received: 'bank',
  returned: 'bank',
  agencyRemitted: 'bank',
  agencyRemittanceUndone: 'bank',
  allocated: 'general',
  allocationUndone: 'general',
  creditAllocated: 'general',
  writtenOff: 'general',
  writeOffUndone: 'general',
  recovered: 'general',
  accessoriesWaived: 'general',
  interestCorrected: 'general',
  vatRelieved: 'general',
  vatDueAgain: 'general',
  markedDoubtful: 'general',
  doubtfulEnded: 'general',
  bankFeeCharged: 'bank',
  putAside: 'general',
  putAsideUndone: 'general',
};

/** Of a customer: these accounts have a line for each (a subsidiary account, "compte auxiliaire"). */
export const isOfCustomer = (account: BookAccount): boolean =>
  account === 'receivable' || account === 'unappliedCredit' || account === 'doubtful';

/**
 * Refuses a chart that no export could use: `chartInvalid`, with a fault each. An account's number begins with three digits
 * (LPF A47 A-1 VII, field 5), a journal's code is its own, and one number has one name.
 */
export function checkChart(chart: Chart): void {
  const faults: Fault[] = [];
  const labels = new Map<string, string>();
  for (const account of BOOK_ACCOUNTS) {
    const { number, label } = chart.accounts[account];
    const pointer = `/accounts/${account}`;
    if (!/^\d{3}[0-9A-Za-z]{0,17}$/.test(number)) {
      const message = 'is three digits, then digits or letters, 20 in all at most';
      faults.push({ pointer: `${pointer}/number`, code: 'accountNumberInvalid', message });
    }
    const known = labels.get(number);
    if (known !== undefined && known !== label) {
      faults.push({
        pointer: `${pointer}/label`,
        code: 'accountNamedTwice',
        message: `${number} is called “${known}”`,
      });
    }
    labels.set(number, known ?? label);
  }
  const codes = new Set<string>();
  for (const journal of BOOK_JOURNALS) {
    const { number } = chart.journals[journal];
    if (codes.has(number)) {
      const message = `another journal has the code ${number}`;
      faults.push({ pointer: `/journals/${journal}/number`, code: 'journalCodeTaken', message });
    }
    codes.add(number);
  }
  if (faults.length > 0) throw new DomainError('chartInvalid', 'The chart of accounts cannot be used.', faults);
}

/** The first day of the financial year that a day is in. */
export function yearOf(chart: Pick<Chart, 'yearBegins'>, day: string): string {
  const month = Number(day.slice(5, 7));
  const year = Number(day.slice(0, 4)) - (month < chart.yearBegins ? 1 : 0);
  return `${year}-${String(chart.yearBegins).padStart(2, '0')}-01`;
}
