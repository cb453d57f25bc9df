import { DomainError } from '../../errors.ts';
import { normalHeader } from '../../text/headers.ts';
import { readMapping } from '../../text/mapping.ts';

/** The fields of a bank's table, each with the headers by which it is recognised; within a field the earlier one wins. */
const SYNONYMS = {
  bookedOn:
    'booked on,booking date,transaction date,posting date,operation date,date operation,date de l operation,' +
    'date d operation,date de comptabilisation,date comptable,date comptabilisation,buchungstag,buchungsdatum,buchung,' +
    'date,datum,completed date,date completed',
  valueOn:
    'value on,value date,valuta date,date de valeur,date valeur,valeur,valutadatum,wertstellung,wertstellungstag,' +
    'wertstellungsdatum,valuta',
  amount:
    'amount,transaction amount,montant,montant operation,montant de l operation,montant en euros,montant eur,' +
    'montant en eur,betrag,betrag eur,betrag in eur,betrag ursprungswahrung,umsatz,umsatz in eur',
  debit: 'debit,debit amount,debit euros,debit eur,montant debit,soll,sollbetrag,ausgang,paid out,money out,withdrawal',
  credit:
    'credit,credit amount,credit euros,credit eur,montant credit,haben,habenbetrag,eingang,paid in,money in,deposit',
  currency: 'currency,currency code,ccy,devise,monnaie,wahrung,waehrung',
  counterparty:
    'counterparty,counterparty name,other party,payer,payee,payer payee,beneficiary,name,tiers,contrepartie,' +
    'nom de la contrepartie,emetteur,beneficiaire,donneur d ordre,beguenstigter zahlungspflichtiger,' +
    'begunstigter zahlungspflichtiger,zahlungspflichtiger,auftraggeber beguenstigter,auftraggeber begunstigter,' +
    'zahlungsbeteiligter,name zahlungsbeteiligter,auftraggeber empfanger,auftraggeber empfaenger,empfanger auftraggeber,' +
    'zahlungspflichtige r,zahlungsempfanger in,auftraggeber,empfanger,empfaenger,zahlungsempfanger',
  account:
    'account,counterparty account,counterparty iban,iban,iban contrepartie,iban de la contrepartie,compte tiers,' +
    'iban bic,kontonummer iban,kontonummer,iban zahlungsbeteiligter,iban auftraggeberkonto',
  remittance:
    'remittance,remittance information,description,details,reference,communication,message,memo,libelle,' +
    'libelle operation,libelle de l operation,libelle complet,motif,motif du paiement,verwendungszweck,buchungstext,' +
    'beschreibung',
  endToEndId:
    'end to end id,end to end reference,endtoendid,reference de bout en bout,ende zu ende referenz,kundenreferenz,' +
    'kundenreferenz end to end,end to end referenz,kundenreferenz ende zu ende',
  id: 'id,transaction id,bank reference,reference banque,reference de l operation,numero d operation,transaktions id,bankreferenz',
  balance:
    'balance,running balance,balance after,account balance,solde,solde apres operation,solde du compte,saldo,' +
    'saldo nach buchung,kontostand',
} as const;

/** A field of a bank's table. */
export type CsvField = keyof typeof SYNONYMS;
const FIELDS = Object.keys(SYNONYMS) as CsvField[];

/** The header of each field, as the file has it; a field that is left out is recognised by the names that banks use. */
export type CsvMapping = Partial<Readonly<Record<CsvField, string>>>;

const isField = (name: string): name is CsvField => Object.hasOwn(SYNONYMS, name);

/** Reads the API's column grammar for a bank's table (`readMapping`): one header a field. Throws `columnsInvalid`. */
export function parseMapping(text: string): CsvMapping {
  const read = readMapping(text, { fields: FIELDS, isField, takesSeveral: (_field: CsvField) => false });
  return Object.fromEntries([...read].map(([field, [header]]) => [field, header!]));
}

const FIELD_BY_HEADER = new Map<string, { field: CsvField; rank: number }>();
for (const field of FIELDS) {
  [normalHeader(field), ...SYNONYMS[field].split(',')].forEach((header, rank) => {
    if (!FIELD_BY_HEADER.has(header)) FIELD_BY_HEADER.set(header, { field, rank });
  });
}

/** Where each field stands in a record. */
export type CsvColumns = ReadonlyMap<CsvField, number>;

/** Columns by the mapping, exactly or without regard to case and punctuation, and by their names where it is silent. */
export function columnsIn(headers: readonly string[], mapping: CsvMapping): CsvColumns {
  const normal = headers.map(normalHeader);
  const columns = new Map<CsvField, number>();
  const ranks = new Map<CsvField, number>();
  for (const field of FIELDS) {
    const header = mapping[field];
    if (header === undefined) continue;
    const exact = headers.findIndex((one) => one.trim() === header.trim());
    const place = exact >= 0 ? exact : normal.indexOf(normalHeader(header));
    if (place >= 0) columns.set(field, place);
  }
  const taken = new Set(columns.values());
  normal.forEach((header, place) => {
    const known = FIELD_BY_HEADER.get(header);
    if (!known || taken.has(place) || mapping[known.field] !== undefined) return;
    if (known.rank >= (ranks.get(known.field) ?? Infinity)) return;
    ranks.set(known.field, known.rank);
    columns.set(known.field, place);
  });
  return columns;
}

/** Whether a line is the header of a bank's table: it has a day and an amount. */
export const isHeader = (columns: CsvColumns): boolean =>
  columns.has('bookedOn') && (columns.has('amount') || columns.has('debit') || columns.has('credit'));

/** Throws `columnMissing` for a header that the mapping names and the file has not. */
export function checkMapping(columns: CsvColumns, mapping: CsvMapping): void {
  for (const field of FIELDS) {
    if (mapping[field] !== undefined && !columns.has(field)) {
      throw new DomainError('columnMissing', `The file has no header "${mapping[field].slice(0, 60)}" for ${field}.`);
    }
  }
}
