import type { BankMessage } from '../bank-message.ts';
import { readBridge } from './bridge.ts';
import { readGoCardless } from './gocardless.ts';
import { readQonto } from './qonto.ts';
import { readStandard } from './standard.ts';
import { readStripe } from './stripe.ts';

/** Providers that tell by webhook. */
export type ProviderKind = 'standard' | 'qonto' | 'bridge' | 'stripe' | 'gocardless';

const READERS: Readonly<Record<ProviderKind, (body: Uint8Array) => BankMessage[]>> = {
  standard: readStandard,
  qonto: readQonto,
  bridge: readBridge,
  stripe: readStripe,
  gocardless: readGoCardless,
};

/**
 * What a kept message of a provider says. Throws a `DomainError` that says why it cannot be used: `notJson`,
 * `unknownMessage`, `messageInvalid`, `unknownCurrency`, `amountInvalid`, `tooManyDecimals`.
 */
export const readProvider = (kind: ProviderKind, body: Uint8Array): BankMessage[] => READERS[kind](body);
