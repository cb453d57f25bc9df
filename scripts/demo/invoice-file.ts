import { PDFDocument, StandardFonts } from 'pdf-lib';
import { CUSTOMERS, dayOf, type BookInvoice } from './book.ts';
import { money } from './words.ts';

/** The page that the billing system would hand over with the invoice: the same bytes for the same invoice. */
export async function invoiceFile(invoice: BookInvoice): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  const bold = await document.embedFont(StandardFonts.HelveticaBold);
  const date = new Date(`${dayOf(invoice.issued)}T00:00:00Z`);
  document.setCreationDate(date);
  document.setModificationDate(date);
  document.setTitle(`Facture ${invoice.number}`);
  const page = document.addPage([595, 842]);
  page.drawText('Atelier Lumen SARL', { x: 56, y: 770, size: 18, font: bold });
  const lines = [
    `Facture ${invoice.number}`,
    `Client : ${CUSTOMERS[invoice.customer].name}`,
    `Date : ${dayOf(invoice.issued)}`,
    `Échéance : ${dayOf(invoice.due)}`,
    `Montant : ${money(invoice.amount, invoice.currency)}`,
  ];
  for (const [index, text] of lines.entries()) page.drawText(text, { x: 56, y: 720 - index * 22, size: 12, font });
  return document.save();
}
