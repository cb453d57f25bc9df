import { DomainError } from '../../domain/errors.ts';
import { TEMPLATES, type TemplateParts } from '../../domain/policy/templates.ts';
import type { MessageModel } from '../mail/message-model.ts';
import { renderMessage, renderParts } from '../mail/render.ts';
import { isTemplateName } from '../mail/templates.ts';
import { groupedIban } from '../mail/view.ts';
import { countryOf, postalLines } from './address.ts';
import { renderLetter } from './letter.ts';

/** What a letter needs beside its message. */
export interface LetterDetails {
  /** Where the creditor posts its letters (ISO 3166-1 alpha-2). */
  creditorCountry: string;
  /** The town before the date. */
  place?: string | null;
  /** For the footer, as they are to be printed. */
  registration?: string | null;
  vatId?: string | null;
  /** Who signs a formal notice, where that is known. */
  signatory?: string | null;
}

export interface RenderedLetter {
  /** One line, with the reference in square brackets, as for an e-mail. */
  subject: string;
  /** The letter as plain text. */
  text: string;
  pdf: Uint8Array;
}

/**
 * Renders a message as a letter, from the same template as its e-mail. `model.channel` is `letter` or `registeredLetter`;
 * the last of the customer's address lines may be a country code. `own` are a creditor's own words.
 *
 * @throws DomainError as `renderMessage` and `renderLetter`; `templateFailed` for a template that is not for letters, another
 * channel or a customer without an address
 */
export async function renderLetterMessage(
  template: string,
  model: MessageModel,
  letter: LetterDetails,
  own?: TemplateParts,
): Promise<RenderedLetter> {
  const { subject, text } = renderMessage(template, model, own);
  if (!isTemplateName(template) || !TEMPLATES[template].channels.includes(model.channel) || !isPost(model.channel)) {
    throw new DomainError('templateFailed', `The template ${template} is not for the channel ${model.channel}.`);
  }
  if (model.customer.addressLines.every((line) => line.trim() === '')) {
    throw new DomainError('templateFailed', `The template ${template} cannot be rendered: there is no address.`);
  }
  const parts = renderParts(template, model, own);
  const { creditor, customer, reference } = model;
  const from = letter.creditorCountry;
  const to = model.country ?? countryOf(customer.addressLines) ?? from;
  const pdf = await renderLetter({
    locale: model.locale,
    fromCountry: from,
    sender: {
      name: creditor.name,
      addressLines: postalLines(creditor.addressLines, from, to !== from),
      contact: creditor.replyTo,
      registration: letter.registration ?? null,
      vatId: letter.vatId ?? null,
    },
    recipientLines: [customer.name, ...postalLines(customer.addressLines, from)],
    registered: model.channel === 'registeredLetter',
    place: letter.place ?? null,
    date: model.today,
    subject: withoutReference(parts.subject, reference),
    reference,
    lead: parts.lead,
    tables: model.tables,
    payment: {
      beneficiary: creditor.name,
      iban: creditor.iban === null ? null : groupedIban(creditor.iban),
      reference,
      portalUrl: model.portalUrl,
    },
    close: parts.close,
    signature: template === 'formal-notice' ? { name: letter.signatory ?? null } : null,
  });
  return { subject, text, pdf };
}

const isPost = (channel: MessageModel['channel']): boolean => channel === 'letter' || channel === 'registeredLetter';

/** The reference has a line of its own on paper. */
function withoutReference(subject: string, reference: string): string {
  const end = ` [${reference}]`;
  return subject.endsWith(end) ? subject.slice(0, -end.length) : subject;
}
