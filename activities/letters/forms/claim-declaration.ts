import { DomainError } from '../../../domain/errors.ts';
import { formatAmount, parseAmount } from '../../../domain/money.ts';
import type { LocalDate } from '../../../domain/time/dates.ts';
import { formatterFor, type Formatter } from '../../mail/format.ts';
import { runningSums } from '../amounts.ts';
import { draw } from '../draw.ts';
import type { Flow } from '../flow.ts';
import { furnishLetter, letterFlow, type LetterHead } from '../letter-head.ts';
import { signingLine } from '../letter.ts';
import type { Layout } from '../page.ts';
import { putTable, type Column } from '../table.ts';
import { printable } from '../text.ts';
import type { FormParty } from './form.ts';

/** The proceedings of book VI of the Code de commerce. */
export type Proceedings = 'safeguard' | 'receivership' | 'liquidation' | 'other';

/** A sum that was due before the judgment. `total` is what is added up; the parts are shown where there are any. */
export interface DueClaim {
  number: string;
  issuedOn: LocalDate;
  dueOn: LocalDate;
  principal: string;
  interest?: string | null;
  compensation?: string | null;
  total: string;
}

/**
 * A declaration of claims to the mandataire judiciaire or liquidateur (C. com. L622-24, L622-25, R622-22 to R622-24). It is
 * always in French. Amounts are decimal strings in the currency; addresses are lines as they are to be printed.
 */
export interface ClaimDeclarationModel {
  date: LocalDate;
  /** Where it is signed. */
  place?: string | null;
  reference: string;
  /** Country from which it is posted; also decides where the address stands. */
  fromCountry: string;
  creditor: FormParty & { representative?: string | null };
  debtor: FormParty & { siren?: string | null };
  trustee: { name: string; addressLines: readonly string[] };
  proceedings: Proceedings;
  judgmentOn: LocalDate;
  court?: string | null;
  /** Of the notice in the BODACC. */
  publishedOn?: LocalDate | null;
  /** Last day for declaring: two months from the notice, four for creditors outside of mainland France. */
  lastDay?: LocalDate | null;
  currency: string;
  due: readonly DueClaim[];
  /** Invoices of before the judgment that fall due after it. */
  notYetDue: readonly { number: string; issuedOn: LocalDate; dueOn: LocalDate; amount: string }[];
  /** The last day interest is counted for; needed where there is any. */
  interestUntil?: LocalDate | null;
  total: string;
  /** What is enclosed; by default copies of the invoices. */
  enclosures?: readonly string[];
}

const LOCALE = 'fr-FR';
const PROCEEDINGS: Readonly<Record<Proceedings, string>> = {
  safeguard: 'sauvegarde',
  receivership: 'redressement judiciaire',
  liquidation: 'liquidation judiciaire',
  other: 'procédure collective',
};
const ENCLOSURES = ['Copie des factures', 'Relevé de compte'];

/**
 * The filled declaration as a PDF, to be signed and posted; equal models give equal bytes.
 * @throws DomainError `declarationBroken` when the sums do not add up to the total; `unprintable`, `addressTooLong`;
 * `amountInvalid` and its like
 */
export async function renderClaimDeclaration(model: ClaimDeclarationModel): Promise<Uint8Array> {
  return draw(layoutClaimDeclaration(model));
}

export function layoutClaimDeclaration(model: ClaimDeclarationModel): Layout {
  const { creditor, debtor, reference, date } = model;
  const format = formatterFor(LOCALE);
  const sums = sumsOf(model);
  const head: LetterHead = {
    locale: LOCALE,
    fromCountry: model.fromCountry,
    sender: {
      name: creditor.name,
      addressLines: creditor.addressLines,
      contact: creditor.email ?? null,
      registration: creditor.registration ?? null,
      vatId: creditor.vatId ?? null,
    },
    recipientLines: [model.trustee.name, ...model.trustee.addressLines],
    registered: true,
    place: model.place ?? null,
    date,
    reference,
  };
  const flow = letterFlow(head);
  flow.paragraph('DÉCLARATION DE CRÉANCE', { size: 14, weight: 'bold', after: 0.5 });
  flow.paragraph('Articles L622-24, L622-25 et R622-22 à R622-24 du Code de commerce', {
    size: 8.5,
    grey: true,
    after: 4,
  });
  putProceedings(flow, model, format);
  putDue(flow, model, format, sums.due);
  putNotYetDue(flow, model, format, sums.notYetDue);
  putTotal(flow, model, format, sums);
  flow.heading('Sûretés et privilèges');
  flow.paragraph('Néant. La créance est déclarée à titre chirographaire.');
  flow.heading('Pièces jointes');
  flow.list(model.enclosures ?? ENCLOSURES);
  flow.need(48);
  flow.paragraph('Je certifie sincère et véritable la présente déclaration.');
  flow.paragraph(`${model.place ? `Fait à ${model.place}, le` : 'Fait le'} ${format.longDate(date)}`);
  flow.paragraph(creditor.name, { weight: 'bold' });
  signingLine(flow, 'Nom, qualité et signature', creditor.representative ?? null);
  furnishLetter(flow, head);
  return { title: printable(`Déclaration de créance, ${debtor.name}`), language: 'fr', date, pages: flow.pages };
}

