import { addDays, later, type LocalDate } from '../time/dates.ts';
import { datesInText } from '../text/date-text.ts';

/** A discount has a date of its own that is not the due date; what follows a delay has one too. */
const DISCOUNT = /%|skonto|escompte|discount|rabatt|remise|abz[uü]g/i;
const AFTER_DELAY =
  /verzug|mahn|zins|retard|p[ée]nalit|indemnit|int[ée]r[êe]t|\blate\b|interest|penalt|overdue|#SKONTO#|#VERZUG#/i;
/** "No discount" is not a discount. */
const NO_DISCOUNT =
  /\b(?:ohne|kein(?:en)?|sans|pas d['’]|no|without)\s*(?:jeden\s+|any\s+)?(?:skonto|abz[uü]ge?|escompte|discount)\b/gi;
/** Words by which a clause speaks about when to pay. */
const PAY_BY =
  /zahl|f[äa]llig|faellig|sp[äa]testens|\bbis\b|netto|überweis|ueberweis|eingezogen|abgebucht|einzug|pay|\bdue\b|\bby\b|before|until|\bnet\b|collected|debited|r[èe]gl|[ée]ch[ée]ance|avant|au plus tard|pr[ée]lev|comptant/i;
const NOT_CERTAIN = /\bw[üu]rde|\bwenn\b|\bfalls\b|\bsofern\b|\bwould\b|\bif\b|\bsi vous\b|\bserait\b|\bseraient\b/i;

const AT_ONCE =
  /\bsofort\b|\bumgehend\b|\bprompt\b|(?:nach|bei)\s+(?:erhalt|rechnungserhalt|zugang)|[àa]\s+r[ée]ception|\bau comptant\b|paiement comptant|(?:up)?on receipt|\bimmediate(?:ly)?\b/i;
const DAYS = [
  /(\d{1,3})\s*(?:kalender)?(?:tagen|tage|tg\.?)(?![a-zäöü])/gi,
  /(\d{1,3})\s*(?:calendar\s+)?days?\b/gi,
  /\bnet(?:to)?\s*(\d{1,3})\b(?!\s*%|[.,]\d)/gi,
  /(\d{1,3})\s*(?:jours|jour|jrs|j)\b(?!\s*(?:ouvr|francs))/gi,
];
const END_OF_MONTH = /fin (?:de|du) mois|\bf\.?d\.?m\b|monatsende|ultimo|end of (?:the )?month|\beom\b/i;

const isoEndOfMonth = (on: LocalDate): LocalDate => {
  const [year, month] = on.split('-').map(Number) as [number, number];
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
};

const PROTECTED_COMMA = '\u0001';

/**
 * Clauses end at line breaks, commas, semicolons, slashes between words, ` oder `, ` ou `, ` or `, and at full stops that end
 * a sentence (not those of `04.04.2018` or `inkl.`). A comma inside an amount (`529,87`) ends nothing.
 */
function clauses(text: string): string[] {
  return text
    .replace(NO_DISCOUNT, ' ')
    .replace(/(\d),(?=\d)/g, `$1${PROTECTED_COMMA}`)
    .replace(/([A-Za-zé]\.?\s\d{1,2}),(?=\s\d{4}\b)/g, `$1${PROTECTED_COMMA}`)
    .split(
      /[\n;,]|\s\/\s|\s(?:oder|ou|or|sonst|sinon|otherwise|danach|bzw\.)\s|(?<=[a-zäöüßé)]{3}|\d{4}|[€%])\.(?=\s|$)/i,
    )
    .map((clause) => clause.replaceAll(PROTECTED_COMMA, ','))
    .filter((clause) => clause.trim() !== '');
}

const certain = (text: string): string[] =>
  clauses(text).filter((clause) => !DISCOUNT.test(clause) && !AFTER_DELAY.test(clause));

/**
 * The due date that payment terms in French, German or English state: a date, `n days`, `n days end of month`, or "at once"
 * (the issue date). Discounts, penalties and conditional sentences are left out. Null when the text states none, or more
 * than one: a wrong due date chases too early.
 *
 * End of month has two readings in French practice (the days before or after it): the later one counts, for the same reason.
 */
export function dueOnFromTerms(terms: string, issuedOn: LocalDate): LocalDate | null {
  const kept = certain(terms);

  const dates = new Set<LocalDate>();
  let stated = false;
  for (const clause of kept) {
    const found = datesInText(clause).filter(({ on }) => on >= issuedOn);
    found.forEach(({ on }) => dates.add(on));
    const alone = found.length === 1 && clause.trim().length - found[0]!.length <= 3;
    if (found.length > 0 && !NOT_CERTAIN.test(clause) && (PAY_BY.test(clause) || alone)) stated = true;
  }
  if (dates.size > 0) return stated && dates.size === 1 ? [...dates][0]! : null;

  const candidates = new Set<LocalDate>();
  for (const clause of kept) {
    if (NOT_CERTAIN.test(clause)) continue;
    const endOfMonth = END_OF_MONTH.test(clause);
    if (endOfMonth && /\b(?:le|am|zum|the|on)\s+\d{1,2}\b/i.test(clause)) return null;
    const counts = new Set(DAYS.flatMap((pattern) => [...clause.matchAll(pattern)].map((match) => Number(match[1]))));
    for (const days of counts) {
      if (days > 365) continue;
      const plain = addDays(issuedOn, days);
      candidates.add(endOfMonth ? later(isoEndOfMonth(plain), addDays(isoEndOfMonth(issuedOn), days)) : plain);
    }
    if (counts.size === 0 && AT_ONCE.test(clause)) candidates.add(issuedOn);
  }
  return candidates.size === 1 ? [...candidates][0]! : null;
}

const DEBITED =
  /(?:wird|werden)\b.*(?:eingezogen|abgebucht|belastet|lastschrift)|(?:ziehen|buchen)\s+wir\b.*\b(?:ein|ab)\b|sera\s+(?:pr[ée]lev|d[ée]bit)|seront\s+pr[ée]lev|will be\s+(?:\w+\s+)?(?:debited|collected|drawn)|we will\s+(?:debit|collect)/i;

/**
 * Whether the terms announce that the seller collects the amount by direct debit, and when (null where no date is named).
 * Null when they do not: an offer to collect ("we would then debit …") announces nothing.
 */
export function collectionFromTerms(terms: string, issuedOn: LocalDate): { on: LocalDate | null } | null {
  for (const clause of clauses(terms)) {
    if (!DEBITED.test(clause) || NOT_CERTAIN.test(clause)) continue;
    const on = datesInText(clause).find((found) => found.on >= issuedOn)?.on ?? null;
    return { on };
  }
  return null;
}

/** Sentences among free notes that speak of paying: where a document puts its terms when it has no field for them. */
export function termsAmongNotes(notes: string[]): string | null {
  const lines = notes.flatMap((note) => note.split('\n'));
  const terms = lines.filter((line) =>
    /zahlbar|zahlung(?:sziel|sbedingung)|f[äa]llig|payable|payment (?:due|terms)|due (?:date|on|by)|[ée]ch[ée]ance|(?:paiement|r[èe]glement)\s+[àa]\b/i.test(
      line,
    ),
  );
  return terms.length > 0 ? terms.join('\n').trim() : null;
}
