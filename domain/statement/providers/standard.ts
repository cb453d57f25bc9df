import { parseStandardWebhook } from '../standard-webhook.ts';
import type { BankMessage } from '../bank-message.ts';
import { moved, structuredAmong, textOf } from './reading.ts';

/**
 * What the generic bank webhook says. Debits are told, too: they are shown and settle nothing. Throws what
 * `parseStandardWebhook` does.
 */
export function readStandard(body: Uint8Array): BankMessage[] {
  const told = parseStandardWebhook(body);
  const common = { bookedOn: told.bookedOn, currency: told.currency, bankId: told.id, source: 'standard' } as const;
  if (told.kind === 'returned') {
    const { originalId, reasonCode, amountMinor } = told;
    // Whether the bank has put its fee on top is not told, so neither is what the original was of.
    return [moved({ ...common, amountMinor: -amountMinor, returns: { originalBankId: originalId, reasonCode } })];
  }
  const remittance = textOf(told.remittance);
  return [
    moved({
      ...common,
      amountMinor: told.direction === 'credit' ? told.amountMinor : -told.amountMinor,
      counterparty: { name: textOf(told.payerName), account: told.payerIban },
      remittance,
      structuredReferences: structuredAmong(remittance === null ? [] : [remittance]),
      endToEndId: textOf(told.endToEndId),
    }),
  ];
}
