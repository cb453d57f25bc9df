/**
 * Letters and forms as PDF. All of it is computed from models alone: equal models give equal bytes, so what was printed can be
 * made again and compared. `layout…` gives the same as data, without a PDF.
 *
 * Errors are `DomainError`s: `unprintable` (writing the font does not have, in a letter or a declaration; other forms describe
 * such characters), `addressTooLong`, `templateFailed`, `unknownTemplate`, `statementBroken`, `declarationBroken`, `batchEmpty`.
 */
export { renderLetterMessage, type LetterDetails, type RenderedLetter } from './letter-message.ts';
export { renderPreviewPdf } from './preview.ts';
export { layoutLetter, renderLetter, type LetterModel } from './letter.ts';
export type { LetterHead } from './letter-head.ts';
export { addressField, fitAddress, postalLines, type AddressField } from './address.ts';
export { printable, recorded } from './text.ts';
export type { Layout, Mark } from './page.ts';

export type { FormParty } from './forms/form.ts';
export {
  layoutClaimSheet,
  renderClaimSheet,
  type ClaimSheetModel,
  type SheetClaim,
  type SheetDelivery,
} from './forms/claim-sheet.ts';
export {
  layoutClaimDeclaration,
  renderClaimDeclaration,
  type ClaimDeclarationModel,
  type DueClaim,
  type Proceedings,
} from './forms/claim-declaration.ts';
export { layoutTimeline, renderTimeline, type TimelineModel } from './forms/timeline.ts';
export {
  layoutStatementOfAccount,
  renderStatementOfAccount,
  type StatementModel,
} from './forms/statement-of-account.ts';

export { printBatch, type Printer } from './printer.ts';
export { renderBatch, type PrintBatch } from './batch.ts';
export { manifestCsv, type ManifestRow } from './manifest.ts';
export { customerStatementPdf } from './customer-statement-pdf.ts';
export { renderVatCorrection } from './forms/vat-correction.ts';
export { timelinePdf } from './timeline-pdf.ts';
