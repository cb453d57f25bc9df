/**
 * Whether a statement is of this account. Banks write the IBAN, or the account number that is a part of it: in France bank,
 * branch and account (RIB), in Germany bank code and account, elsewhere the account alone. Numbers of fewer than six digits
 * prove nothing.
 * @param iban of the feed, without spaces, upper case
 * @param told as the statement writes it, without spaces, upper case
 */
export function isSameAccount(iban: string, told: string): boolean {
  if (told === iban) return true;
  const number = told.replaceAll(/[^A-Z0-9]/g, '').replace(/^0+/, '');
  if (/^[A-Z]{2}\d{2}/.test(told) && told.length >= 15) return false;
  return number.length >= 6 && iban.slice(4).includes(number);
}
