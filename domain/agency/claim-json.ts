import { shownPeriods } from '../law/shown-periods.ts';
import { formatAmount } from '../money.ts';
import { isoInstant } from '../time/zones.ts';
import { paidOf, statementOf } from './account.ts';
import type { ClaimFacts, ClaimMessage, Party } from './claim-facts.ts';

/** Moves when a reader of the one before would misread what is written; new members alone do not move it. */
export const CLAIM_SCHEMA = 'relance.claim/1';

/** A file beside `claim.json` in the archive, for the message or invoice it belongs to. */
export interface NamedDocument {
  contactId: string | null;
  name: string;
}

/**
 * The claim as a program reads it (docs/agencies.md, docs/claim-1.schema.json). Amounts are decimal strings in
 * `currency`; what is null is not claimed or not known.
 */
export function claimJson(facts: ClaimFacts, files: readonly NamedDocument[]) {
  const { invoice, placement, agency, creditor, debtor, claim } = facts;
  const amount = (minor: bigint): string => formatAmount(minor, invoice.currency);
  return {
    schema: CLAIM_SCHEMA,
    generatedAt: isoInstant(facts.at),
    asOf: facts.asOf,
    placement: {
      id: placement.id,
      placedOn: placement.placedOn,
      amount: amount(placement.amountMinor),
      agency: { id: agency.id, name: agency.name, reference: agency.reference },
    },
    creditor: {
      ...partyOf(creditor),
      timeZone: creditor.timeZone,
      iban: creditor.iban,
      email: creditor.replyTo ?? creditor.email,
    },
    debtor: {
      id: debtor.id,
      reference: debtor.reference,
      kind: debtor.kind,
      ...partyOf(debtor),
      contacts: debtor.contacts.map(({ name = null, role = null, email = null, phone = null }) => ({
        name,
        role,
        email,
        phone,
      })),
    },
    invoice: {
      id: invoice.id,
      number: invoice.number,
      issuedOn: invoice.issuedOn,
      dueOn: invoice.dueOn,
      amount: amount(invoice.amountMinor),
      currency: invoice.currency,
      vat: invoice.vat,
      references: invoice.references,
      orderReference: invoice.orderReference,
      limitationOn: invoice.limitationOn,
      file: files.find(({ contactId }) => contactId === null)?.name ?? null,
    },
    claim: {
      currency: invoice.currency,
      principal: amount(invoice.balanceMinor),
      interest: claim && amount(claim.interestMinor),
      compensation: claim && amount(claim.compensationMinor),
      costs: claim && amount(claim.costsMinor),
      total: amount(claim?.totalMinor ?? invoice.balanceMinor),
      perDay: claim && amount(claim.perDayMinor),
      periods: claim === null ? [] : shownPeriods(claim),
      sources: claim?.sources ?? [],
      paid: amount(paidOf(facts.account)),
      balance: amount(invoice.balanceMinor),
    },
    account: statementOf(facts.account).map((line) => ({
      on: line.on,
      kind: line.kind,
      debit: line.amountMinor > 0n ? amount(line.amountMinor) : null,
      credit: line.amountMinor < 0n ? amount(-line.amountMinor) : null,
      balance: formatAmount(line.balanceMinor, invoice.currency),
      method: line.method,
      reference: line.reference,
    })),
    disputes: facts.disputes.map((dispute) => ({
      openedOn: dispute.openedOn,
      category: dispute.category,
      amount: dispute.amountMinor === null ? null : amount(dispute.amountMinor),
      status: dispute.status,
      resolvedOn: dispute.resolvedOn,
    })),
    messages: facts.messages.map((message) => messageJson(message, amount(message.amountMinor), files)),
    timeline: { file: 'timeline.json', events: facts.events.length, headHash: facts.headHash },
  };
}

/** The events with their hashes, so that whoever has the file can check the chain (docs/agencies.md). */
export function timelineJson(facts: ClaimFacts) {
  return {
    schema: 'relance.timeline/1',
    invoiceId: facts.invoice.id,
    invoiceNumber: facts.invoice.number,
    headHash: facts.headHash,
    events: facts.events.map(({ n, at, kind, actor, data, textDigest, prevHash, hash }) => ({
      n,
      at: isoInstant(at),
      kind,
      actor,
      data,
      textDigest,
      prevHash,
      hash,
    })),
  };
}

function messageJson(message: ClaimMessage, amount: string, files: readonly NamedDocument[]) {
  const { id, kind, channel, status, steps, subject, to, cc, errorCode, post } = message;
  return {
    id,
    kind,
    channel,
    status,
    steps,
    amount,
    subject,
    to,
    cc,
    sentAt: isoOrNull(message.sentAt),
    finishedAt: isoOrNull(message.finishedAt),
    errorCode,
    ...post,
    files: files.filter((file) => file.contactId === id).map(({ name }) => name),
  };
}

const isoOrNull = (at: number | null): string | null => (at === null ? null : isoInstant(at));

const partyOf = ({ name, country, locale, address, registrationId, vatId }: Party) => ({
  name,
  country,
  locale,
  address,
  registrationId,
  vatId,
});
