import { z } from 'zod';
import type { ImportedCustomer } from './document.ts';

const folded = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/ß/g, 'ss')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();

const table = <T extends string>(lists: Record<T, string>): ReadonlyMap<string, T> =>
  new Map(
    (Object.entries(lists) as [T, string][]).flatMap(([value, words]) =>
      words.split(',').map((word): [string, T] => [folded(word), value]),
    ),
  );

const DOCUMENT_KINDS = table({
  invoice:
    'invoice,inv,facture,fac,fa,rechnung,re,rg,380,sales invoice,facture client,facture de vente,ausgangsrechnung,' +
    'debit note,note de debit,383,384,386,389,facture d acompte,anzahlungsrechnung,schlussrechnung',
  creditNote:
    'credit note,credit memo,credit,creditnote,cn,avoir,av,avo,facture d avoir,note de credit,gutschrift,gs,gu,' +
    'rechnungskorrektur,stornorechnung,storno,381',
});

/** What a table's document type column means; null where it says neither invoice nor credit note. */
export const documentKind = (text: string): 'invoice' | 'creditNote' | null => DOCUMENT_KINDS.get(folded(text)) ?? null;

const CUSTOMER_KINDS = table<NonNullable<ImportedCustomer['kind']>>({
  business:
    'business,b2b,company,pro,professionnel,professional,entreprise,societe,unternehmen,firma,gewerblich,geschaftskunde',
  consumer:
    'consumer,b2c,private,individual,person,particulier,consommateur,privat,privatkunde,privatperson,verbraucher',
  publicBody:
    'publicbody,public body,b2g,public,government,public sector,administration,collectivite,secteur public,' +
    'organisme public,behorde,offentlich,offentliche hand,offentlicher auftraggeber',
});

export const customerKind = (text: string): ImportedCustomer['kind'] => CUSTOMER_KINDS.get(folded(text)) ?? null;

const COLLECTION_METHODS = table({
  directDebit:
    'directdebit,direct debit,dd,sdd,sepa direct debit,prelevement,prelevement sepa,prelevement automatique,lastschrift,' +
    'sepa lastschrift,bankeinzug,einzug,49,59',
  transfer:
    'transfer,bank transfer,wire,wire transfer,sepa transfer,sct,virement,virement sepa,virement bancaire,' +
    'uberweisung,ueberweisung,sepa uberweisung,30,31,42,58',
});

/** Null for what is neither (card, cheque, cash): such an invoice is chased like any other. */
export const collectionMethod = (text: string): 'transfer' | 'directDebit' | null =>
  COLLECTION_METHODS.get(folded(text)) ?? null;

const LANGUAGES = table({
  fr: 'french,francais,franzosisch,franzoesisch,fra,fre',
  de: 'german,allemand,deutsch,deu,ger',
  en: 'english,anglais,englisch,eng',
});

/** A BCP 47 tag (`fr`, `de-CH`) or the name of one of our three languages; null when it is neither. */
export function localeTag(text: string): string | null {
  const tag = /^([a-z]{2})(?:[-_]([a-z]{2}))?$/i.exec(text.trim());
  if (tag) return tag[2] ? `${tag[1]!.toLowerCase()}-${tag[2].toUpperCase()}` : tag[1]!.toLowerCase();
  return LANGUAGES.get(folded(text)) ?? null;
}

/** ISO 3166-1 alpha-2, assigned codes. */
const COUNTRIES = new Set(
  (
    'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC ' +
    'CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD ' +
    'GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH ' +
    'KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW ' +
    'MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC ' +
    'SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY ' +
    'UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'
  ).split(' '),
);

/** Names and longer codes that tables carry instead, for the countries that a European creditor bills most. */
const COUNTRY_NAMES = table({
  FR: 'france,frankreich,fra',
  DE: 'germany,allemagne,deutschland,deu,ger',
  AT: 'austria,autriche,osterreich,oesterreich,aut',
  BE: 'belgium,belgique,belgien,bel',
  CH: 'switzerland,suisse,schweiz,che',
  LU: 'luxembourg,luxemburg,lux',
  NL: 'netherlands,the netherlands,pays bas,niederlande,nld',
  GB: 'uk,united kingdom,great britain,england,royaume uni,vereinigtes konigreich,grossbritannien,gbr',
  IE: 'ireland,irlande,irland,irl',
  ES: 'spain,espagne,spanien,esp',
  PT: 'portugal,prt',
  IT: 'italy,italie,italien,ita',
  PL: 'poland,pologne,polen,pol',
  CZ: 'czech republic,czechia,republique tcheque,tschechien,cze',
  SK: 'slovakia,slovaquie,slowakei,svk',
  HU: 'hungary,hongrie,ungarn,hun',
  DK: 'denmark,danemark,danmark,dnk',
  SE: 'sweden,suede,schweden,swe',
  NO: 'norway,norvege,norwegen,nor',
  FI: 'finland,finlande,finnland,fin',
  GR: 'greece,grece,griechenland,el,grc',
  RO: 'romania,roumanie,rumanien,rou',
  BG: 'bulgaria,bulgarie,bulgarien,bgr',
  HR: 'croatia,croatie,kroatien,hrv',
  SI: 'slovenia,slovenie,slowenien,svn',
  MC: 'monaco,mco',
  US: 'usa,united states,united states of america,etats unis,vereinigte staaten',
  CA: 'canada,kanada,can',
  JP: 'japan,japon,jpn',
});

/** ISO 3166-1 alpha-2 from a code or a French, German or English name; null when it is none we know. */
export function countryCode(text: string): string | null {
  const code = text.trim().toUpperCase();
  if (COUNTRIES.has(code)) return code;
  return COUNTRY_NAMES.get(folded(text)) ?? null;
}

/** Only what cannot be an address is refused: one @, no spaces, a domain with a dot. */
export const looksLikeEmail = (text: string): boolean => EMAIL.safeParse(text).success;

/** The same rule as the API's: what comes in by a file must be able to go out in an answer. */
const EMAIL = z.email().max(254);

/** Without spaces, upper case; null when it cannot be an IBAN (ISO 13616 shape; check digits are the payer's bank's business). */
export function ibanShape(text: string | null): string | null {
  const iban = (text ?? '').replace(/\s/g, '').toUpperCase();
  return /^[A-Z]{2}\d{2}[A-Z0-9]{8,30}$/.test(iban) ? iban : null;
}
