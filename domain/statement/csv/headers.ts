import { isCurrency } from '../../money.ts';
import { normalHeader } from '../../text/headers.ts';

/** The fields of a bank's table, each with the headers by which it is recognised; within a field the earlier one wins. */
const SYNONYMS = {
  bookedOn:
    'booking date,date booked,booked at,transaction date,txn date,trans date,posting date,posted date,date posted,posted transactions date,operation date,' +
    'date operation,date de l operation,date d operation,date op,date de comptabilisation,date comptable,' +
    'date comptabilisation,date de la transaction,date de transaction,date d execution,buchungstag,buchungsdatum,buchung,' +
    'boekingsdatum,boekdatum,uitvoeringsdatum,transactiedatum,transactiondate,fecha operacion,fecha de operacion,' +
    'fecha contable,fecha movimiento,data contabile,data registrazione,data operazione,data mov,data movimento,' +
    'data ksiegowania,data operacji,bokforingsdatum,bokforingsdag,transaktionsdatum,transaktionsdag,bogforingsdato,' +
    'bokforingsdato,kirjauspaiva,datum zauctovani,datum provedeni,konyveles datuma,' +
    'date,datum,fecha,data,dato,completed date,date completed,settlement date,abschlussdatum,started date,date started',
  valueOn:
    'value date,valuta date,valuedate,date de valeur,date valeur,date de la valeur,date val,valeur,valutadatum,' +
    'wertstellung,wertstellungstag,wertstellungsdatum,wert,rentedatum,interest date,fecha valor,fecha de valor,f valor,' +
    'data valuta,data valor,data waluty,valutadag,valutadato,rentedato,arvopaiva,valuta',
  amount:
    'total amount,montant total,amount,transaction amount,montant,montant operation,montant de l operation,' +
    'montant operation en euro,montant en euros,betrag,umsatz,bedrag,importe,importo,kwota,belopp,belob,belop,maara,' +
    'castka,osszeg,credit debit amount,net,value',
  debit:
    'debit,debit amount,debit euros,montant debit,soll,sollbetrag,belastung,lastschrift,ausgang,ausgabe,ausgaben,paid out,' +
    'money out,withdrawal,withdrawals,withdrawal amount,debet,uitgaven,addebiti,addebito,uscite,dare,cargo,cargos,debe,' +
    'debito,obciazenia,ut,uttag',
  credit:
    'credit,credit amount,credit euros,montant credit,haben,habenbetrag,gutschrift,eingang,einnahme,einnahmen,paid in,' +
    'money in,deposit,deposits,deposit amount,inkomsten,accrediti,accredito,entrate,avere,abono,abonos,haber,credito,' +
    'uznania,inn,insattning',
  direction:
    'credit debit,debit credit,dr cr,cr dr,dc,d c,cd,c d,dbit crdt,credit debit indicator,debit credit indicator,sens,' +
    'soll haben,haben soll,s h,af bij,bij af,debet credit,credit debet,debito credito,credito debito,side',
  currency:
    'currency code,ccy,payment currency,devise,monnaie,wahrung,waehrung,whg,munt,muntsoort,devies,valuta rekening,valutacode,posted currency,divisa,waluta,' +
    'mena,penznem',
  status: 'state,transaction status,statut,etat,buchungsstatus,estado,stato,stan,info',
  counterparty:
    'counterparty name,counter party,other party,partner name,partnername,payer payee,payee payer,' +
    'nom de la contrepartie,nom contrepartie,nom contrepartie contient,nom du tiers,tiers,contrepartie,' +
    'beneficiaire emetteur,emetteur beneficiaire,beguenstigter zahlungspflichtiger,begunstigter zahlungspflichtiger,' +
    'beguenstigter auftraggeber,begunstigter auftraggeber,auftraggeber beguenstigter,auftraggeber begunstigter,' +
    'zahlungsbeteiligter,name zahlungsbeteiligter,auftraggeber empfanger,auftraggeber empfaenger,empfanger auftraggeber,' +
    'empfanger zahlungspflichtiger,empfaenger zahlungspflichtiger,naam tegenpartij,naam van de tegenpartij,' +
    'naam tegenpartij bevat,naam omschrijving,empfanger absender,empfaenger absender,tegenrekeninghouder,nadawca odbiorca,odbiorca nadawca,kontrahent,contropartita,nazev protiuctu,' +
    'saaja maksaja,navn,name,naam',
  payer:
    'payer name,sender,sender name,debtor,debtor name,zahlungspflichtiger,zahlungspflichtige r,auftraggeber,' +
    'auftraggebername,emetteur,donneur d ordre,ordinante',
  payee:
    'payee name,recipient,recipient name,beneficiary,beneficiary name,creditor,creditor name,beneficiaire,destinataire,' +
    'zahlungsempfanger,zahlungsempfanger in,zahlungsempfaenger,empfanger,empfaenger,empfangername,beneficiario',
  account:
    'counterparty account,counterparty iban,counterparty account number,partner iban,iban contrepartie,' +
    'iban de la contrepartie,compte contrepartie,compte tiers,iban zahlungsbeteiligter,kontonummer iban,iban kontonummer,' +
    'tegenrekening,tegenrekening iban bban,tegenrekeningnummer,rekening tegenpartij,rekeningnummer tegenpartij,tegenpartij,protiucet,' +
    'numer konta,payee account number,beneficiary iban,iban bic,iban,kontonummer,account number,account',
  payerAccount: 'payer account,payer iban,auftraggeberkonto,debtor account,debtor iban',
  payeeAccount: 'payee account,payee iban,empfangerkonto,empfaengerkonto,creditor account,creditor iban',
  remittance:
    'remittance information,payment reference,verwendungszweck,vorgang verwendungszweck,zahlungszweck,zahlungsgrund,' +
    'beschreibung,avisierungstext,buchungs info,motif,motif du paiement,' +
    'libelle complet,libelle,libelle operation,libelle de l operation,detail de l ecriture,detail,' +
    'informations complementaires,libelle simplifie,label,communication,' +
    'communications,message,memo,notes and tags,details,description,transaction description,bank description,narrative,' +
    'reference,mededelingen,mededeling,vrije mededeling,omschrijving,' +
    'concepto,mas datos,observaciones,descrizione,descrizione estesa,descrizione completa,causale,descricao,' +
    'opis operacji,tytul,tytul operacji,text,meddelande,beskrivning,beskrivelse,viesti,zprava pro prijemce,kozlemeny',
  structuredReference:
    'structured communication,communication structuree,gestructureerde mededeling,betalingskenmerk,referenznummer,' +
    'viite,kid,ocr,variabilni symbol',
  bankText:
    'buchungstext,booking text,libelle court,type operation,type d operation,vorgang,umsatzart,umsatztyp,transaktionstyp,' +
    'mutatiesoort,type verrichting,transactie,transaction,transaction type,movimiento,selitys,subcategory,type',
  endToEndId:
    'end to end reference,endtoendid,reference de bout en bout,ende zu ende referenz,kundenreferenz,' +
    'kundenreferenz end to end,end to end referenz,kundenreferenz ende zu ende,transactiereferentie',
  mandateId: 'mandate reference,mandatsreferenz,machtigingskenmerk,reference mandat,reference de mandat,rum',
  returnReason: 'reason code,ruckgabegrund,reden retour',
  originalAmount: 'lastschrift ursprungsbetrag',
  fees: 'auslagenersatz ruecklastschrift,auslagenersatz rucklastschrift',
  id:
    'transaction id,transferwise id,id de transaction,id transaction,bank reference,reference banque,' +
    'reference de l operation,numero d operation,transaktions id,transaktions nr,bankreferenz,buchungsreferenz,' +
    'zkb referenz,arkistointitunnus',
  balance:
    'running balance,running bal,balance after,account balance,accountbalance,balance,solde,solde apres operation,' +
    'solde du compte,saldo,saldo nach buchung,kontostand,saldo na mutatie,saldo na trn,saldo po operacji,' +
    'saldo contabilistico,endsaldo,disponible',
  ownAccount:
    'auftragskonto,iban auftragskonto,iban auftraggeberkonto,iban bban,rekening,rekeningnummer,compte,account num',
} as const;

