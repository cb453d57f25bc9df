import { z } from 'zod';

/** What providers must be asked with, where a webhook tells only that something happened. */

const token = z.string().regex(/^[\x21-\x7e]{8,400}$/, 'is not 8 to 400 printable ASCII characters without spaces');

export const bridgeCredentials = z.strictObject({
  clientId: token,
  clientSecret: token,
  /** Bridge's id of the user whose account it is. */
  userUuid: z.guid(),
  /** Bridge's id of the account, as text: one account is one feed. */
  accountId: z.string().regex(/^\d{1,20}$/, 'is not a number of Bridge'),
});
export type BridgeCredentials = z.output<typeof bridgeCredentials>;

export const gocardlessCredentials = z.strictObject({
  accessToken: token,
  environment: z.enum(['live', 'sandbox']),
});
export type GoCardlessCredentials = z.output<typeof gocardlessCredentials>;

/** The shape of the credentials of a kind of feed; null where its messages say all there is. */
export function credentialsOf(kind: string): typeof bridgeCredentials | typeof gocardlessCredentials | null {
  if (kind === 'bridge') return bridgeCredentials;
  return kind === 'gocardless' ? gocardlessCredentials : null;
}
