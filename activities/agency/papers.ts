import { renderClaimSheet, renderStatementOfAccount, renderTimeline } from '../letters/index.ts';
import type { Papers } from './claim-file.ts';
import { claimSheetModel, statementModel, timelineModel } from './models.ts';

/** The pages of an agency's file, drawn by the engine of our letters and forms. */
export const papers: Papers = {
  claimSheet: (facts) => renderClaimSheet(claimSheetModel(facts)),
  statement: (facts) => renderStatementOfAccount(statementModel(facts)),
  timeline: (facts) => renderTimeline(timelineModel(facts)),
};
