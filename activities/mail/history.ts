import type { HistoryEntry } from '../../db/repositories/message-data.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { formatterFor, languageOf, type Formatter } from './format.ts';
import { fill, readLabels, type HistoryWords } from './templates.ts';

/** What was sent, said and promised, in the words of the reader's language. */
export function historyLines(entries: readonly HistoryEntry[], locale: string): { on: LocalDate; what: string }[] {
  const words = readLabels(languageOf(locale)).history;
  const format = formatterFor(locale);
  return entries.map((entry) => ({ on: entry.on, what: lineOf(entry, words, format) }));
}

function lineOf(entry: HistoryEntry, words: HistoryWords, format: Formatter): string {
  switch (entry.kind) {
    case 'contact':
      return entry.subject;
    case 'call':
      return words.calls[entry.outcome] ?? words.calls.reached;
    case 'inbound':
      return words.inbound[entry.channel];
    case 'promise':
      return fill(words.promise, {
        amount: amountOf(entry, words, format),
        date: format.longDate(entry.payOn),
        number: entry.number,
        status: words.promiseStatus[entry.status],
      });
    case 'dispute':
      return fill(words.dispute, {
        amount: amountOf(entry, words, format),
        category: words.categories[entry.category],
        number: entry.number,
        status: words.disputeStatus[entry.status],
      });
  }
}

const amountOf = (
  entry: { amount: string | null; currency: string },
  words: HistoryWords,
  format: Formatter,
): string => (entry.amount === null ? words.whole : format.money(entry.amount, entry.currency));
