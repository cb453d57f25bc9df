import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqlState, type Tx } from '../../db/database.ts';
import { queueContact } from '../../db/repositories/contacts.ts';
import { loadCustomer } from '../../db/repositories/facts.ts';
import { setHold } from '../../db/repositories/holds.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import type { Act } from '../../db/act.ts';
import { planContacts } from '../../domain/case/plan-contacts.ts';
import { relayOne } from '../../worker/relays/mail-relay.ts';
import { addInvoice } from '../support/book.ts';
import { until } from '../support/service.ts';
import { openWorld, type World } from './world.ts';

/** Design rules 4 and 6: both looks of a send wait for whoever is changing what they read, and a step is sent once. */
describe('while money or a hold is being booked', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(async () => {
    await world.close();
  });

  const requested = async (): Promise<string> => {
    const id = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-02-01',
      dueOn: '2026-02-28',
    });
    await world.turn(id);
    return id;
  };
  const pay = (invoiceId: string) => (tx: Tx, act: Act) =>
    recordPayment(
      tx,
      act,
      { invoiceId, amountMinor: 20_000n, currency: 'EUR', receivedOn: '2026-03-05' },
      world.deps.holidaySet,
    );
  const hold = (invoiceId: string) => (tx: Tx, act: Act) =>
    setHold(tx, act, { customerId: world.customer.id, invoiceId, kind: 'pause', untilOn: null });

  /** Somebody waits for a lock in this database. */
  const someoneWaits = async (): Promise<boolean> => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(world.db);
    return rows[0]!.n > 0;
  };

  /** Does `work` in a transaction that is committed only once `other` waits for it, or has not had to. */
  async function during<T>(work: (tx: Tx, act: Act) => Promise<unknown>, other: () => Promise<T>): Promise<T> {
    let running: Promise<T> | null = null;
    let done = false;
    await world.within(async (tx, act) => {
      await work(tx, act);
      running = other().finally(() => {
        done = true;
      });
      await until('a lock that is waited for', async () => done || (await someoneWaits()));
    });
    return await running!;
  }

  it.each([
    ['a payment', pay, 'amountChanged'],
    ['a hold', hold, 'held'],
  ] as const)('the relay waits for %s and then takes the message back', async (_, work, code) => {
    const id = await requested();
    await world.plan();
    const [contact] = await world.contacts();
    expect(await during(work(id), () => relayOne(world.relay, contact!.id))).toBe(false);
    expect(world.provider.calls).toEqual([]);
    expect(await world.contactOf(contact!.id)).toMatchObject({ status: 'withdrawn', error_code: code });
    expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
  });

  it('outreach waits for a payment and then asks for what is left', async () => {
    const id = await requested();
    expect(await during(pay(id), () => world.plan())).toMatchObject({ queued: 1 });
    const items = await world.db.selectFrom('contact_items').select('amount_minor').execute();
    expect(items).toEqual([{ amount_minor: 100_000n }]);
  });

  it('outreach waits for a hold and then says nothing', async () => {
    const id = await requested();
    expect(await during(hold(id), () => world.plan())).toMatchObject({ queued: 0 });
    expect(await world.contacts()).toEqual([]);
  });

  it('two looks at once queue one message', async () => {
    await requested();
    const looks = await Promise.all([world.plan(), world.plan(), world.plan()]);
    expect(looks.reduce((sum, look) => sum + look.queued, 0)).toBe(1);
  });

  it('the database itself refuses a step that is in a message already', async () => {
    await requested();
    const now = world.deps.clock.now();
    const { messages } = planContacts(await loadCustomer(world.db, world.customer.id, world.deps.holidays, now), now);
    const [message] = messages;
    const written = {
      ...{ reference: 'R-0000001', sender: 'a@b.example', replyTo: null, subject: 's', text: 't', html: null },
      ...{ locale: 'fr', templateVersion: null, recipients: ['c-1@customer.example'], cc: [] },
    };
    const home = { creditorId: world.creditor.id, customerId: world.customer.id };
    await world.within((tx, act) => queueContact(tx, act, home, message!, written));
    // The same step to another address, as a second outreach without locks might have it.
    const again = { ...message!, recipients: { ...message!.recipients, recipientKey: 'another' } };
    const refused = await world
      .within((tx, act) => queueContact(tx, act, home, again, { ...written, reference: 'R-0000002' }))
      .catch((error: unknown) => sqlState(error));
    expect(refused).toBe('23505');
    expect(await world.contacts()).toHaveLength(1);
  });
});