/** A field of a bank's table. */
export type CsvField = keyof typeof SYNONYMS;
export const FIELDS = Object.keys(SYNONYMS) as CsvField[];
export const isField = (name: string): name is CsvField => Object.hasOwn(SYNONYMS, name);

const FIELD_BY_HEADER = new Map<string, { field: CsvField; rank: number }>();
for (const field of FIELDS) {
  const own = normalHeader(field);
  const headers = SYNONYMS[field].split(',');
  // The field's own name goes first, where it has no place among the others.
  if (!headers.includes(own)) headers.unshift(own);
  headers.forEach((header, rank) => {
    if (!FIELD_BY_HEADER.has(header)) FIELD_BY_HEADER.set(header, { field, rank });
  });
}

export interface KnownHeader {
  field: CsvField;
  /** Of two columns of a field the one with the lower rank counts. */
  rank: number;
  /** What its amounts are in, where the header says so: `Amount (GBP)`, `Gutschrift in CHF`. */
  currency: string | null;
}

const SYMBOLS: Readonly<Record<string, string>> = { '€': 'EUR', EURO: 'EUR', EUROS: 'EUR', EUROA: 'EUR', '£': 'GBP' };
/** Headers that are known are far shorter, and looking for a currency behind a long one takes long. */
const LONGEST = 100;
const WITH_CURRENCY = /^(.+?)[\s([_]+(?:in|en)?\s*(€|£|euro[as]?|[a-z]{3})[)\]]?$/i;

/**
 * The field that a header names; null for none. Behind the name may stand a currency, something in parentheses, or a number
 * where several columns are one text.
 */
export function knownHeader(header: string): KnownHeader | null {
  if (header.length > LONGEST) return null;
  const [, before, told] = WITH_CURRENCY.exec(header.trim()) ?? [];
  if (before !== undefined) {
    const code = SYMBOLS[told!.toUpperCase()] ?? told!.toUpperCase();
    const known = isCurrency(code) ? FIELD_BY_HEADER.get(normalHeader(before)) : undefined;
    if (known) return { ...known, currency: code };
  }
  const known =
    FIELD_BY_HEADER.get(normalHeader(header)) ??
    FIELD_BY_HEADER.get(normalHeader(header.replace(/\([^)]*\)/g, ' '))) ??
    FIELD_BY_HEADER.get(normalHeader(header).replace(/ ?\d$/, ''));
  return known ? { ...known, currency: null } : null;
}
