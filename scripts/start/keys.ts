import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { newKey } from '../../db/repositories/keys.ts';
import { StackError } from '../stack/errors.ts';
import { readRecord, readText, writeAtomically } from '../stack/files.ts';

/** The secrets of a local stack. Made once for a data folder and kept in it, readable by its owner alone. */
export interface StackKeys {
  /** Manages creditors and keys. */
  readonly adminKey: string;
  /** An approver of the one creditor. */
  readonly apiKey: string;
  /** 32 bytes in base64, under which feed secrets are encrypted. */
  readonly secretKey: string;
  /** What the local mail server takes instead of a key of Resend. */
  readonly mailKey: string;
  /** Signs the local mail server's delivery webhooks. */
  readonly mailWebhookSecret: string;
}

const NAMES = ['adminKey', 'apiKey', 'secretKey', 'mailKey', 'mailWebhookSecret'] as const;

/**
 * The keys of a data folder, made at its first start.
 * @throws StackError when the file is there but cannot be read as what it should be: new keys would lock everybody out.
 */
export function stackKeys(dataDir: string): StackKeys {
  const path = join(dataDir, 'keys.json');
  if (readText(path) === undefined) {
    const keys: StackKeys = {
      adminKey: `rel_admin_${randomBytes(32).toString('base64url')}`,
      apiKey: newKey(),
      secretKey: randomBytes(32).toString('base64'),
      mailKey: `re_local_${randomBytes(16).toString('hex')}`,
      mailWebhookSecret: `whsec_${randomBytes(24).toString('base64')}`,
    };
    writeAtomically(path, `${JSON.stringify(keys, null, 2)}\n`);
    return keys;
  }
  const kept = readRecord(path) ?? {};
  const values = NAMES.map((name) => kept[name]);
  if (!values.every((value) => typeof value === 'string' && value !== '')) {
    throw new StackError(`${path} does not hold the keys of this data any more; put it back, or start with --fresh.`);
  }
  return Object.fromEntries(NAMES.map((name) => [name, kept[name]])) as unknown as StackKeys;
}
