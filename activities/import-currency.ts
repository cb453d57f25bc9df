/**
 * Where the euro is the currency: the members of the euro area (Bulgaria since 1 January 2026, Council Decision of 8 July
 * 2025), those with a monetary agreement (Andorra, Monaco, San Marino, Vatican City) and the French territories with codes
 * of their own.
 */
const EURO =
  'AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK AD MC SM VA AX BL GF GP MF MQ PM RE TF YT'.split(' ');

/**
 * The currency of table rows that name none: the euro for a creditor of a country that has it. Elsewhere such a row is
 * rejected; a wrong currency is a wrong claim.
 */
export function defaultCurrency(country: string): string | null {
  return EURO.includes(country) ? 'EUR' : null;
}
