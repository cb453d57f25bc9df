import type { TimelineDocument } from '../../domain/case/timeline-document.ts';
import { localDate } from '../../domain/time/zones.ts';
import { languageOf, type Language } from '../mail/format.ts';
import { renderTimeline } from './forms/timeline.ts';

const TITLES: Readonly<Record<Language, string>> = {
  fr: 'Historique du dossier',
  de: 'Verlauf des Vorgangs',
  en: 'Timeline of the case',
};

/** A timeline with its hashes and whether they hold, as a PDF. What happened is said in English, as on the API. */
export async function timelinePdf(document: TimelineDocument): Promise<Uint8Array> {
  const { locale, creditor, customer, invoice, events, verification, madeAt } = document;
  return await renderTimeline({
    locale,
    timeZone: creditor.timeZone,
    date: localDate(madeAt, creditor.timeZone),
    title: `${TITLES[languageOf(locale)]} · ${customer.name}`,
    invoiceNumber: invoice.number,
    creditor: creditor.name,
    rows: events.map(({ at, kind, actor, summary, hash }) => ({ at, event: kind, actor, summary, hash })),
    headHash: events.at(-1)?.hash ?? null,
    verification,
  });
}
