import type { Instant } from '../domain/time/zones.ts';

/** Who does something, when by the business clock, and why: handed to every function that writes. */
export interface Act {
  /** `system`, `bank`, a key's name, or a key's name with the person behind it: `desk (jane)`. */
  actor: string;
  at: Instant;
  /** Free text of a person; kept beside the events' chain, never in a payload. */
  reason?: string | null;
}

/** What the program does by itself. */
export const systemAct = (at: Instant): Act => ({ actor: 'system', at });

/** What a bank's message brings about. */
export const bankAct = (at: Instant): Act => ({ actor: 'bank', at });
