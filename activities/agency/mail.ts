import type { Language } from '../mail/format.ts';
import { formatterFor, languageOf } from '../mail/format.ts';
import { mailboxOf, type MailMessage } from '../mail/resend-client.ts';
import type { NoticeType } from './notice.ts';

/** A file that is larger is not attached: mail servers commonly take 25 MB, a third of it lost to base64. */
const LARGEST_ATTACHMENT = 15 * 1024 * 1024;

export interface AgencyMail {
  type: NoticeType;
  id: string;
  placementId: string;
  agency: { email: string; reference: string | null };
  creditor: { name: string; email: string; replyTo: string | null; locale: string };
  invoiceNumber: string;
  /** What is owed, as a decimal string; null where the message does not say. */
  amount: string | null;
  currency: string;
  file: Buffer | null;
}

interface Words {
  subject: Readonly<Record<NoticeType, string>>;
  says: Readonly<Record<NoticeType, string>>;
  invoice: string;
  owed: string;
  reference: string;
  yourReference: string;
  tooLarge: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  fr: {
    subject: {
      'claim.placed': 'Nouveau dossier à recouvrer',
      'claim.fileUpdated': 'Dossier complété',
      'claim.balanceChanged': 'Nouveau solde du dossier',
      'claim.recalled': 'Dossier retiré',
    },
    says: {
      'claim.placed': 'Nous vous confions le recouvrement de la créance ci-dessous. Le dossier est joint à ce message.',
      'claim.fileUpdated': 'Le dossier ci-dessous a été complété. Sa nouvelle version est jointe à ce message.',
      'claim.balanceChanged': 'Le solde de la créance ci-dessous a changé.',
      'claim.recalled': 'Nous retirons le dossier ci-dessous. Merci de cesser toute démarche.',
    },
    invoice: 'Facture',
    owed: 'Reste dû',
    reference: 'Référence du dossier',
    yourReference: 'Votre référence',
    tooLarge: 'Le dossier est trop volumineux pour un message ; il se télécharge par l’API :',
  },
  de: {
    subject: {
      'claim.placed': 'Neue Forderung zum Einzug',
      'claim.fileUpdated': 'Akte ergänzt',
      'claim.balanceChanged': 'Neuer Saldo der Forderung',
      'claim.recalled': 'Auftrag zurückgezogen',
    },
    says: {
      'claim.placed':
        'Wir beauftragen Sie mit dem Einzug der folgenden Forderung. Die Akte liegt dieser Nachricht bei.',
      'claim.fileUpdated': 'Die folgende Akte wurde ergänzt. Die neue Fassung liegt dieser Nachricht bei.',
      'claim.balanceChanged': 'Der Saldo der folgenden Forderung hat sich geändert.',
      'claim.recalled': 'Wir ziehen den folgenden Auftrag zurück. Bitte unternehmen Sie nichts weiter.',
    },
    invoice: 'Rechnung',
    owed: 'Offen',
    reference: 'Aktenzeichen',
    yourReference: 'Ihr Zeichen',
    tooLarge: 'Die Akte ist zu groß für eine Nachricht; sie wird über die API heruntergeladen:',
  },
  en: {
    subject: {
      'claim.placed': 'New claim to collect',
      'claim.fileUpdated': 'Claim file completed',
      'claim.balanceChanged': 'New balance of the claim',
      'claim.recalled': 'Claim recalled',
    },
    says: {
      'claim.placed': 'We place the claim below with you for collection. Its file is attached.',
      'claim.fileUpdated': 'The file of the claim below was completed. Its new version is attached.',
      'claim.balanceChanged': 'The balance of the claim below has changed.',
      'claim.recalled': 'We recall the claim below. Please take no further steps.',
    },
    invoice: 'Invoice',
    owed: 'Owed',
    reference: 'Reference of the claim',
    yourReference: 'Your reference',
    tooLarge: 'The file is too large for a mail; it is downloaded by the API:',
  },
};

/**
 * A message to an agency as a mail from its creditor. Its tags keep it apart from those to customers: `kind` is `agency`
 * and there is no tag `contact`.
 */
export function agencyMail(mail: AgencyMail): MailMessage {
  const { creditor, agency, file, placementId } = mail;
  const words = WORDS[languageOf(creditor.locale)];
  const attached = file !== null && file.byteLength <= LARGEST_ATTACHMENT;
  const facts = [
    [words.reference, placementId],
    ...(agency.reference === null ? [] : [[words.yourReference, agency.reference]]),
    [words.invoice, mail.invoiceNumber],
    ...(mail.amount === null ? [] : [[words.owed, formatterFor(creditor.locale).money(mail.amount, mail.currency)]]),
  ] as [string, string][];
  const notes = file === null || attached ? [] : [`${words.tooLarge} GET /v1/placements/${placementId}/file`];
  const says = [words.says[mail.type], ...notes];
  return {
    from: mailboxOf(creditor.name, creditor.email),
    to: [agency.email],
    cc: [],
    replyTo: creditor.replyTo,
    subject: `${words.subject[mail.type]} ${mail.invoiceNumber}`,
    text: [...says, '', ...facts.map(([name, value]) => `${name}: ${value}`), '', creditor.name, ''].join('\n'),
    html: htmlOf(says, facts, creditor.name, languageOf(creditor.locale)),
    tags: [
      { name: 'kind', value: 'agency' },
      { name: 'message', value: mail.id },
    ],
    attachments: attached ? [{ filename: `${placementId}.zip`, content: file, contentType: 'application/zip' }] : [],
    headers: { 'X-Entity-Ref-ID': mail.id },
  };
}

function htmlOf(
  says: readonly string[],
  facts: readonly (readonly [string, string])[],
  signed: string,
  language: string,
): string {
  const paragraphs = says.map((text) => `<p>${escaped(text)}</p>`).join('');
  const rows = facts.map(
    ([name, value]) => `<tr><th align="left">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  );
  return (
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8"></head><body>${paragraphs}` +
    `<table cellpadding="4">${rows.join('')}</table><p>${escaped(signed)}</p></body></html>`
  );
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
