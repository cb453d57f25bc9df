import type { PostalAddress } from '../address.ts';
import type { Claim } from '../law/claim.ts';
import type { LocalDate } from '../time/dates.ts';
import type { Instant } from '../time/zones.ts';

/** Everything an agency is given about a placement, as read at one moment. Bytes of documents come beside it. */
export interface ClaimFacts {
  /** When the file is made, by the business clock, and that date at the creditor's. */
  at: Instant;
  asOf: LocalDate;
  placement: { id: string; placedOn: LocalDate; amountMinor: bigint; status: string };
  agency: { id: string; name: string; reference: string | null };
  creditor: Party & { timeZone: string; iban: string | null; email: string; replyTo: string | null };
  debtor: Party & {
    id: string;
    reference: string;
    kind: string;
    contacts: readonly { name?: string; role?: string; email?: string; phone?: string }[];
  };
  invoice: {
    id: string;
    number: string;
    issuedOn: LocalDate;
    dueOn: LocalDate;
    amountMinor: bigint;
    balanceMinor: bigint;
    currency: string;
    references: readonly string[];
    orderReference: string | null;
    vat: readonly { rate: string; net: string; vat: string }[];
    limitationOn: LocalDate | null;
  };
  /** What is claimed beside the principal, as of `asOf`; null where the policy claims nothing, or a rate is not known. */
  claim: Claim | null;
  /** Oldest first; signed minor units of the invoice's currency: more is owed +, less −. */
  account: readonly AccountLine[];
  /** What left for the customer about this invoice, oldest first. */
  messages: readonly ClaimMessage[];
  disputes: readonly {
    openedOn: LocalDate;
    category: string;
    amountMinor: bigint | null;
    status: string;
    resolvedOn: LocalDate | null;
  }[];
  /** The case's events, oldest first, with the hashes that chain them. */
  events: readonly {
    n: number;
    at: Instant;
    kind: string;
    actor: string;
    data: Readonly<Record<string, unknown>>;
    textDigest: string | null;
    prevHash: string;
    hash: string;
  }[];
  /** What the chain of events should end in. */
  headHash: string;
}

export interface Party {
  name: string;
  country: string;
  locale: string;
  address: PostalAddress | null;
  registrationId: string | null;
  vatId: string | null;
}

/** One movement of what is owed on the invoice. */
export interface AccountLine {
  on: LocalDate;
  /** Of the journal entry: `invoiceRegistered`, `allocated`, `creditAllocated`, `allocationUndone`, … */
  kind: string;
  amountMinor: bigint;
  /** What the payer or the credit note said; null where nothing did. */
  reference: string | null;
  /** How the money came; null for what is no money. */
  method: string | null;
}

export interface ClaimMessage {
  id: string;
  kind: string;
  channel: string;
  status: string;
  /** The steps of the ladder that it took for this invoice. */
  steps: readonly string[];
  /** What it asked for on this invoice, minor units. */
  amountMinor: bigint;
  subject: string | null;
  to: readonly string[];
  cc: readonly string[];
  queuedAt: Instant;
  sentAt: Instant | null;
  finishedAt: Instant | null;
  errorCode: string | null;
  post: {
    dispatchedOn: LocalDate | null;
    deliveredOn: LocalDate | null;
    refusedOn: LocalDate | null;
    returnedOn: LocalDate | null;
    trackingNumber: string | null;
  };
}
