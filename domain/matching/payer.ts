import type { Item, KnownPayer } from './types.ts';

/**
 * Whom money is taken to be from (api.md): the one customer who owns a number quoted, else the one that its payer is known
 * to be by its account, a registration number or a name; else nobody.
 */
export function presumedCustomer(
  quoted: readonly Pick<Item, 'customerId'>[],
  payers: readonly KnownPayer[],
): string | null {
  return (
    onlyOne(quoted.map(({ customerId }) => customerId)) ??
    onlyOne(payers.filter(({ by }) => by !== 'relation').map(({ customerId }) => customerId))
  );
}

function onlyOne(ids: readonly string[]): string | null {
  const [only, ...others] = new Set(ids);
  return only !== undefined && others.length === 0 ? only : null;
}
