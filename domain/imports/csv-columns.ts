import { DomainError, type Fault } from '../errors.ts';
import { normalHeader } from '../text/headers.ts';
import { readMapping } from '../text/mapping.ts';
import { fault } from './document.ts';

/**
 * The fields of a table, named as the API names them, each with the headers by which it is recognised. Headers are compared
 * without case, accents and punctuation. The order matters twice: within a field the earlier header wins, and a header
 * belongs to the first field that lists it.
 */
const SYNONYMS = {
  number:
    'invoice number,invoice no,invoice nr,invoice num,invoice,invoice ref,number,numero de facture,' +
    'numero facture,no de facture,no facture,n de facture,n facture,num facture,facture n,facture no,' +
    'facture,numero,ref facture,reference facture,rechnungsnummer,rechnungs nr,rechnungsnr,rechnung nr,' +
    'rechnung,rechnungs nummer,re nr,document number,document no,doc number,doc no,voucher number,' +
    'numero de document,numero document,no document,n document,numero de piece,numero piece,no piece,' +
    'n piece,n de piece,piece,pieceref,piece ref,belegnummer,beleg nr,belegnr,belegfeld 1,nummer,' +
    'invoice id,id facture,rechnungs id',
  issuedOn:
    'issued on,issue date,issued,date issued,invoice date,date of invoice,document date,doc date,' +
    'date de facture,date facture,date de facturation,date d emission,date emission,emise le,emis le,' +
    'date de piece,date piece,date du document,piecedate,rechnungsdatum,rechnung vom,belegdatum,' +
    'ausstellungsdatum,ausgestellt am,date,datum,created,bill date,billing date',
  dueOn:
    'due on,due date,due,date due,payment due,payment due date,maturity,maturity date,net due date,' +
    'date d echeance,date echeance,echeance,echeance le,date limite de paiement,a payer avant,a payer le,' +
    'date de reglement prevue,faelligkeit,falligkeit,faelligkeitsdatum,falligkeitsdatum,faellig am,' +
    'fallig am,faellig,fallig,zahlbar bis,zahlungsziel,nettofalligkeit,nettofaelligkeit',
  amount:
    'amount due,amount payable,payable amount,balance due,open amount,outstanding,outstanding amount,' +
    'gross amount,total gross,total incl vat,total including vat,total incl tax,amount incl vat,' +
    'total amount,invoice amount,invoice total,grand total,amount,total,net a payer,reste a payer,' +
    'montant du,reste du,montant ttc,total ttc,ttc,montant total ttc,montant total,montant,' +
    'montant de la facture,montant facture,zahlbetrag,offener betrag,offen,bruttobetrag,betrag brutto,' +
    'brutto,gesamtbetrag,rechnungsbetrag,gesamt brutto,summe brutto,endbetrag,betrag,summe',
  currency:
    'currency,currency code,cur,ccy,iso currency,devise,code devise,monnaie,wahrung,waehrung,' +
    'wahrungscode,waehrungscode,wkz,wkz umsatz,wahrungskennzeichen',
  references:
    'references,reference,payment reference,remittance reference,billing number,assignment number,' +
    'reference de paiement,reference paiement,reference du paiement,ref paiement,reference bancaire,' +
    'zahlungsreferenz,verwendungszweck,referenz,referenznummer,zuordnung,zuordnungsnummer',
  orderReference:
    'order reference,order number,order no,purchase order,po number,po,po no,customer order,' +
    'numero de commande,numero commande,no commande,n commande,bon de commande,commande,ref commande,' +
    'reference commande,bestellnummer,bestell nr,bestellung,auftragsnummer,auftrags nr,auftrag',
  policy: 'policy,policy name,scenario,scenario de relance,mahnverfahren,mahnschema',
  chaseFrom: 'chase from,no contact before,relancer a partir du,relance a partir du,mahnen ab,mahnung ab',
  lastStepSent: 'last step sent,last step,last reminder,derniere relance,derniere etape,letzte mahnstufe',
  kind:
    'kind,type,document type,document kind,doc type,invoice type,type de document,type document,type de piece,' +
    'type piece,nature de piece,belegart,dokumentart,rechnungsart,dokumenttyp',
  correctsNumber:
    'corrects number,corrects,original invoice,original invoice number,related invoice,credited invoice,' +
    'facture d origine,facture origine,facture rectifiee,avoir sur facture,facture liee,' +
    'ursprungsrechnung,originalrechnung,bezugsrechnung,rechnungsbezug,korrigierte rechnung',
  terms:
    'terms,payment terms,terms of payment,conditions de paiement,conditions de reglement,' +
    'modalites de paiement,zahlungsbedingungen,zahlungsbedingung,zahlungskonditionen',
  'collection.method':
    'collection method,payment method,payment means,mode de paiement,moyen de paiement,mode de reglement,' +
    'moyen de reglement,zahlungsart,zahlungsweise,zahlweg,zahlungsmethode',
  'collection.on':
    'collection on,collection date,direct debit date,date de prelevement,date prelevement,preleve le,' +
    'einzugsdatum,einzug am,lastschriftdatum',
  'customer.reference':
    'customer reference,customer id,customer number,customer no,customer code,customer ref,client id,' +
    'client number,client code,client no,debtor number,debtor id,account number,account code,code client,' +
    'numero client,numero de client,no client,n client,ref client,reference client,id client,' +
    'compte client,compte tiers,code tiers,compauxnum,compte auxiliaire,kundennummer,kunden nr,kundennr,' +
    'kunden nummer,kunden id,debitorennummer,debitor nr,debitor,debitorenkonto,kundenreferenz',
  'customer.name':
    'customer name,customer,client name,debtor name,debtor,company name,company,bill to,buyer,buyer name,' +
    'nom du client,nom client,raison sociale,client,nom,societe,tiers,nom du tiers,compauxlib,debiteur,' +
    'destinataire,kundenname,kunde,name,firma,firmenname,debitorenname,rechnungsempfanger,' +
    'rechnungsempfaenger,empfanger',
  'customer.email':
    'customer email,customer e mail,email,e mail,email address,mail,billing email,client email,courriel,' +
    'adresse email,adresse e mail,adresse mail,email client,email du client,mail client,e mail adresse,' +
    'emailadresse,mailadresse,kunden e mail',
  'customer.country':
    'customer country,country,country code,pays,code pays,pays client,pays du client,land,landercode,' +
    'laendercode,landerkennzeichen,laenderkennzeichen,landeskennzeichen',
  'customer.kind':
    'customer kind,customer type,client type,type de client,type client,categorie client,kundentyp,' +
    'kundenart,kundengruppe',
  'customer.locale':
    'customer locale,customer language,locale,language,langue,langue client,langue du client,sprache,' +
    'kundensprache,korrespondenzsprache',
  'customer.registrationId':
    'customer registration id,registration id,registration number,company number,siren,siret,' +
    'numero siren,numero siret,n siren,n siret,handelsregisternummer,hrb,handelsregister nr',
  'customer.vatId':
    'customer vat id,vat id,vat number,vat no,vat registration number,numero de tva,numero tva,n tva,' +
    'no tva,tva intracommunautaire,numero de tva intracommunautaire,n tva intracommunautaire,ust id,' +
    'ust idnr,ust id nr,ustid,ustidnr,umsatzsteuer id,umsatzsteuer identifikationsnummer',
  'customer.address.lines':
    'customer address,address,street,address line 1,address 1,adresse,adresse 1,rue,voie,adresse client,' +
    'strasse,anschrift,strasse und hausnummer,strasse hausnummer',
  'customer.address.postalCode':
    'customer postal code,customer address postal code,postal code,postcode,zip,zip code,code postal,cp,' +
    'plz,postleitzahl',
  'customer.address.city': 'customer city,customer address city,city,town,ville,commune,ort,stadt',
} as const;

