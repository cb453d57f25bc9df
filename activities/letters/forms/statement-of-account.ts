import { DomainError } from '../../../domain/errors.ts';
import type { LocalDate } from '../../../domain/time/dates.ts';
import { formatterFor, languageOf, type Language } from '../../mail/format.ts';
import { readLabels } from '../../mail/templates.ts';
import { signedMinor } from '../amounts.ts';
import { draw } from '../draw.ts';
import type { Layout } from '../page.ts';
import { putTable } from '../table.ts';
import { finishForm, putParties, startForm, type FormParty } from './form.ts';

/** What a customer was billed and has paid in one currency, from day to day. Amounts are decimal strings in it. */
export interface StatementModel {
  locale: string;
  date: LocalDate;
  from: LocalDate;
  to: LocalDate;
  creditor: FormParty;
  customer: FormParty;
  currency: string;
  /** What was owed when the period began; negative in the customer's favour, as all balances. */
  opening: string;
  /** Oldest first. A line has a debit (more is owed), a credit (less) or both, and the balance after it. */
  lines: readonly { on: LocalDate; label: string; debit?: string | null; credit?: string | null; balance: string }[];
  closing: string;
}

interface Words {
  title: string;
  period: (from: string, to: string) => string;
  creditor: string;
  customer: string;
  on: string;
  label: string;
  debit: string;
  credit: string;
  balance: string;
  opening: string;
  closing: string;
  nothing: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  fr: {
    title: 'Relevé de compte',
    period: (from, to) => `du ${from} au ${to}`,
    creditor: 'Émetteur',
    customer: 'Client',
    on: 'Date',
    label: 'Libellé',
    debit: 'Débit',
    credit: 'Crédit',
    balance: 'Solde',
    opening: 'Solde initial',
    closing: 'Solde final',
    nothing: 'Aucune opération sur la période.',
  },
  de: {
    title: 'Kontoauszug',
    period: (from, to) => `${from} bis ${to}`,
    creditor: 'Aussteller',
    customer: 'Kunde',
    on: 'Datum',
    label: 'Vorgang',
    debit: 'Soll',
    credit: 'Haben',
    balance: 'Saldo',
    opening: 'Anfangssaldo',
    closing: 'Endsaldo',
    nothing: 'Keine Buchung im Zeitraum.',
  },
  en: {
    title: 'Statement of account',
    period: (from, to) => `${from} to ${to}`,
    creditor: 'Issued by',
    customer: 'Customer',
    on: 'Date',
    label: 'Entry',
    debit: 'Debit',
    credit: 'Credit',
    balance: 'Balance',
    opening: 'Opening balance',
    closing: 'Closing balance',
    nothing: 'No entries in this period.',
  },
};

/**
 * A statement of account as a PDF; equal models give equal bytes.
 * @throws DomainError `statementBroken` when a balance does not follow from what stands before it;
 * `amountInvalid` and its like
 */
export async function renderStatementOfAccount(model: StatementModel): Promise<Uint8Array> {
  return draw(layoutStatementOfAccount(model));
}

export function layoutStatementOfAccount(model: StatementModel): Layout {
  checkBalances(model);
  const { locale, currency, date } = model;
  const words = WORDS[languageOf(locale)];
  const labels = readLabels(languageOf(locale)).letter;
  const format = formatterFor(locale);
  const money = (amount: string | null | undefined): string => (amount ? format.money(amount, currency) : '');
  const head = {
    locale,
    title: words.title,
    subtitle: words.period(format.longDate(model.from), format.longDate(model.to)),
    date,
    issuer: model.creditor.name,
    reference: null,
  };
  const flow = startForm(head);
  putParties(flow, { role: words.creditor, party: model.creditor }, { role: words.customer, party: model.customer });
  putTable(flow, {
    columns: [
      { title: words.on, share: 18 },
      { title: words.label, share: 44 },
      { title: words.debit, share: 20, align: 'right' },
      { title: words.credit, share: 20, align: 'right' },
      { title: words.balance, share: 20, align: 'right' },
    ],
    rows: [
      { cells: [format.shortDate(model.from), words.opening, '', '', money(model.opening)] },
      ...model.lines.map(({ on, label, debit, credit, balance }) => ({
        cells: [format.shortDate(on), label, money(debit), money(credit), money(balance)],
      })),
    ],
    totals: [{ label: words.closing, values: [money(model.closing)] }],
    carried: {
      out: labels.carriedOut,
      in: labels.carriedIn,
      // The first row is the opening balance.
      values: (count) => [money(model.lines[count - 2]?.balance ?? model.opening)],
    },
  });
  if (model.lines.length === 0) flow.paragraph(words.nothing, { size: 9 });
  return finishForm(flow, head);
}

function checkBalances({ currency, opening, lines, closing }: StatementModel): void {
  const minor = (amount: string | null | undefined): bigint => (amount ? signedMinor(amount, currency) : 0n);
  let balance = minor(opening);
  for (const line of lines) {
    balance += minor(line.debit) - minor(line.credit);
    if (minor(line.balance) !== balance) throw broken();
  }
  if (minor(closing) !== balance) throw broken();
}

const broken = (): DomainError => new DomainError('statementBroken', 'The balances of the statement do not add up.');
