import { createActivities, type Activities, type ActivityDeps } from '../../activities/create-activities.ts';
import { papers } from '../../activities/agency/papers.ts';
import { holidaysOf } from '../../activities/holidays.ts';
import type { MailMessage, Mailer, SendOutcome } from '../../activities/mail/resend-client.ts';
import { systemAct, type Act } from '../../db/act.ts';
import { createDatabase, inTransaction, type Db, type Tx } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { dueContacts } from '../../db/repositories/sending.ts';
import { contactCounters } from '../../db/repositories/counters.ts';
import type { CreditorRow } from '../../db/repositories/creditors.ts';
import type { CustomerRow } from '../../db/repositories/customers.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { holidaySets } from '../../worker/holiday-sets.ts';
import { relayOne, type MailRelayDeps } from '../../worker/relays/mail-relay.ts';
import { pino } from 'pino';
import { addCustomer, openBook } from '../support/book.ts';
import { NO_PROVIDERS } from '../support/no-providers.ts';
import { createTestDatabase } from '../support/servers.ts';

/** One call of the provider's API, as it arrived there. */
export interface Call {
  key: string;
  message: MailMessage;
}

/** What the provider does with a call; it takes the mail (once a key) unless told otherwise. */
export interface Provider {
  calls: Call[];
  /** Mails that were really sent: the first of each key. */
  sent: Call[];
  /** Outcomes of the next calls. `lost`: the mail is taken, its answer never arrives. */
  next: (SendOutcome | 'lost')[];
  /** Runs while the next call is under way. */
  during: (() => Promise<void>) | null;
  /** Tags that were asked for. */
  asked: string[];
}

/** The service without Temporal: the test takes the turns, plans the contacts and relays, at the time it sets. */
export interface World {
  db: Db;
  activities: Activities;
  deps: ActivityDeps;
  relay: MailRelayDeps;
  provider: Provider;
  creditor: CreditorRow;
  customer: CustomerRow;
  /** Sets the business clock; in real time, so it is the real one as well. */
  goTo(iso: string): void;
  act(): Act;
  within<T>(work: (tx: Tx, act: Act) => Promise<T>): Promise<T>;
  turn(invoiceId: string): ReturnType<Activities['turn']>;
  plan(): ReturnType<Activities['planOutreach']>;
  /** Relays everything that is due; how many messages were handled. */
  send(): Promise<number>;
  /** The contact is due for another attempt now. */
  hurry(contactId: string): Promise<void>;
  pay(invoiceId: string, amountMinor: bigint): Promise<void>;
  contacts(): Promise<{ id: string; status: string; error_code: string | null; subject: string | null }[]>;
  contactOf(id: string): Promise<{ status: string; error_code: string | null; provider_id: string | null }>;
  stepsOf(invoiceId: string): Promise<string[]>;
  counters(): ReturnType<typeof contactCounters>;
  close(): Promise<void>;
}

/** Thursday 5 March 2026, ten o'clock in Paris. */
const BEGIN = '2026-03-05T09:00:00Z';

export const REMINDERS = {
  steps: [
    { key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 15, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
  ],
};

export async function openWorld(policy: Record<string, unknown> = REMINDERS): Promise<World> {
  const database = await createTestDatabase();
  const db = createDatabase(database.url, { max: 6 });
  let now = parseInstant(BEGIN);
  const clock: ActivityDeps['clock'] = {
    setting: { anchorReal: 0, anchorBusiness: 0, dayMs: 86_400_000 },
    now: () => now,
    delayUntil: (at) => Math.max(0, at - now),
  };
  const log = pino({ level: 'silent' });
  const commands = { execute: () => Promise.resolve(null) };
  const provider: Provider = { calls: [], sent: [], next: [], during: null, asked: [] };
  const agencies = { mailer: mailerOf(provider), openSecret: (sealed: string) => sealed, papers };
  const deps: ActivityDeps = {
    db,
    clock,
    holidays: holidaysOf,
    holidaySet: holidaySets(clock),
    log,
    commands,
    agencies,
    feeds: NO_PROVIDERS,
  };
  const relay: MailRelayDeps = { db, mailer: mailerOf(provider), clock, holidays: holidaysOf, log };
  const activities = createActivities(deps);
  const creditor = await openBook({ db, clock }, policy);
  const customer = await addCustomer({ db, clock }, creditor, { reference: 'c-1' });
  const within: World['within'] = (work) => inTransaction(db, (tx) => work(tx, systemAct(now)));
  return {
    db,
    activities,
    deps,
    relay,
    provider,
    creditor,
    customer,
    goTo: (iso) => {
      now = parseInstant(iso);
    },
    act: () => systemAct(now),
    within,
    async turn(invoiceId) {
      const { run } = await db
        .selectFrom('invoices')
        .select('run')
        .where('id', '=', invoiceId)
        .executeTakeFirstOrThrow();
      return await activities.turn({ invoiceId, run, commands: [], known: null });
    },
    plan: () => activities.planOutreach({ customerId: customer.id }),
    async send() {
      let handled = 0;
      for (const id of await dueContacts(db, 100)) if (await relayOne(relay, id)) handled += 1;
      return handled;
    },
    async hurry(contactId) {
      await db.updateTable('contacts').set({ next_attempt_real: null }).where('id', '=', contactId).execute();
    },
    async pay(invoiceId, amountMinor) {
      const receivedOn = new Date(now).toISOString().slice(0, 10);
      await within((tx, act) =>
        recordPayment(tx, act, { invoiceId, amountMinor, currency: 'EUR', receivedOn }, deps.holidaySet),
      );
    },
    contacts: () =>
      db.selectFrom('contacts').select(['id', 'status', 'error_code', 'subject']).orderBy('seq').execute(),
    contactOf: (id) =>
      db
        .selectFrom('contacts')
        .select(['status', 'error_code', 'provider_id'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow(),
    async stepsOf(invoiceId) {
      const rows = await db
        .selectFrom('case_steps')
        .select(['step', 'status'])
        .where('invoice_id', '=', invoiceId)
        .orderBy('id')
        .execute();
      return rows.map((r) => `${r.step}:${r.status}`);
    },
    counters: () => contactCounters(db),
    async close() {
      await db.destroy();
      await database.drop();
    },
  };
}

function mailerOf(provider: Provider): Mailer {
  return {
    async send(message, key) {
      provider.calls.push({ key, message });
      const during = provider.during;
      provider.during = null;
      await during?.();
      const answer = provider.next.shift() ?? { kind: 'accepted' as const, providerId: '' };
      if (answer !== 'lost' && answer.kind !== 'accepted') return answer;
      if (!provider.sent.some((mail) => mail.key === key)) provider.sent.push({ key, message });
      if (answer === 'lost') return { kind: 'unknown', code: 'no_answer' };
      return { kind: 'accepted', providerId: idOf(key) };
    },
    async findByTag(_name, value) {
      provider.asked.push(value);
      return provider.sent.some((mail) => mail.key === value) ? { id: idOf(value) } : null;
    },
  };
}

/** An agency of the creditor that fetches its files itself; as the only one it gets every placement. */
export async function addAgency({ db, creditor, deps }: World): Promise<void> {
  await db
    .insertInto('agencies')
    .values({
      id: newId('agy'),
      creditor_id: creditor.id,
      name: 'Agency',
      deliver_by: 'download',
      created_at: new Date(deps.clock.now()),
    })
    .execute();
}

/** The provider's id of the mail that was sent under this key. */
export const idOf = (key: string): string => `mail-${key}`;
