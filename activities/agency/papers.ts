import { PDFDocument, StandardFonts } from 'pdf-lib';
import type { ClaimFacts } from '../../domain/agency/claim-facts.ts';
import type { Papers } from './claim-file.ts';
import { claimSheetModel, statementModel, timelineModel } from './models.ts';

/**
 * The pages of an agency's file, drawn from their models. This is the one place that chooses who draws them.
 */
export const papers: Papers = {
  claimSheet: (facts) => plainPages('Claim sheet', facts, claimSheetModel(facts)),
  statement: (facts) => plainPages('Statement of account', facts, statementModel(facts)),
  timeline: (facts) => plainPages('Timeline', facts, timelineModel(facts)),
};

const LINES = 62;

/** A model as plain lines on A4, for as long as no form draws it. */
async function plainPages(title: string, facts: ClaimFacts, model: object): Promise<Uint8Array> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  pdf.setTitle(title);
  pdf.setCreationDate(new Date(facts.at));
  pdf.setModificationDate(new Date(facts.at));
  const font = await pdf.embedFont(StandardFonts.Courier);
  const lines = [title, '', ...JSON.stringify(model, null, 2).split('\n')];
  for (let from = 0; from < lines.length; from += LINES) {
    const page = pdf.addPage([595, 842]);
    lines.slice(from, from + LINES).forEach((line, index) => {
      const text = line.replace(/[^\x20-\x7e\xa0-\xff]/g, '?').slice(0, 95);
      page.drawText(text, { x: 40, y: 800 - index * 12, size: 8, font });
    });
  }
  return await pdf.save();
}
