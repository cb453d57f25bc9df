import type { Db } from '../db/database.ts';
import { recipientKeyOf } from '../db/repositories/customer-facts.ts';
import { loadParties } from '../db/repositories/message-data.ts';
import type { Fault } from '../domain/errors.ts';
import type { KnownTemplate, Language, TemplateParts } from '../domain/policy/templates.ts';
import type { Channel, Tone } from '../domain/policy/types.ts';
import { addDays, type LocalDate } from '../domain/time/dates.ts';
import { languageOf } from './mail/format.ts';
import { templateFaults } from './mail/judge.ts';
import type { MessageModel } from './mail/message-model.ts';
import { renderMessage, type RenderedMessage } from './mail/render.ts';
import { SAMPLE_REFERENCE, sampleModel } from './mail/samples.ts';
import { partsOf, readTemplate } from './mail/templates.ts';
import { gatherMessage } from './write-message.ts';

/** What stands on paper beside the message: where the creditor posts its letters, and its registrations. */
export interface Letterhead {
  country: string;
  city: string | null;
  registrationId: string | null;
  vatId: string | null;
}

/** Puts a message on paper as it would be printed, in the words of `parts`. */
export type RenderPdf = (letter: {
  template: KnownTemplate;
  model: MessageModel;
  parts: TemplateParts;
  letterhead: Letterhead;
}) => Promise<Uint8Array>;

/** What is to be previewed: a text, and what it is filled in for. */
export interface PreviewOrder {
  template: KnownTemplate;
  language: Language;
  parts: TemplateParts;
  channel: Channel;
  tone: Tone;
  /** An invoice of the creditor's with the amount asked in minor units; null: an invented case. */
  real: { customerId: string; invoiceId: string; amountMinor: bigint; currency: string; today: LocalDate } | null;
}

/** What the API needs of texts: their words, their faults and how they look. */
export interface TemplateTexts {
  builtIn(template: KnownTemplate, language: Language): TemplateParts;
  /** Everything that keeps a text from being used; pointers name the part. */
  faultsOf(template: KnownTemplate, language: Language, parts: TemplateParts): Fault[];
  /** Reads only. Throws `DomainError` `templateFailed` when the text cannot be filled in for this case. */
  preview(db: Db, order: PreviewOrder): Promise<RenderedMessage>;
  /** The same on paper; null where nothing prints. */
  previewPdf: ((db: Db, order: PreviewOrder, letterhead: Letterhead) => Promise<Uint8Array>) | null;
}

/** @param renderPdf makes the paper; null where nothing prints */
export function createTemplateTexts(renderPdf: RenderPdf | null): TemplateTexts {
  return {
    builtIn: (template, language) => partsOf(readTemplate(template, language)),
    faultsOf: templateFaults,
    async preview(db, order) {
      return renderMessage(order.template, await modelFor(db, order), order.parts);
    },
    previewPdf:
      renderPdf &&
      (async (db, order, letterhead) => {
        const { template, parts } = order;
        return await renderPdf({ template, parts, letterhead, model: await modelFor(db, order) });
      }),
  };
}

async function modelFor(db: Db, order: PreviewOrder): Promise<MessageModel> {
  const { template, language, channel, tone, real } = order;
  if (real === null) return sampleModel(template, language, { channel, tone, invoices: 'few', lean: false });
  const { customer } = await loadParties(db, real.customerId);
  const to = customer.contacts.flatMap((person) => (person.email ? [recipientKeyOf(person.email)] : [])).slice(0, 1);
  const { customerId, today } = real;
  const { model } = await gatherMessage(
    db,
    { customerId, template, tone, channel, to, cc: [], today, items: [real] },
    SAMPLE_REFERENCE,
  );
  return {
    ...model,
    // The language asked for, in the customer's own regional form where it is the customer's.
    locale: languageOf(model.locale) === language ? model.locale : language,
    ...(template === 'plan-note' && !model.instalments ? { instalments: supposedInstalments(model) } : {}),
    ...((template === 'plan-due' || template === 'plan-late') && !model.instalment ? supposedPlan(model) : {}),
  };
}

/** All that is asked for in a month, where no plan says otherwise. */
const supposedInstalments = (model: MessageModel): NonNullable<MessageModel['instalments']> =>
  model.tables.map(({ total, currency }) => ({ dueOn: addDays(model.today, 30), amount: total, currency }));

/** A plan of one instalment, as if it had been agreed for all that is asked for. */
function supposedPlan(model: MessageModel): Partial<MessageModel> {
  const [first] = supposedInstalments(model);
  if (!first) return {};
  return { tables: [], instalment: { ...first, n: 1, of: 1, lastGraceDay: addDays(first.dueOn, 3) } };
}