export type ColumnField = keyof typeof SYNONYMS;
const FIELDS = Object.keys(SYNONYMS) as ColumnField[];
const isField = (name: string): name is ColumnField => Object.hasOwn(SYNONYMS, name);

/** Fields that may gather several headers; all others take one. */
const SEVERAL: ReadonlySet<ColumnField> = new Set(['references', 'customer.address.lines']);

/** What the caller's `columns` says: headers by field, as written. */
export type ColumnMapping = ReadonlyMap<ColumnField, string[]>;

/** Where each field stands in a record, and the header's own words for messages. */
export interface Columns {
  at: ReadonlyMap<ColumnField, number[]>;
  headers: string[];
  /** How many cells a record has. */
  width: number;
}

/** Reads the API's column grammar for a table of invoices (`readMapping`). Throws `columnsInvalid`. */
export const parseColumns = (text: string): ColumnMapping =>
  readMapping(text, { fields: FIELDS, isField, takesSeveral: (field) => SEVERAL.has(field) });

const FIELD_BY_HEADER = new Map<string, { field: ColumnField; rank: number }>();
for (const field of FIELDS) {
  [normalHeader(field), ...SYNONYMS[field].split(',')].forEach((synonym, rank) => {
    if (!FIELD_BY_HEADER.has(synonym)) FIELD_BY_HEADER.set(synonym, { field, rank });
  });
}

