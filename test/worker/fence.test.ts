import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { beginSending, resolveUnknown } from '../../db/repositories/sending.ts';
import { recordDelivery, type DeliveryStatus } from '../../db/repositories/deliveries.ts';
import { openDispute } from '../../db/repositories/disputes.ts';
import { setHold } from '../../db/repositories/holds.ts';
import { changeDueOn } from '../../db/repositories/invoices.ts';
import { makePromise } from '../../db/repositories/promises.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { relayOne } from '../../worker/relays/mail-relay.ts';
import { addCustomer, addInvoice } from '../support/book.ts';
import { idOf, openWorld, type World } from './world.ts';

/** Design rule 6: what was asked is still true when it leaves, and it leaves once. */
describe('the fence of a send', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(async () => {
    await world.close();
  });

  const invoice = (amountMinor = 120_000n) =>
    addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-02-01',
      dueOn: '2026-02-28',
      amountMinor,
    });

  /** Two invoices that were due on Saturday 28 February, in one message that waits for the relay on 5 March. */
  async function queued(): Promise<{ first: string; second: string; contact: string }> {
    const first = await invoice();
    const second = await invoice(50_000n);
    await world.turn(first);
    await world.turn(second);
    expect(await world.plan()).toMatchObject({ queued: 1, waiting: 0 });
    const [contact] = await world.contacts();
    return { first, second, contact: contact!.id };
  }

  const task = (kind: string) =>
    world.db.selectFrom('tasks').select(['id', 'status', 'data']).where('kind', '=', kind).executeTakeFirst();
  const zero = { duplicate: 0, afterPayment: 0 };

  it('takes the whole message back when money came between queue and send, and plans anew what is left', async () => {
    const { first, second, contact } = await queued();
    await world.pay(first, 20_000n);
    await world.send();
    expect(world.provider.calls).toEqual([]);
    expect(await world.contactOf(contact)).toMatchObject({ status: 'withdrawn', error_code: 'amountChanged' });
    expect(await world.stepsOf(first)).toEqual(['one:requested']);
    expect(await world.stepsOf(second)).toEqual(['one:requested']);

    expect(await world.plan()).toMatchObject({ queued: 1 });
    await world.send();
    expect(world.provider.calls).toHaveLength(1);
    // Amounts are written with narrow spaces that do not break.
    const text = world.provider.calls[0]!.message.text.replace(/\s/g, ' ');
    expect(text).toContain('À régler : 1 000,00 € sur 1 200,00 €');
    expect(text).toContain('Total : 1 500,00 €');
    expect(await world.stepsOf(first)).toEqual(['one:left']);
    expect(await world.counters()).toEqual(zero);
  });

  it('leaves out of the new message what was paid in full', async () => {
    const { first, second } = await queued();
    await world.pay(first, 120_000n);
    await world.send();
    expect((await world.turn(first)).closed).toBe(true);
    await world.plan();
    await world.send();
    expect(world.provider.sent).toHaveLength(1);
    const text = world.provider.sent[0]!.message.text.replace(/\s/g, ' ');
    expect(text).toContain('500,00');
    expect(text).not.toContain('1 200,00');
    expect((await world.stepsOf(first))[0]).toBe('one:withdrawn');
    expect(await world.stepsOf(second)).toEqual(['one:left']);
    expect(await world.counters()).toEqual(zero);
  });

  it('asks for what is owed when a match is undone while a message about the rest waits', async () => {
    const { first, contact } = await queued();
    await world.pay(first, 20_000n);
    await world.send();
    expect((await world.contactOf(contact)).status).toBe('withdrawn');
    expect(await world.plan()).toMatchObject({ queued: 1 });
    // The message for 1,000.00 waits; now the 200.00 turn out to be somebody else's.
    const [allocation] = await world.db
      .selectFrom('allocations')
      .select('id')
      .where('invoice_id', '=', first)
      .execute();
    await inTransaction(world.db, (tx) =>
      undoAllocation(tx, systemAct(world.deps.clock.now()), allocation!.id, 'manual'),
    );
    await world.send();
    expect(world.provider.calls).toEqual([]);
    const contacts = await world.contacts();
    expect(contacts.map(({ status }) => status)).toEqual(['withdrawn', 'withdrawn']);
    await world.plan();
    await world.send();
    const text = world.provider.sent.at(-1)!.message.text.replace(/\s/g, ' ');
    expect(text).toContain('1 200,00 €');
    expect(text).not.toContain('1 000,00');
    expect(await world.counters()).toEqual(zero);
  });

  it('does not hand a step of a closed case back to outreach', async () => {
    const { first, contact } = await queued();
    await world.pay(first, 120_000n);
    // The case closes before the relay looks.
    expect((await world.turn(first)).closed).toBe(true);
    await world.send();
    expect((await world.contactOf(contact)).status).toBe('withdrawn');
    expect((await world.stepsOf(first))[0]).toBe('one:withdrawn');
  });

  it.each([
    ['a hold of the customer', 'held'],
    ['a pause of one invoice', 'held'],
    ['a promise of the whole', 'held'],
    ['a dispute of a part', 'amountChanged'],
    ['a later due date', 'noLongerDue'],
    ['a stopped address', 'addressStopped'],
  ])('withdraws for %s', async (what, code) => {
    const { first, second, contact } = await queued();
    await world.within(async (tx, act) => {
      switch (what) {
        case 'a hold of the customer':
          await setHold(tx, act, { customerId: world.customer.id, invoiceId: null, kind: 'customer', untilOn: null });
          return;
        case 'a pause of one invoice':
          await setHold(tx, act, { customerId: world.customer.id, invoiceId: second, kind: 'pause', untilOn: null });
          return;
        case 'a promise of the whole':
          await makePromise(tx, act, world.creditor.id, {
            invoiceId: first,
            payOn: '2026-03-20',
            amountMinor: null,
            by: null,
          });
          return;
        case 'a dispute of a part':
          await openDispute(tx, act, world.creditor.id, {
            invoiceId: first,
            amountMinor: 10_000n,
            category: 'price',
            note: null,
          });
          return;
        case 'a later due date':
          await changeDueOn(tx, act, world.creditor.id, first, '2026-03-30');
          return;
        default:
          await tx
            .insertInto('stopped_addresses')
            .values({
              creditor_id: world.creditor.id,
              email: 'c-1@customer.example',
              reason: 'bounced',
              at: new Date(act.at),
            })
            .execute();
      }
    });
    await world.send();
    expect(await world.contactOf(contact)).toMatchObject({ status: 'withdrawn', error_code: code });
    expect(world.provider.calls).toEqual([]);
  });

  it('looks at day and window again when it comes too late, and plans anew', async () => {
    const { contact } = await queued();
    world.goTo('2026-03-06T06:00:00Z');
    await world.send();
    expect(await world.contactOf(contact)).toMatchObject({ status: 'withdrawn', error_code: 'outsideWindow' });
    const next = await world.plan();
    expect(next).toMatchObject({ queued: 0, wakeAt: '2026-03-06T07:30:00.000Z' });
    world.goTo(next.wakeAt!);
    await world.plan();
    await world.send();
    expect(world.provider.sent).toHaveLength(1);
  });

  it('lets a payment that comes while the provider is called be later than the send', async () => {
    const { first, contact } = await queued();
    world.provider.during = () => world.pay(first, 120_000n);
    await world.send();
    expect((await world.contactOf(contact)).status).toBe('sent');
    expect(await world.stepsOf(first)).toEqual(['one:left']);
    expect(await world.counters()).toEqual(zero);
  });

  it('takes over from a relay that died after `sending`: the same key and body, one mail', async () => {
    const { contact } = await queued();
    await world.within((tx, act) => beginSending(tx, act, contact, 60_000));
    expect(await world.send()).toBe(0);
    await world.hurry(contact);
    expect(await world.send()).toBe(1);
    expect(world.provider.calls.map((c) => c.key)).toEqual([contact]);
    expect(await world.contactOf(contact)).toMatchObject({ status: 'sent', provider_id: idOf(contact) });
  });

  it('repeats an unknown outcome with the same key and body while the look passes', async () => {
    const { contact } = await queued();
    world.provider.next = ['lost', { kind: 'unknown', code: 'no_answer' }];
    await world.send();
    expect(await world.contactOf(contact)).toMatchObject({ status: 'sending', error_code: 'no_answer' });
    expect(await world.send()).toBe(0);
    await world.hurry(contact);
    await world.send();
    await world.hurry(contact);
    await world.send();
    expect((await world.contactOf(contact)).status).toBe('sent');
    expect(world.provider.calls).toHaveLength(3);
    expect(new Set(world.provider.calls.map((c) => JSON.stringify(c))).size).toBe(1);
    expect(world.provider.sent).toHaveLength(1);
    expect(await world.counters()).toEqual(zero);
  });

  it('repeats the sender it was written under, and keeps one source of what was sent', async () => {
    const { contact } = await queued();
    world.provider.next = ['lost'];
    await world.send();
    await world.db.updateTable('creditors').set({ name: 'Another Name', reply_to: 'other@atelier.example' }).execute();
    await world.hurry(contact);
    await world.send();
    expect(world.provider.calls).toHaveLength(2);
    expect(new Set(world.provider.calls.map((c) => JSON.stringify(c))).size).toBe(1);

    const sources = await world.db.selectFrom('documents').selectAll().where('contact_id', '=', contact).execute();
    expect(sources).toHaveLength(1);
    const source = sources[0]!.bytes.toString('utf8');
    expect(source).toContain(`X-Relance-Tag: contact=${contact}`);
    expect(source).toMatch(/^Subject: /m);
    expect(sources[0]!.content_type).toBe('message/rfc822');
  });

  it('asks the provider instead of repeating where the look fails, and believes its yes', async () => {
    const { first, contact } = await queued();
    world.provider.next = ['lost'];
    await world.send();
    await world.pay(first, 120_000n);
    await world.hurry(contact);
    await world.send();
    expect(world.provider.calls).toHaveLength(1);
    expect(world.provider.asked).toEqual([contact]);
    expect(await world.contactOf(contact)).toMatchObject({ status: 'sent', provider_id: idOf(contact) });
    expect(await world.counters()).toEqual(zero);
  });

  it('asks a person where the provider knows nothing, and keeps the steps until the answer', async () => {
    const { first, second, contact } = await queued();
    world.provider.next = [{ kind: 'unknown', code: 'no_answer' }];
    await world.send();
    await world.pay(first, 20_000n);
    await world.hurry(contact);
    await world.send();
    expect((await world.contactOf(contact)).status).toBe('unknown');
    expect(await task('unknownSend')).toMatchObject({ status: 'open' });
    expect(await world.stepsOf(second)).toEqual(['one:left']);
    await world.turn(second);
    expect(await world.plan()).toMatchObject({ queued: 0, waiting: 0 });

    await world.within((tx, act) => resolveUnknown(tx, act, contact, 'notSent'));
    await world.turn(first);
    await world.turn(second);
    await world.plan();
    await world.send();
    expect(await world.stepsOf(second)).toEqual(['one:withdrawn', 'one:left']);
    expect(world.provider.sent.map((m) => m.key)).not.toContain(contact);
    expect(world.provider.sent).toHaveLength(1);
    expect(await world.counters()).toEqual(zero);
  });

  it('believes the delivery of a message whose sending nobody could tell', async () => {
    const { first, contact } = await queued();
    world.provider.next = [{ kind: 'unknown', code: 'no_answer' }];
    await world.send();
    await world.pay(first, 20_000n);
    await world.hurry(contact);
    await world.send();
    await world.within((tx, act) =>
      recordDelivery(tx, act, { eventId: 'e', providerId: 'm', contactTag: contact, status: 'delivered' }),
    );
    expect(await world.contactOf(contact)).toMatchObject({ status: 'delivered', provider_id: 'm' });
    expect(await task('unknownSend')).toMatchObject({ status: 'done' });
  });

  it('repeats no call after 23 hours, since the provider forgets the key after 24', async () => {
    const { contact } = await queued();
    world.provider.next = [{ kind: 'unknown', code: 'no_answer' }];
    await world.send();
    await world.db
      .updateTable('contacts')
      .set({ first_attempt_real: sql<Date>`clock_timestamp() - interval '23 hours 1 minute'` })
      .where('id', '=', contact)
      .execute();
    await world.hurry(contact);
    await world.send();
    expect(world.provider.calls).toHaveLength(1);
    expect((await world.contactOf(contact)).status).toBe('unknown');
  });

  it('waits where the provider says later, and where it takes nothing from the account', async () => {
    const { contact } = await queued();
    world.provider.next = [
      { kind: 'retryLater', afterMs: 3_600_000, code: 'rate_limit_exceeded', maybeAccepted: false },
      { kind: 'paused', code: 'daily_quota_exceeded' },
    ];
    await world.send();
    expect(await world.contactOf(contact)).toMatchObject({ status: 'sending', error_code: 'rate_limit_exceeded' });
    expect(await world.send()).toBe(0);
    await world.hurry(contact);
    await world.send();
    expect(await world.contactOf(contact)).toMatchObject({ status: 'sending', error_code: 'daily_quota_exceeded' });
    await world.hurry(contact);
    await world.send();
    expect((await world.contactOf(contact)).status).toBe('sent');
    expect(world.provider.sent).toHaveLength(1);
  });

  it('counts a refused message as tried: a person is told and the case goes on', async () => {
    const { first, contact } = await queued();
    world.provider.next = [{ kind: 'refused', code: 'validation_error', message: 'no' }];
    await world.send();
    expect(await world.contactOf(contact)).toMatchObject({ status: 'failed', error_code: 'validation_error' });
    expect(await task('returnedMail')).toMatchObject({ status: 'open' });
    expect(await world.stepsOf(first)).toEqual(['one:failed']);
    const result = await world.turn(first);
    expect(result.wakeAt?.slice(0, 10)).toBe('2026-03-16');
  });

  describe('what the provider tells afterwards', () => {
    const tell = (eventId: string, contactTag: string | null, status: DeliveryStatus) =>
      world.within((tx, act) =>
        recordDelivery(tx, act, {
          eventId,
          providerId: contactTag ? idOf(contactTag) : 'mail-early',
          contactTag,
          status,
        }),
      );

    it('moves a contact forward only, each event once', async () => {
      const { first, contact } = await queued();
      await world.send();
      expect(await tell('e1', contact, 'delivered')).toBe(true);
      expect(await tell('e1', contact, 'delivered')).toBe(false);
      expect(await tell('e2', contact, 'sent')).toBe(true);
      expect(await tell('e3', contact, 'delayed')).toBe(true);
      expect((await world.contactOf(contact)).status).toBe('delivered');
      const delivered = await world.db
        .selectFrom('events')
        .select('kind')
        .where('invoice_id', '=', first)
        .where('kind', '=', 'contactDelivered')
        .execute();
      expect(delivered).toHaveLength(1);
    });

    it('is kept when it comes before the outcome was recorded', async () => {
      const { contact } = await queued();
      world.provider.during = async () => {
        await world.within((tx, act) =>
          recordDelivery(tx, act, {
            eventId: 'early',
            providerId: idOf(contact),
            contactTag: null,
            status: 'delivered',
          }),
        );
      };
      await world.send();
      expect(await world.contactOf(contact)).toMatchObject({ status: 'delivered', provider_id: idOf(contact) });
    });

    it('names the mail even where it comes first and brings its tag', async () => {
      const { contact } = await queued();
      world.provider.during = async () => {
        await tell('early', contact, 'delivered');
      };
      await world.send();
      expect(await world.contactOf(contact)).toMatchObject({ status: 'delivered', provider_id: idOf(contact) });
    });

    it('stops an address that bounced, asks a person, and lets the case go on without it', async () => {
      const { first, contact } = await queued();
      await world.send();
      await tell('b1', contact, 'bounced');
      await tell('b2', contact, 'bounced');
      expect(await world.contactOf(contact)).toMatchObject({ status: 'failed', error_code: 'bounced' });
      expect(await world.stepsOf(first)).toEqual(['one:failed']);
      const stopped = await world.db.selectFrom('stopped_addresses').select('email').execute();
      expect(stopped.map((s) => s.email)).toEqual(['c-1@customer.example']);
      const tasks = await world.db.selectFrom('tasks').select('id').where('kind', '=', 'returnedMail').execute();
      expect(tasks).toHaveLength(1);
      // The second step finds nobody to write to: a person is asked for an address.
      const { wakeAt } = await world.turn(first);
      world.goTo(wakeAt!);
      await world.turn(first);
      expect(await task('missingAddress')).toMatchObject({ status: 'open' });
      expect((await world.stepsOf(first)).at(-1)).toBe('two:skipped');
    });
  });

  it('never lets two relays send the same message', async () => {
    const { contact } = await queued();
    await Promise.all([relayOne(world.relay, contact), relayOne(world.relay, contact), relayOne(world.relay, contact)]);
    expect(world.provider.calls).toHaveLength(1);
  });

  it('judges where time is compressed as of the planned moment, with everything that is on record', async () => {
    world.deps.clock.setting.dayMs = 100;
    const first = await invoice();
    await world.turn(first);
    await world.plan();
    // A tenth of a second later it is the next day, and a hold is set there.
    world.goTo('2026-03-06T09:00:00Z');
    await world.within((tx, act) =>
      setHold(tx, act, { customerId: world.customer.id, invoiceId: null, kind: 'customer', untilOn: null }),
    );
    await world.send();
    expect((await world.contacts()).map((c) => c.status)).toEqual(['withdrawn']);
    expect(await world.plan()).toMatchObject({ queued: 0 });
    expect(world.provider.calls).toEqual([]);
  });

  it('sends punctually although the clock shows a Sunday by then, where time is compressed', async () => {
    world.deps.clock.setting.dayMs = 100;
    const first = await invoice();
    await world.turn(first);
    await world.plan();
    world.goTo('2026-03-08T20:00:00Z');
    await world.send();
    expect((await world.contacts()).map((c) => c.status)).toEqual(['sent']);
  });

  it('the counters see what should never be', async () => {
    const { first } = await queued();
    await world.send();
    expect(await world.counters()).toEqual(zero);

    const other = await addCustomer({ db: world.db, clock: world.deps.clock }, world.creditor);
    const copy = async (contact: string, customer: string, day: string) => {
      await sql`
        insert into contacts (id, creditor_id, customer_id, kind, channel, status, reference, sender, recipients, recipient_key, day,
          planned_at, queued_at, sending_at, sending_real, template, tone, locale)
        select ${contact}, creditor_id, ${customer}, kind, channel, 'sent', ${contact}, sender, recipients, recipient_key, ${day}::date,
          planned_at, queued_at, sending_at, clock_timestamp(), template, tone, locale
        from contacts order by seq limit 1`.execute(world.db);
      await sql`
        insert into contact_items (contact_id, invoice_id, step, occurrence, amount_minor, currency, asks, withdrawn)
        select ${contact}, invoice_id, step, occurrence, amount_minor, currency, asks, true
        from contact_items where invoice_id = ${first} order by contact_id limit 1`.execute(world.db);
    };
    await copy('con_cheat1', other.id, '2026-03-06');
    expect(await world.counters()).toEqual({ duplicate: 1, afterPayment: 0 });
    await world.pay(first, 100n);
    await copy('con_cheat2', other.id, '2026-03-07');
    expect(await world.counters()).toEqual({ duplicate: 2, afterPayment: 1 });
    expect(parseInstant('2026-03-05T09:00:00Z')).toBe(world.deps.clock.now());
  });
});
