import { reasonIn } from '../return-reasons.ts';
import { accountOf, belgianReferences, cleanText, joinTexts, realId, referenceOf } from '../fields.ts';
import { child, childrenOf, find, isTrue, textOf, type XmlElement } from './elements.ts';

/** An amount as it is told, not yet read: which currency counts is the entry's to say. */
export interface ToldAmount {
  text: string;
  currency: string | null;
}

export interface Charge extends ToldAmount {
  credit: boolean;
  /** The bank says that the amount holds this charge. */
  included: boolean;
}

export interface Party {
  name: string | null;
  ultimateName: string | null;
  account: string | null;
}

/** One transaction of an entry (`TxDtls`). */
export interface Detail {
  /** Its own sign; null where it has none and the entry's counts. */
  credit: boolean | null;
  amount: ToldAmount | null;
  /** The amount in the account's currency, where `amount` is in another. */
  counterValue: ToldAmount | null;
  /** What was instructed: what an entry that fees are netted into was of. */
  instructed: ToldAmount | null;
  charges: Charge[];
  debtor: Party;
  creditor: Party;
  structuredReferences: string[];
  remittance: string | null;
  bankText: string | null;
  bankId: string | null;
  endToEndId: string | null;
  mandateId: string | null;
  /** Set where it has `RtrInf`. */
  returned: { reasonCode: string | null } | null;
  bankCode: string | null;
}

/** The details of a `TxDtls` of any version. */
export function readDetail(element: XmlElement): Detail {
  const references = child(element, 'Refs');
  const amounts = child(element, 'AmtDtls');
  const parties = child(element, 'RltdPties');
  const remittance = child(element, 'RmtInf');
  const structured = childrenOf(remittance, 'Strd');
  const returned = child(element, 'RtrInf');
  const transacted = told(find(amounts, 'TxAmt', 'Amt'));
  const instructed = told(find(amounts, 'InstdAmt', 'Amt'));
  const written = joinTexts([...unstructured(remittance), ...structured.flatMap(toldInStructure)]);
  const given = structured.flatMap((one) => structuredReference(one) ?? []);
  return {
    credit: signOf(element),
    amount: told(child(element, 'Amt')) ?? transacted ?? instructed,
    counterValue: told(find(amounts, 'CntrValAmt', 'Amt')),
    instructed: instructed ?? transacted,
    charges: chargesOf(element),
    debtor: partyOf(parties, 'Dbtr'),
    creditor: partyOf(parties, 'Cdtr'),
    structuredReferences: given.length > 0 || written === null ? given : belgianReferences(written),
    remittance: written,
    bankText:
      returned === null
        ? cleanText(textOf(element, 'AddtlTxInf'))
        : joinTexts([textOf(element, 'AddtlTxInf'), textOf(returned, 'AddtlInf')]),
    bankId: realId(textOf(references, 'AcctSvcrRef')),
    endToEndId: realId(textOf(references, 'EndToEndId')),
    mandateId: realId(textOf(references, 'MndtId')),
    returned:
      returned === null
        ? null
        : {
            reasonCode:
              realId(textOf(returned, 'Rsn', 'Cd') ?? textOf(returned, 'Rsn', 'Prtry')) ??
              reasonIn(textOf(returned, 'AddtlInf')),
          },
    bankCode: bankCodeOf(element),
  };
}

/** True for a credit, false for a debit, null for none. What else stands there is the caller's to refuse. */
export function signOf(element: XmlElement): boolean | null {
  const sign = textOf(element, 'CdtDbtInd');
  return sign === 'CRDT' ? true : sign === 'DBIT' ? false : null;
}

export function told(element: XmlElement | null): ToldAmount | null {
  const text = element?.text.trim() ?? '';
  return element === null || text === '' ? null : { text, currency: element.currency };
}

/** Domain, family and sub-family of ISO 20022; else the bank's own code. */
export function bankCodeOf(element: XmlElement): string | null {
  const code = child(element, 'BkTxCd');
  if (code === null) return null;
  const domain = child(code, 'Domn');
  const parts = [textOf(domain, 'Cd'), textOf(domain, 'Fmly', 'Cd'), textOf(domain, 'Fmly', 'SubFmlyCd')];
  const iso = parts.filter((part) => part !== null).join('/');
  return realId(iso === '' ? textOf(code, 'Prtry', 'Cd') : iso);
}

/** Until version 2 a charge stands alone (`Chrgs/Amt`), later in records under their total. */
export function chargesOf(element: XmlElement): Charge[] {
  return childrenOf(element, 'Chrgs').flatMap((charges) => {
    const records = childrenOf(charges, 'Rcrd');
    return (records.length > 0 ? records : [charges]).flatMap((record) => {
      const amount = told(child(record, 'Amt')) ?? told(child(record, 'TtlChrgsAndTaxAmt'));
      if (amount === null) return [];
      const credit = signOf(record) === true;
      return [{ ...amount, credit, included: isTrue(record, 'ChrgInclInd') }];
    });
  });
}

/** `Dbtr/Nm` until version 7, `Dbtr/Pty/Nm` or a bank (`Dbtr/Agt`) from 8 on. */
function partyOf(parties: XmlElement | null, role: 'Dbtr' | 'Cdtr'): Party {
  if (parties === null) return { name: null, ultimateName: null, account: null };
  const id = find(parties, `${role}Acct`, 'Id');
  return {
    name: nameOf(child(parties, role)),
    ultimateName: nameOf(child(parties, `Ultmt${role}`)),
    account: accountIn(id),
  };
}

function nameOf(party: XmlElement | null): string | null {
  if (party === null) return null;
  return cleanText(textOf(party, 'Nm') ?? textOf(party, 'Pty', 'Nm') ?? textOf(party, 'Agt', 'FinInstnId', 'Nm'));
}

/** IBAN, another number, or the choices of version 1. */
export const accountIn = (id: XmlElement | null): string | null =>
  id === null
    ? null
    : accountOf(textOf(id, 'IBAN') ?? textOf(id, 'Othr', 'Id') ?? textOf(id, 'BBAN') ?? textOf(id, 'PrtryAcct', 'Id'));

function structuredReference(structured: XmlElement): string | null {
  const told = textOf(structured, 'CdtrRefInf', 'Ref') ?? textOf(structured, 'CdtrRefInf', 'CdtrRef');
  return belgianReferences(told)[0] ?? referenceOf(told);
}

/** What a text of a remittance may have. */
const FULL = 140;

/** The texts of a remittance; one that is full goes on in the next within a word. */
function unstructured(remittance: XmlElement | null): string[] {
  const texts = childrenOf(remittance, 'Ustrd').map(({ text }) => text);
  if (texts.length < 2 || !texts.some(({ length }) => length === FULL)) return texts;
  return [texts.reduce((all, text, index) => all + (texts[index - 1]?.length === FULL ? '' : ' ') + text)];
}

/** What Swiss banks write beside a reference of how they read it: `?REJECT?0`. */
const SWISS_CODE = /^\s*\?[A-Z]+\?\d*\s*$/;

/** Numbers of the documents that are paid, and what is added in words. */
function toldInStructure(structured: XmlElement): (string | null)[] {
  const documents = childrenOf(structured, 'RfrdDocInf');
  return [
    ...documents.map((document) => textOf(document, 'Nb') ?? textOf(document, 'RfrdDocNb')),
    ...childrenOf(structured, 'AddtlRmtInf').map(({ text }) => (SWISS_CODE.test(text) ? null : text)),
  ];
}
