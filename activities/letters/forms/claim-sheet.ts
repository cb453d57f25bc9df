import type { LocalDate } from '../../../domain/time/dates.ts';
import { formatAmount, parseAmount } from '../../../domain/money.ts';
import { formatterFor, languageOf, type Formatter } from '../../mail/format.ts';
import { readLabels } from '../../mail/templates.ts';
import { runningSums } from '../amounts.ts';
import { draw } from '../draw.ts';
import type { Flow } from '../flow.ts';
import type { Layout } from '../page.ts';
import { putTable } from '../table.ts';
import { CLAIM_SHEET_WORDS, type ClaimSheetWords } from './claim-sheet-words.ts';
import { finishForm, putParties, startForm, type FormParty } from './form.ts';

/** How far a message of ours came; a letter is dispatched, refused or returned. */
export type SheetDelivery =
  'sent' | 'dispatched' | 'delivered' | 'failed' | 'unknown' | 'refused' | 'returned' | 'none';

/** What is claimed in one currency. Amounts are decimal strings in it. */
export interface SheetClaim {
  currency: string;
  invoices: readonly { number: string; issuedOn: LocalDate; dueOn: LocalDate; total: string; open: string }[];
  principal: string;
  /** What is null or left out is not claimed and not printed. */
  interest?: string | null;
  compensation?: string | null;
  costs?: string | null;
  total: string;
  /** How interest goes on: rate, last day counted. Free text. */
  interestNote?: string | null;
}

/** Everything an agency needs to know of a claim. Free texts may hold anything that can be printed. */
export interface ClaimSheetModel {
  locale: string;
  date: LocalDate;
  /** Of the placement, to be quoted. */
  reference: string;
  creditor: FormParty & { iban?: string | null };
  debtor: FormParty;
  contacts: readonly { name?: string | null; role?: string | null; email?: string | null; phone?: string | null }[];
  /** One per currency. */
  claims: readonly SheetClaim[];
  payments: readonly {
    on: LocalDate;
    amount: string;
    currency: string;
    invoiceNumber?: string | null;
    reference?: string | null;
  }[];
  /** What was sent and said, oldest first, in the words of the sheet's language. */
  history: readonly { on: LocalDate; what: string; delivery: SheetDelivery; tracking?: string | null }[];
  disputes: readonly {
    openedOn: LocalDate;
    invoiceNumber: string;
    about: string;
    amount?: string | null;
    currency: string;
    outcome?: string | null;
  }[];
  notices: readonly {
    dispatchedOn: LocalDate;
    deliveredOn?: LocalDate | null;
    deadline?: LocalDate | null;
    tracking?: string | null;
  }[];
}

/**
 * The claim sheet for a collection agency as a PDF; equal models give equal bytes.
 * @throws DomainError `amountInvalid` and its like for amounts that are none
 */
export async function renderClaimSheet(model: ClaimSheetModel): Promise<Uint8Array> {
  return draw(layoutClaimSheet(model));
}

export function layoutClaimSheet(model: ClaimSheetModel): Layout {
  const words = CLAIM_SHEET_WORDS[languageOf(model.locale)];
  const format = formatterFor(model.locale);
  const { locale, date, reference } = model;
  const head = {
    locale,
    title: words.title,
    subtitle: model.debtor.name,
    date,
    issuer: model.creditor.name,
    reference,
  };
  const flow = startForm(head);
  putParties(flow, { role: words.creditor, party: model.creditor }, { role: words.debtor, party: model.debtor });
  if (model.creditor.iban) flow.details([[words.iban, model.creditor.iban]]);
  for (const claim of model.claims) putClaim(flow, claim, model, words, format);
  putContacts(flow, model, words);
  putPayments(flow, model, words, format);
  putNotices(flow, model, words, format);
  putHistory(flow, model, words, format);
  putDisputes(flow, model, words, format);
  return finishForm(flow, head);
}

