import type { Logger } from 'pino';
import type { Printer } from '../activities/letters/index.ts';
import type { TemplateTexts } from '../activities/template-texts.ts';
import type { Db } from '../db/database.ts';
import type { HolidaysOf } from '../db/repositories/customer-facts.ts';
import type { IntakeWriter } from '../db/repositories/inbox.ts';
import type { VatReliefDocument } from '../domain/books/vat-relief.ts';
import type { StatementDocument } from '../domain/books/statement.ts';
import type { TimelineDocument } from '../domain/case/timeline-document.ts';
import type { Instant } from '../domain/time/zones.ts';
import type { RenderMessage } from './replay-case.ts';
import type { CommandName, CommandOutcome } from '../workflows/messages.ts';

/** The business clock (design rule 8) as the API reads it. */
export interface ApiClock {
  now(): Instant;
  /** Real milliseconds that 24 business hours last. */
  readonly dayMs: number;
}

/** The API's way into running cases. A fake stands in for Temporal in tests. */
export interface CaseCommands {
  /**
   * Hands the stored command over to the running case and waits for its outcome, 5 real seconds at most. The command's
   * id is the update id: handing it over again joins. Throws `Problem` `outcomeUnknown` when it is not answered in time.
   */
  execute(command: { invoiceId: string; commandId: string; name: CommandName }): Promise<CommandOutcome>;
  /** Whether Temporal answers. */
  isUp(): Promise<boolean>;
}

/** Writes webhooks grouped by commit (`IntakeWriter`); resolves once the row is on disk. */
export type WebhookIntake = Pick<IntakeWriter, 'write' | 'drained'>;

export interface ApiConfig {
  /** The 32 bytes feed secrets are encrypted under. */
  secretKey: Buffer;
  /** Signing secret of the mail provider's delivery webhooks; without it they are refused. */
  deliveryWebhookSecret?: string;
  rateLimitPerMinute: number;
  trustProxy: boolean;
  metricsPublic: boolean;
  /** Where webhook URLs begin; `null`: the host the request came to. */
  publicUrl: string | null;
}

/** Everything the API is built from; `api/server.ts` makes the real ones, tests make theirs. */
export interface ApiDeps {
  db: Db;
  clock: ApiClock;
  commands: CaseCommands;
  intake: WebhookIntake;
  /** Public holidays; injected, since the calendar is a package of the activities. */
  holidays: HolidaysOf;
  /** The words of messages and how they look; injected, since the activities write them. */
  texts: TemplateTexts;
  /** Puts letters into one file for a printer; injected, as the texts are. */
  printer: Printer;
  /** Puts a kept message into words again; injected, since templates belong to the activities. */
  renderMessage: RenderMessage;
  /** Draws a timeline as a PDF; injected, since letters belong to the activities. Without it PDFs are refused. */
  renderTimeline?: (document: TimelineDocument) => Promise<Uint8Array> | Uint8Array;
  /** Draws a customer's statement of account as a PDF; injected for the same reason. */
  renderStatement?: (document: StatementDocument) => Promise<Uint8Array> | Uint8Array;
  /** Draws the duplicate of an invoice whose VAT comes back as a PDF; injected for the same reason. */
  renderVatCorrection?: (document: VatReliefDocument) => Promise<Uint8Array> | Uint8Array;
  logger: Logger | false;
  config: ApiConfig;
}