function putProceedings(flow: Flow, model: ClaimDeclarationModel, format: Formatter): void {
  const { creditor, debtor } = model;
  const day = (date: LocalDate | null | undefined): string | null => (date ? format.longDate(date) : null);
  flow.details(
    [
      ['Créancier', [creditor.name, ...creditor.addressLines].join(', ')],
      ['Immatriculation', creditor.registration],
      ['Représenté par', creditor.representative],
      ['Débiteur', [debtor.name, ...debtor.addressLines].join(', ')],
      ['SIREN', debtor.siren],
      ['Procédure', PROCEEDINGS[model.proceedings]],
      ['Jugement d’ouverture', [day(model.judgmentOn), model.court].filter((part) => part).join(', ')],
      ['Publication au BODACC', day(model.publishedOn)],
      ['À déclarer au plus tard le', day(model.lastDay)],
    ],
    46,
  );
}

function putDue(flow: Flow, model: ClaimDeclarationModel, format: Formatter, sums: bigint[]): void {
  flow.heading('Sommes échues au jour du jugement');
  if (model.due.length === 0) return flow.paragraph('Néant.');
  const money = moneyIn(model.currency, format);
  const interest = model.due.some((one) => one.interest);
  const compensation = model.due.some((one) => one.compensation);
  const columns: Column[] = [
    { title: 'Facture', share: 26 },
    { title: 'Émise le', share: 17 },
    { title: 'Échéance', share: 17 },
    { title: 'Principal', share: 19, align: 'right' },
    ...(interest ? [{ title: 'Intérêts', share: 16, align: 'right' } as const] : []),
    ...(compensation ? [{ title: 'Indemnité', share: 15, align: 'right' } as const] : []),
    { title: 'Total', share: 19, align: 'right' },
  ];
  putTable(flow, {
    columns,
    rows: model.due.map((one) => ({
      cells: [
        one.number,
        format.shortDate(one.issuedOn),
        format.shortDate(one.dueOn),
        money(one.principal),
        ...(interest ? [money(one.interest)] : []),
        ...(compensation ? [money(one.compensation)] : []),
        money(one.total),
      ],
    })),
    totals: [{ label: 'Total échu', values: [money(formatAmount(sums.at(-1)!, model.currency))] }],
    carried: {
      out: 'À reporter',
      in: 'Report',
      values: (count) => [money(formatAmount(sums[count]!, model.currency))],
    },
  });
  if (interest && model.interestUntil) {
    flow.paragraph(
      `Intérêts de retard calculés jusqu’au ${format.longDate(model.interestUntil)} inclus (articles L441-10 et L622-28 du Code de commerce).`,
      { size: 9 },
    );
  }
}

function putNotYetDue(flow: Flow, model: ClaimDeclarationModel, format: Formatter, sums: bigint[]): void {
  flow.heading('Sommes à échoir');
  if (model.notYetDue.length === 0) return flow.paragraph('Néant.');
  const money = moneyIn(model.currency, format);
  putTable(flow, {
    columns: [
      { title: 'Facture', share: 40 },
      { title: 'Émise le', share: 20 },
      { title: 'Date d’échéance', share: 20 },
      { title: 'Montant', share: 20, align: 'right' },
    ],
    rows: model.notYetDue.map(({ number, issuedOn, dueOn, amount }) => ({
      cells: [number, format.shortDate(issuedOn), format.shortDate(dueOn), money(amount)],
    })),
    totals: [{ label: 'Total à échoir', values: [money(formatAmount(sums.at(-1)!, model.currency))] }],
    carried: {
      out: 'À reporter',
      in: 'Report',
      values: (count) => [money(formatAmount(sums[count]!, model.currency))],
    },
  });
}

function putTotal(flow: Flow, model: ClaimDeclarationModel, format: Formatter, sums: Sums): void {
  const money = moneyIn(model.currency, format);
  flow.heading('Montant déclaré');
  flow.figures([
    { label: 'Sommes échues', value: money(formatAmount(sums.due.at(-1)!, model.currency)) },
    { label: 'Sommes à échoir', value: money(formatAmount(sums.notYetDue.at(-1)!, model.currency)) },
    { label: 'Total de la créance', value: money(model.total), sum: true },
  ]);
}

interface Sums {
  due: bigint[];
  notYetDue: bigint[];
}

/** The sums from row to row. A declaration that does not add up is not made. */
function sumsOf({ currency, due, notYetDue, total }: ClaimDeclarationModel): Sums {
  const minor = (amount: string | null | undefined): bigint => parseAmount(amount ?? '0', currency);
  const sums = {
    due: runningSums(due.map((one) => minor(one.total))),
    notYetDue: runningSums(notYetDue.map((one) => minor(one.amount))),
  };
  const rowsHold = due.every(
    (one) => minor(one.principal) + minor(one.interest) + minor(one.compensation) === minor(one.total),
  );
  if (!rowsHold || sums.due.at(-1)! + sums.notYetDue.at(-1)! !== minor(total)) {
    throw new DomainError('declarationBroken', 'The sums of the declaration do not add up to its total.');
  }
  return sums;
}

const moneyIn =
  (currency: string, format: Formatter) =>
  (amount: string | null | undefined): string =>
    amount ? format.money(amount, currency) : '';
