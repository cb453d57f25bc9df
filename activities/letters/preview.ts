import { TEMPLATES } from '../../domain/policy/templates.ts';
import type { RenderPdf } from '../template-texts.ts';
import { renderLetterMessage } from './letter-message.ts';

/**
 * A text as it would be printed, also where the sample goes by another channel.
 * @throws DomainError as `renderLetterMessage`
 */
export const renderPreviewPdf: RenderPdf = async ({ template, model, parts, letterhead }) => {
  const { channels } = TEMPLATES[template];
  const channel =
    model.channel === 'registeredLetter' && channels.includes('registeredLetter') ? model.channel : 'letter';
  const details = {
    creditorCountry: letterhead.country,
    place: letterhead.city,
    registration: letterhead.registrationId,
    vatId: letterhead.vatId,
  };
  const { pdf } = await renderLetterMessage(template, { ...model, channel }, details, parts);
  return pdf;
};
