/**
 * The creditor's reference of ISO 11649, `RF18 5390 0754 7034`: two check digits over up to 21 letters and digits, by which a
 * slip of the pen is noticed.
 */

const FORM = /^RF\d{2}[A-Z0-9]{1,21}$/;

/**
 * What stands behind the check digits, where they are right; null for anything else.
 * @param text normalised: A to Z and digits only
 */
export function baseOfReference(text: string): string | null {
  if (!FORM.test(text)) return null;
  return remainder(`${text.slice(4)}${text.slice(0, 4)}`) === 1 ? text.slice(4) : null;
}

/** ISO 7064, mod 97-10: letters stand for 10 to 35. */
function remainder(text: string): number {
  let rest = 0;
  for (const digit of text) {
    const value = Number.parseInt(digit, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}
