import type { HolidaysOf } from '../db/repositories/customer-facts.ts';
import type { Db } from '../db/database.ts';
import type { Holidays } from '../domain/time/working-days.ts';
import type { Instant } from '../domain/time/zones.ts';
import type { ClockSetting } from '../domain/time/business-clock.ts';
import type { Logger } from 'pino';
import type { Papers } from './agency/claim-file.ts';
import type { Mailer } from './mail/resend-client.ts';

/** What activities need; built once by the composition root. */
export interface ActivityDeps {
  db: Db;
  clock: BusinessClock;
  holidays: HolidaysOf;
  /** The same around the present year, as a set, cached. */
  holidaySet: (country: string, postalCode: string | null) => Holidays;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  commands: CommandExecutor;
  agencies: AgencyDeps;
  feeds: FeedDeps;
}

/** What it takes to tell agencies something. */
export interface AgencyDeps {
  mailer: Pick<Mailer, 'send'>;
  /** The signing secret of an agency's webhooks, which is stored sealed under a key of the environment. */
  openSecret: (sealed: string, agencyId: string) => string;
  papers: Papers;
  /** Real milliseconds after which an agency that cannot be told becomes a task; 12 hours when left out. */
  patienceMs?: number;
}

/** What it takes to ask providers of payments. */
export interface FeedDeps {
  /** The credentials of a feed as JSON, which are stored sealed under a key of the environment. */
  openCredentials: (sealed: string, feedId: string) => string;
  urls: ProviderUrls;
  /** Real milliseconds after which a provider that gave no answer is asked again at first; 30 seconds when left out. */
  firstPauseMs?: number;
}

/** Where the APIs of providers are. */
export interface ProviderUrls {
  bridge: string;
  gocardless: string;
  gocardlessSandbox: string;
}

/** The way into running cases for what is asked of many of them. */
export interface CommandExecutor {
  /**
   * Hands a stored command over to the running case and waits for its outcome; null where it does not answer in time.
   * `name` is that of an update (`commandUpdates`). Handing it over again joins.
   */
  execute(command: { invoiceId: string; commandId: string; name: string }): Promise<CommandAnswer | null>;
}

export interface CommandAnswer {
  accepted: boolean;
  /** Why it was refused. */
  code: string | null;
}

/** The one clock of business time (design rule 8). */
export interface BusinessClock {
  readonly setting: ClockSetting;
  now(): Instant;
  /** Real milliseconds until a business instant. */
  delayUntil(at: Instant): number;
}
