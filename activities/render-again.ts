import type { Db } from '../db/database.ts';
import { findTemplate } from '../db/repositories/templates.ts';
import { languageOf } from './mail/format.ts';
import type { MessageModel } from './mail/message-model.ts';
import { renderMessage, type RenderedMessage } from './mail/render.ts';

/** A message that was written before: its template, the version of the creditor's own text, and what it said. */
export interface WrittenBefore {
  creditorId: string;
  template: string;
  /** Null for the built-in text. */
  version: number | null;
  /** A `MessageModel` as it was kept. */
  model: object;
}

/** Puts it into the same words again, with the text of its day. Throws `DomainError` `templateFailed`, `unknownTemplate`. */
export async function renderAgain(db: Db, before: WrittenBefore): Promise<RenderedMessage> {
  const { creditorId, template, version } = before;
  const model = before.model as MessageModel;
  const own =
    version === null ? undefined : await findTemplate(db, creditorId, template, languageOf(model.locale), version);
  return renderMessage(template, model, own?.parts ?? undefined);
}