/** The field that a header names by itself; null for any other. */
export const columnOf = (header: string): ColumnField | null =>
  FIELD_BY_HEADER.get(normalHeader(header))?.field ?? null;

/** How many of the cells would be recognised as headers: what tells a header, and its delimiter, from anything else. */
export function recognised(cells: string[], mapping: ColumnMapping): number {
  const named = new Set([...mapping.values()].flat().map(normalHeader));
  return cells.filter((cell) => FIELD_BY_HEADER.has(normalHeader(cell)) || named.has(normalHeader(cell))).length;
}

/** Without one of these a table holds no invoices. */
const NEEDED: readonly ColumnField[] = ['number', 'amount', 'issuedOn'];

/**
 * Finds the columns: what `mapping` names (exactly, else without regard to case and punctuation), then by their names what
 * it leaves open. Throws `columnMissing` or `columnAmbiguous` for the whole file, one fault per header or field.
 */
export function findColumns(headers: string[], mapping: ColumnMapping): Columns {
  const at = new Map<ColumnField, number[]>();
  const taken = new Set<number>();
  const faults: Fault[] = [];
  const normal = headers.map(normalHeader);

  for (const [field, names] of mapping) {
    const places = names.map((name) => {
      let found = indexes(headers, (header) => header.trim() === name);
      if (found.length === 0) found = indexes(normal, (header) => header !== '' && header === normalHeader(name));
      if (found.length === 0) {
        faults.push(fault(`/columns/${field}`, 'columnMissing', `${field}: the file has no header "${name}"`));
      } else if (found.length > 1) {
        faults.push(fault(`/columns/${field}`, 'columnAmbiguous', `${field}: the header "${name}" is there twice`));
      }
      return found[0] ?? -1;
    });
    at.set(field, places);
    places.forEach((place) => taken.add(place));
  }

  const open = new Map<ColumnField, { place: number; rank: number }[]>();
  normal.forEach((header, place) => {
    const known = FIELD_BY_HEADER.get(header);
    if (!known || taken.has(place) || mapping.has(known.field)) return;
    const places = open.get(known.field) ?? [];
    open.set(known.field, [...places, { place, rank: known.rank }]);
  });
  for (const [field, places] of open) {
    const best = places.toSorted((a, b) => a.rank - b.rank || a.place - b.place);
    at.set(field, SEVERAL.has(field) ? places.map(({ place }) => place) : [best[0]!.place]);
  }

  for (const field of NEEDED) {
    if (at.has(field)) continue;
    faults.push(
      fault(`/columns/${field}`, 'columnMissing', `no column was recognised as ${field}: name it with columns`),
    );
  }
  if (!at.has('customer.reference') && !at.has('customer.name')) {
    const message = 'no column was recognised as customer.reference or customer.name: name one with columns';
    faults.push(fault('/columns/customer.reference', 'columnMissing', message));
  }
  if (faults.length > 0) {
    throw new DomainError(faults[0]!.code, faults.map(({ message }) => message).join('; '), faults);
  }
  return { at, headers, width: headers.length };
}

const indexes = (values: string[], matches: (value: string) => boolean): number[] =>
  values.flatMap((value, i) => (matches(value) ? [i] : []));
