/**
 * Reasons for which a payment comes back or a debit is not paid: ISO 20022 external codes (ExternalReturnReason1Code and
 * ExternalStatusReason1Code) in words a person understands. Banks send others as well, national ones among them.
 */
const REASONS: Readonly<Record<string, string>> = {
  AC01: 'the account number is wrong',
  AC03: 'the account of the payee is not valid',
  AC04: 'the account is closed',
  AC06: 'the account is blocked',
  AC13: 'the account belongs to a consumer, which this kind of debit does not allow',
  AG01: 'the account does not allow this kind of payment',
  AG02: 'the bank does not know this kind of transaction',
  AM02: 'the amount is above what is allowed',
  AM04: 'the account does not hold enough',
  AM05: 'the same payment was there before',
  AM09: 'the amount is not the one that was agreed',
  BE01: 'the name does not fit the account',
  BE04: 'the address of the payee is missing',
  BE05: 'the creditor is not known to the bank',
  CNOR: "the payee's bank is not registered",
  CUST: 'the payer asked for it back',
  DNOR: "the payer's bank is not registered",
  DUPL: 'it was sent twice',
  FF01: 'the format is wrong',
  FOCR: 'it comes back after a request for cancellation',
  FRAD: 'it is said to be fraud',
  MD01: 'there is no mandate, or it has ended',
  MD02: 'the mandate lacks something',
  MD06: 'the payer asked for the money back',
  MD07: 'the payer has died',
  MS02: 'the customer refused, without a reason',
  MS03: 'the bank gives no reason',
  NARR: 'the reason is told in words',
  NOAS: 'nobody answered a request for cancellation',
  RC01: "the bank's code is wrong",
  RR01: "the payer's account or identification is missing, which the law asks for",
  RR02: "the payer's name or address is missing, which the law asks for",
  RR03: "the payee's name or address is missing, which the law asks for",
  RR04: 'a rule of the authorities forbids it',
  SL01: "the payer's bank offers services that stopped it",
  TECH: 'something technical went wrong',
  TM01: 'it came after the cut-off',
  UPAY: 'the payment was not due',
};

/** What a return reason means; the code itself where it is not known here. */
export function returnReasonLabel(code: string): string {
  return Object.hasOwn(REASONS, code) ? REASONS[code]! : code;
}

/**
 * The reason in a return's text: behind the German word for it (`RUECKGABEGRUND: AC04 KONTO AUFGELOEST`), else the first
 * code that is known here. It gives a reason to what is a return, and proves none: payers write such words too.
 */
export function reasonIn(text: string | null): string | null {
  const told = /R(?:UE|Ü)CKGABEGRUND\W{0,3}([A-Z]{2}\d{2})\b/i.exec(text ?? '')?.[1]?.toUpperCase();
  return told ?? text?.match(/\b[A-Z]{2}\d{2}\b/g)?.find((code) => Object.hasOwn(REASONS, code)) ?? null;
}

/** German codes of the kind of booking (GVC) that undo another: a returned debit, one given back to us, a returned transfer. */
const RETURN_CODES: ReadonlySet<string> = new Set(['108', '109', '159', '181', '184']);

export const isReturnCode = (code: string | null): boolean => code !== null && RETURN_CODES.has(code);
