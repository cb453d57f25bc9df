import type { LocalDate } from '../time/dates.ts';
import type { Instant } from '../time/zones.ts';
import type { Stage } from './facts.ts';

/** A case's timeline as a document for people outside: what happened, and whether the record of it still holds. */
export interface TimelineDocument {
  /** Language tag of the creditor. */
  locale: string;
  creditor: { name: string; addressLines: string[]; timeZone: string };
  customer: { name: string; reference: string };
  /** Amounts are decimal strings in `currency`. */
  invoice: {
    id: string;
    number: string;
    issuedOn: LocalDate;
    dueOn: LocalDate;
    amount: string;
    balance: string;
    currency: string;
    stage: Stage;
  };
  /** The business instant at which it was made. */
  madeAt: Instant;
  events: {
    n: number;
    at: Instant;
    kind: string;
    actor: string;
    /** One sentence, in English as on the API. */
    summary: string;
    /** Its text was erased. */
    erased: boolean;
    /** SHA-256, hexadecimal. */
    hash: string;
  }[];
  verification: {
    holds: boolean;
    /** One sentence each; empty when it holds. */
    problems: string[];
    /** Events up to this number are also held by a head of the creditor; 0: none yet. */
    anchored: number;
    /** The latest head of the creditor. */
    head: { n: number; on: LocalDate; hash: string } | null;
  };
}