function putClaim(
  flow: Flow,
  claim: SheetClaim,
  model: ClaimSheetModel,
  words: ClaimSheetWords,
  format: Formatter,
): void {
  const money = (amount: string): string => format.money(amount, claim.currency);
  const labels = readLabels(languageOf(model.locale));
  const sums = runningSums(claim.invoices.map((invoice) => parseAmount(invoice.open, claim.currency)));
  flow.heading(model.claims.length > 1 ? `${words.claim} (${claim.currency})` : words.claim);
  putTable(flow, {
    columns: [
      { title: labels.invoice, share: 30 },
      { title: labels.letter.issued, share: 18 },
      { title: labels.due, share: 18 },
      { title: labels.letter.invoiceTotal, share: 20, align: 'right' },
      { title: words.open, share: 20, align: 'right' },
    ],
    rows: claim.invoices.map((invoice) => ({
      cells: [
        invoice.number,
        format.shortDate(invoice.issuedOn),
        format.shortDate(invoice.dueOn),
        money(invoice.total),
        money(invoice.open),
      ],
    })),
    totals: [{ label: words.principal, values: [money(claim.principal)] }],
    carried: {
      out: labels.letter.carriedOut,
      in: labels.letter.carriedIn,
      values: (count) => [money(formatAmount(sums[count] ?? 0n, claim.currency))],
    },
  });
  const parts = [
    [words.principal, claim.principal],
    [words.interest, claim.interest],
    [words.compensation, claim.compensation],
    [words.costs, claim.costs],
  ] as const;
  flow.figures([
    ...parts.flatMap(([label, amount]) => (amount ? [{ label, value: money(amount) }] : [])),
    { label: words.total, value: money(claim.total), sum: true },
  ]);
  if (claim.interestNote) flow.paragraph(claim.interestNote, { size: 9 });
}

function putContacts(flow: Flow, model: ClaimSheetModel, words: ClaimSheetWords): void {
  flow.heading(words.contacts);
  if (model.contacts.length === 0) return flow.paragraph(words.none, { size: 9 });
  putTable(flow, {
    columns: [
      { title: words.name, share: 30 },
      { title: words.role, share: 20 },
      { title: words.email, share: 32 },
      { title: words.phone, share: 18 },
    ],
    rows: model.contacts.map(({ name, role, email, phone }) => ({
      cells: [name ?? '', role ?? '', email ?? '', phone ?? ''],
    })),
  });
}

function putPayments(flow: Flow, model: ClaimSheetModel, words: ClaimSheetWords, format: Formatter): void {
  flow.heading(words.payments);
  if (model.payments.length === 0) return flow.paragraph(words.none, { size: 9 });
  putTable(flow, {
    columns: [
      { title: words.on, share: 18 },
      { title: words.invoice, share: 26 },
      { title: words.reference, share: 36 },
      { title: words.amount, share: 20, align: 'right' },
    ],
    rows: model.payments.map(({ on, amount, currency, invoiceNumber, reference }) => ({
      cells: [format.shortDate(on), invoiceNumber ?? '', reference ?? '', format.money(amount, currency)],
    })),
  });
}

function putNotices(flow: Flow, model: ClaimSheetModel, words: ClaimSheetWords, format: Formatter): void {
  flow.heading(words.notices);
  if (model.notices.length === 0) return flow.paragraph(words.none, { size: 9 });
  const day = (date: LocalDate | null | undefined): string => (date ? format.shortDate(date) : '');
  putTable(flow, {
    columns: [
      { title: words.dispatched, share: 22 },
      { title: words.delivered, share: 22 },
      { title: words.deadline, share: 22 },
      { title: words.tracking, share: 34 },
    ],
    rows: model.notices.map(({ dispatchedOn, deliveredOn, deadline, tracking }) => ({
      cells: [day(dispatchedOn), day(deliveredOn), day(deadline), tracking ?? ''],
    })),
  });
}

function putHistory(flow: Flow, model: ClaimSheetModel, words: ClaimSheetWords, format: Formatter): void {
  flow.heading(words.history);
  if (model.history.length === 0) return flow.paragraph(words.none, { size: 9 });
  putTable(flow, {
    columns: [
      { title: words.on, share: 17 },
      { title: words.what, share: 43 },
      { title: words.delivery, share: 18 },
      { title: words.tracking, share: 22 },
    ],
    rows: model.history.map(({ on, what, delivery, tracking }) => ({
      cells: [format.shortDate(on), what, words.deliveries[delivery], tracking ?? ''],
    })),
  });
}

function putDisputes(flow: Flow, model: ClaimSheetModel, words: ClaimSheetWords, format: Formatter): void {
  flow.heading(words.disputes);
  if (model.disputes.length === 0) return flow.paragraph(words.none, { size: 9 });
  putTable(flow, {
    columns: [
      { title: words.on, share: 17 },
      { title: words.invoice, share: 23 },
      { title: words.about, share: 24 },
      { title: words.amount, share: 18, align: 'right' },
      { title: words.outcome, share: 18 },
    ],
    rows: model.disputes.map(({ openedOn, invoiceNumber, about, amount, currency, outcome }) => ({
      cells: [
        format.shortDate(openedOn),
        invoiceNumber,
        about,
        amount ? format.money(amount, currency) : '',
        outcome ?? words.stillOpen,
      ],
    })),
  });
}
