import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Text encrypted with AES-256-GCM under the key from the environment: 12 bytes nonce, 16 bytes tag, then the text, in
 * base64. `purpose` is bound to it, so that what was sealed for one thing cannot be put in another's place.
 */
export function seal(text: string, purpose: string, key: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose, 'utf8'));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** The text of `seal`. Throws when the key or the purpose is another one or a byte was changed. */
export function unseal(sealed: string, purpose: string, key: Buffer): string {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
    .setAAD(Buffer.from(purpose, 'utf8'))
    .setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
}

/** A signing secret of Standard Webhooks: `whsec_` and the base64 of 32 random bytes. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** What the sealed signing secret of an agency's webhooks is bound to. */
export const agencySecretPurpose = (agencyId: string): string => `agency:${agencyId}`;

/** What a sealed signing secret of a feed is bound to. */
export const secretPurpose = (feedId: string): string => `feed:${feedId}`;

/** What the sealed credentials of a feed's provider are bound to. */
export const credentialsPurpose = (feedId: string): string => `feedCredentials:${feedId}`;
