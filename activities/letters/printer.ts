import type { BatchLetter, PrintedBatch } from '../../db/repositories/print-batches.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { renderBatch } from './batch.ts';
import { manifestCsv } from './manifest.ts';

/** Puts letters into one PDF and writes the table that a mailing house works by; the API is given this. */
export type Printer = (
  letters: readonly BatchLetter[],
  how: { date: LocalDate; duplex: boolean },
) => Promise<PrintedBatch>;

export const printBatch: Printer = async (letters, { date, duplex }) => {
  const { pdf, pages } = await renderBatch(
    letters.map((l) => l.pdf),
    { title: `Letters of ${date}`, date, duplex },
  );
  const manifest = manifestCsv(
    letters.map((letter, index) => ({
      contactId: letter.contactId,
      pages: pages[index]!,
      channel: letter.channel,
      recipient: letter.recipient,
      addressLines: letter.address.lines,
      postalCode: letter.address.postalCode,
      city: letter.address.city,
      country: letter.address.country,
    })),
  );
  return { pdf, pages: pages.at(-1)?.to ?? 0, manifest };
};
