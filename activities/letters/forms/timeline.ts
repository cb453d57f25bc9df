import type { LocalDate } from '../../../domain/time/dates.ts';
import { languageOf, type Language } from '../../mail/format.ts';
import { readLabels } from '../../mail/templates.ts';
import { draw } from '../draw.ts';
import type { Layout } from '../page.ts';
import { putTable } from '../table.ts';
import { finishForm, startForm } from './form.ts';

/** What happened to an invoice and why. Texts are in the reader's language already. */
export interface TimelineModel {
  locale: string;
  /** IANA zone in which instants are printed; it is named on the page. */
  timeZone: string;
  date: LocalDate;
  title: string;
  invoiceNumber: string;
  /** Whose invoice it is. */
  creditor: string;
  /** Oldest first; `at` is epoch milliseconds, `hash` the hex digest that the event has in the chain. */
  rows: readonly { at: number; event: string; actor: string; summary: string; hash: string }[];
  /** The whole digest of the last event, which stands for all before it; null for an empty timeline. */
  headHash: string | null;
  /** Whether the chain was checked against what was kept of it; left out: nobody looked. */
  verification?: TimelineVerification;
}

export interface TimelineVerification {
  holds: boolean;
  /** What does not hold, one sentence each. */
  problems: readonly string[];
  /** Events up to this number stand under a head of the creditor; 0: none. */
  anchored: number;
  /** The creditor's latest head. */
  head: { n: number; on: LocalDate; hash: string } | null;
}

interface Words {
  invoice: string;
  when: string;
  event: string;
  actor: string;
  summary: string;
  hash: string;
  zone: string;
  head: string;
  explained: string;
  holds: string;
  broken: string;
  /** `{events}`, `{n}` and `{on}` stand for numbers and a date. */
  anchored: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  fr: {
    invoice: 'Facture',
    when: 'Date et heure',
    event: 'Événement',
    actor: 'Par',
    summary: 'Résumé',
    hash: 'Empreinte',
    zone: 'Fuseau horaire',
    head: 'Empreinte finale',
    explained:
      'Chaque événement porte une empreinte SHA-256 calculée avec celle du précédent ; seuls ses premiers caractères figurent ci-dessus. L’empreinte finale engage donc tout l’historique.',
    holds: 'Vérifié : aucun événement n’a été modifié, retiré ni ajouté après coup.',
    broken: 'La vérification a échoué',
    anchored: 'Les {events} premiers événements sont couverts par le scellé n° {n} du {on}',
  },
  de: {
    invoice: 'Rechnung',
    when: 'Zeitpunkt',
    event: 'Ereignis',
    actor: 'Durch',
    summary: 'Zusammenfassung',
    hash: 'Prüfwert',
    zone: 'Zeitzone',
    head: 'Letzter Prüfwert',
    explained:
      'Jedes Ereignis trägt einen SHA-256-Prüfwert, in den der des vorigen eingeht; oben stehen nur dessen erste Zeichen. Der letzte Prüfwert steht damit für den ganzen Verlauf.',
    holds: 'Geprüft: kein Ereignis wurde nachträglich geändert, entfernt oder eingefügt.',
    broken: 'Die Prüfung ist gescheitert',
    anchored: 'Die ersten {events} Ereignisse stehen unter dem Siegel Nr. {n} vom {on}',
  },
  en: {
    invoice: 'Invoice',
    when: 'When',
    event: 'Event',
    actor: 'By',
    summary: 'Summary',
    hash: 'Hash',
    zone: 'Time zone',
    head: 'Final hash',
    explained:
      'Each event has a SHA-256 hash that is computed with the one before it; only its first characters stand above. The final hash therefore stands for the whole history.',
    holds: 'Verified: no event was changed, removed or inserted afterwards.',
    broken: 'The verification failed',
    anchored: 'The first {events} events stand under seal no. {n} of {on}',
  },
};

const SHORT_HASH = 10;

/** A case's timeline as a PDF; equal models give equal bytes. */
export async function renderTimeline(model: TimelineModel): Promise<Uint8Array> {
  return draw(layoutTimeline(model));
}

export function layoutTimeline(model: TimelineModel): Layout {
  const language = languageOf(model.locale);
  const words = WORDS[language];
  const head = {
    locale: model.locale,
    title: model.title,
    subtitle: `${words.invoice} ${model.invoiceNumber}`,
    date: model.date,
    issuer: model.creditor,
    reference: null,
  };
  const moment = momentFormat(language, model.timeZone);
  const flow = startForm(head);
  putTable(flow, {
    columns: [
      { title: words.when, share: 28 },
      { title: words.event, share: 26 },
      { title: words.actor, share: 18 },
      { title: words.summary, share: 50 },
      { title: words.hash, share: 16 },
    ],
    rows: model.rows.map(({ at, event, actor, summary, hash }) => ({
      cells: [moment(at), event, actor, summary, hash.slice(0, SHORT_HASH)],
    })),
  });
  const { colon } = readLabels(language);
  flow.paragraph(`${words.zone}${colon}${model.timeZone}`, { size: 9, after: 0.6 });
  if (model.headHash !== null) {
    flow.paragraph(`${words.head}${colon}${model.headHash}`, { size: 9 });
    flow.paragraph(words.explained, { size: 8.5, grey: true });
  }
  const { verification } = model;
  if (verification) {
    const { holds, problems, anchored, head: seal } = verification;
    if (holds) flow.paragraph(words.holds, { size: 9, after: 0.6 });
    else for (const problem of problems) flow.paragraph(`${words.broken}${colon}${problem}`, { size: 9 });
    if (seal !== null && anchored > 0) {
      const said = words.anchored
        .replace('{events}', String(anchored))
        .replace('{n}', String(seal.n))
        .replace('{on}', seal.on);
      flow.paragraph(`${said}${colon}${seal.hash}`, { size: 9 });
    }
  }
  return finishForm(flow, head);
}

/** `21/11/2026 14:03:05`, in the order the language has it. */
function momentFormat(language: Language, timeZone: string): (at: number) => string {
  const tag = language === 'en' ? 'en-GB' : language;
  const two = '2-digit';
  const day = new Intl.DateTimeFormat(tag, { year: 'numeric', month: two, day: two, timeZone });
  const time = new Intl.DateTimeFormat(tag, { hour: two, minute: two, second: two, hourCycle: 'h23', timeZone });
  return (at) => `${day.format(at)} ${time.format(at)}`;
}
