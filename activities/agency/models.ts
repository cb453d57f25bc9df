import { statementOf, type StatementLine } from '../../domain/agency/account.ts';
import { addressLines } from '../../domain/address.ts';
import { NOTICE_COPY } from '../../domain/case/requests.ts';
import type { ClaimFacts, ClaimMessage, Party } from '../../domain/agency/claim-facts.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import {
  postalLines,
  type ClaimSheetModel,
  type FormParty,
  type SheetDelivery,
  type StatementModel,
  type TimelineModel,
} from '../letters/index.ts';
import { groupedIban } from '../mail/view.ts';
import { formatterFor, languageOf } from '../mail/format.ts';
import { PAPER_WORDS, type PaperWords } from './words.ts';

/** What the pages of the file are drawn from: plain facts in the creditor's language, amounts as decimal strings. */

export function claimSheetModel(facts: ClaimFacts): ClaimSheetModel {
  const { creditor, debtor, invoice, placement, claim } = facts;
  const { currency } = invoice;
  const words = wordsOf(facts);
  const amount = (minor: bigint): string => formatAmount(minor, currency);
  return {
    locale: creditor.locale,
    date: facts.asOf,
    reference: placement.id,
    creditor: {
      ...partyOf(creditor, creditor.country, creditor.replyTo ?? creditor.email),
      iban: creditor.iban && groupedIban(creditor.iban),
    },
    debtor: partyOf(debtor, creditor.country, null),
    contacts: debtor.contacts.map((person) => ({
      ...person,
      role: person.role === undefined ? null : (words.roles[person.role] ?? person.role),
    })),
    claims: [
      {
        currency,
        invoices: [
          {
            number: invoice.number,
            issuedOn: invoice.issuedOn,
            dueOn: invoice.dueOn,
            total: amount(invoice.amountMinor),
            open: amount(invoice.balanceMinor),
          },
        ],
        principal: amount(invoice.balanceMinor),
        interest: claim && amount(claim.interestMinor),
        compensation: claim && amount(claim.compensationMinor),
        costs: claim === null || claim.costsMinor === 0n ? null : amount(claim.costsMinor),
        total: amount(claim?.totalMinor ?? invoice.balanceMinor),
        interestNote:
          claim === null || claim.perDayMinor === 0n
            ? null
            : words.perDay
                .replace('{amount}', formatterFor(creditor.locale).money(amount(claim.perDayMinor), currency))
                .replace('{source}', claim.sources[0] ?? ''),
      },
    ],
    payments: statementOf(facts.account)
      .filter(({ amountMinor }) => amountMinor < 0n)
      .map((line) => ({
        on: line.on,
        amount: amount(-line.amountMinor),
        currency,
        invoiceNumber: invoice.number,
        reference: line.reference,
      })),
    history: facts.messages.map((message) => ({
      on: dayOf(message, creditor.timeZone),
      what: `${words.kinds[message.kind] ?? message.kind}, ${words.channels[message.channel] ?? message.channel}`,
      delivery: deliveryOf(message),
      tracking: message.post.trackingNumber,
    })),
    disputes: facts.disputes.map((dispute) => ({
      openedOn: dispute.openedOn,
      invoiceNumber: invoice.number,
      about: words.categories[dispute.category] ?? dispute.category,
      amount: dispute.amountMinor === null ? null : amount(dispute.amountMinor),
      currency,
      outcome: dispute.status === 'open' ? null : (words.outcomes[dispute.status] ?? dispute.status),
    })),
    notices: facts.messages
      .filter(({ kind, steps }) => kind === 'formalNotice' && !steps.includes(NOTICE_COPY))
      .map((message) => ({
        dispatchedOn: message.post.dispatchedOn ?? dayOf(message, creditor.timeZone),
        deliveredOn: message.post.deliveredOn,
        deadline: null,
        tracking: message.post.trackingNumber,
      })),
  };
}

export function statementModel(facts: ClaimFacts): StatementModel {
  const { creditor, debtor, invoice } = facts;
  const words = wordsOf(facts);
  const lines = statementOf(facts.account);
  return {
    locale: creditor.locale,
    date: facts.asOf,
    from: lines[0]?.on ?? invoice.issuedOn,
    to: facts.asOf,
    creditor: partyOf(creditor, creditor.country, creditor.replyTo ?? creditor.email),
    customer: partyOf(debtor, creditor.country, null),
    currency: invoice.currency,
    opening: formatAmount(0n, invoice.currency),
    lines: lines.map((line) => ({
      on: line.on,
      label: labelOf(line, invoice.number, words),
      debit: line.amountMinor > 0n ? formatAmount(line.amountMinor, invoice.currency) : null,
      credit: line.amountMinor < 0n ? formatAmount(-line.amountMinor, invoice.currency) : null,
      balance: formatAmount(line.balanceMinor, invoice.currency),
    })),
    closing: formatAmount(lines.at(-1)?.balanceMinor ?? 0n, invoice.currency),
  };
}

export function timelineModel(facts: ClaimFacts): TimelineModel {
  const { creditor, invoice } = facts;
  return {
    locale: creditor.locale,
    timeZone: creditor.timeZone,
    date: facts.asOf,
    title: wordsOf(facts).timeline,
    invoiceNumber: invoice.number,
    creditor: creditor.name,
    rows: facts.events.map(({ at, kind, actor, data, hash }) => ({
      at,
      event: kind,
      actor,
      summary: factsOf(data),
      hash,
    })),
    headHash: facts.headHash === '' ? null : facts.headHash,
  };
}

/** What stays of an event's data on paper: amounts, days and codes, without the ids, which `timeline.json` has. */
function factsOf(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data)
    .filter(([name, value]) => !/(^id|Ids?)$/.test(name) && ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function labelOf(line: StatementLine, number: string, words: PaperWords): string {
  const label = words.entries[line.kind] ?? line.kind;
  const about = line.kind === 'invoiceRegistered' ? number : line.reference;
  return about === null ? label : `${label} ${about}`;
}

/** A letter's way by the post says more than that it left. */
function deliveryOf({ channel, status, post }: ClaimMessage): SheetDelivery {
  if (channel === 'letter' || channel === 'registeredLetter') {
    if (post.returnedOn !== null) return 'returned';
    if (post.refusedOn !== null) return 'refused';
    if (post.deliveredOn !== null) return 'delivered';
    if (post.dispatchedOn !== null) return 'dispatched';
  }
  switch (status) {
    case 'delivered':
    case 'failed':
    case 'unknown':
    case 'sent':
      return status;
    default:
      return 'none';
  }
}

const dayOf = (message: ClaimMessage, zone: string): LocalDate =>
  localDate(message.sentAt ?? message.finishedAt ?? message.queuedAt, zone);

function partyOf(party: Party, fromCountry: string, email: string | null): FormParty {
  const { address } = party;
  return {
    name: party.name,
    // Where no address is known the country says at least where they are.
    addressLines: postalLines(address === null ? [party.country] : addressLines(address), fromCountry),
    registration: party.registrationId,
    vatId: party.vatId,
    email,
    phone: null,
  };
}

const wordsOf = (facts: ClaimFacts): PaperWords => PAPER_WORDS[languageOf(facts.creditor.locale)];
