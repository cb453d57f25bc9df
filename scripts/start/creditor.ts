import type { Db } from '../../db/database.ts';
import { inTransaction } from '../../db/database.ts';
import { createCreditor, type CreditorInput } from '../../db/repositories/creditors.ts';
import { ensureKey, findKey } from '../../db/repositories/keys.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { StackError } from '../stack/errors.ts';

/** The invented company whose invoices a local stack looks after. */
const CREDITOR: CreditorInput = {
  name: 'Atelier Lumen SARL',
  country: 'FR',
  timeZone: 'Europe/Paris',
  locale: 'fr',
  senderEmail: 'comptabilite@atelier-lumen.example',
  replyTo: 'reponse@atelier-lumen.example',
  address: { lines: ['4 passage des Verriers'], postalCode: '44000', city: 'Nantes', country: 'FR' },
  registrationId: '123 456 782 00017',
  vatId: 'FR11123456782',
  iban: 'FR1420041010050500013M02606',
  defaultPolicy: null,
  paymentDays: 30,
  closedWeeks: [],
};

/**
 * The creditor to whom the stack's own key belongs, made with the preset policies when there is none yet. A start that
 * was killed in between leaves either both or nothing.
 * @param at the business clock
 * @returns its id
 * @throws StackError when the key was revoked
 */
export async function ensureCreditor(db: Db, at: Instant, apiKey: string): Promise<string> {
  const known = await findKey(db, apiKey);
  if (known) return known.creditor_id ?? refuse();
  return inTransaction(db, async (tx) => {
    const creditorId = await createCreditor(tx, { actor: 'system', at }, CREDITOR);
    await ensureKey(tx, at, apiKey, { creditorId, name: 'stack', role: 'approver' });
    return creditorId;
  });
}

function refuse(): never {
  throw new StackError('The key of this data folder is an admin key in this database; start with --fresh.');
}
