/**
 * Whether a statement is of this account. Banks write the IBAN, alone or behind a BIC, or the account number that is a part of
 * it: in France bank, branch and account (RIB), in Germany bank code and account, elsewhere the account alone. Numbers of
 * fewer than six digits prove nothing.
 * @param iban of the feed, without spaces, upper case
 * @param told as the statement writes it, without spaces, upper case
 */
export function isSameAccount(iban: string, told: string): boolean {
  // `50070010/1234567`: the bank's code and its name say less than the number behind it, but a code must be the account's.
  const parts = told.split('/').filter((part) => part !== '');
  const number = parts.at(-1) ?? '';
  const codes = parts.slice(0, -1).filter((part) => /^\d+$/.test(part));
  return isNumberOf(iban, parts.join('')) || (isNumberOf(iban, number) && codes.every((code) => iban.includes(code)));
}

function isNumberOf(iban: string, told: string): boolean {
  if (told === iban) return true;
  if (/^[A-Z]{2}\d{2}/.test(told) && told.length >= 15) return false;
  const number = told.replaceAll(/[^A-Z0-9]/g, '').replace(/^0+/, '');
  return number.length >= 6 && iban.slice(4).includes(number);
}
