import { afterEach, describe, expect, it } from 'vitest';
import { recordDelivery } from '../../db/repositories/deliveries.ts';
import { createImport, finishImport } from '../../db/repositories/imports.ts';
import { liftHold, setHold } from '../../db/repositories/holds.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import type { InvoiceInput } from '../../db/repositories/invoices.ts';
import { addCustomer, addInvoice } from '../support/book.ts';
import { openWorld, type World } from './world.ts';

const LADDER = {
  steps: [
    { key: 'note', day: -3, from: 'due', channel: 'email', template: 'before-due' },
    { key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 15, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
    { key: 'call', day: 20, from: 'due', channel: 'call', template: 'call-script' },
    { key: 'letter', day: 30, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'final' },
  ],
};

describe('outreach, the single mouth towards a customer', () => {
  let world: World;
  afterEach(async () => {
    await world.close();
  });

  const invoice = (input: Partial<InvoiceInput> & { dueOn: string }) =>
    addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-01-15',
      ...input,
    });
  const plain = (text: string | undefined) => (text ?? '').replace(/\s+/g, ' ');
  const wakeOf = async (id: string): Promise<string> => {
    const row = await world.db.selectFrom('invoices').select('wake_at').where('id', '=', id).executeTakeFirstOrThrow();
    return new Date(row.wake_at!).toISOString();
  };
  const tasks = (kind: string) =>
    world.db.selectFrom('tasks').selectAll().where('kind', '=', kind).orderBy('seq').execute();

  it('makes one message of what is asked for on one day, as firm as the firmest item', async () => {
    world = await openWorld(LADDER);
    const first = await invoice({ dueOn: '2026-02-18', lastStepSent: 'one', number: 'A-1' });
    world.goTo('2026-03-05T09:00:02Z');
    const second = await invoice({ dueOn: '2026-02-27', number: 'A-2' });
    await world.turn(first);
    // The second case is about to ask as well: it is waited for, for a moment.
    expect(await world.plan()).toMatchObject({ collecting: true, queued: 0 });
    await world.turn(second);
    expect(await world.plan()).toMatchObject({ queued: 1, waiting: 0, wakeAt: null });
    await world.send();
    const [mail] = world.provider.sent;
    const contact = await world.db.selectFrom('contacts').select(['tone', 'template', 'day']).executeTakeFirstOrThrow();
    expect(contact).toEqual({ tone: 'firm', template: 'reminder', day: '2026-03-05' });
    expect(plain(mail?.message.text)).toContain('A-1');
    expect(plain(mail?.message.text)).toContain('A-2');
    expect(plain(mail?.message.text)).toContain('Total : 2 400,00 €');
    expect(mail?.message.subject).toContain('R-');
  });

  it('does not wait for ever for a case that is stuck', async () => {
    world = await openWorld(LADDER);
    const first = await invoice({ dueOn: '2026-02-18' });
    await invoice({ dueOn: '2026-02-18' });
    await world.turn(first);
    expect(await world.plan()).toMatchObject({ collecting: true });
    await world.db
      .updateTable('invoices')
      .set({ recorded_at: new Date(Date.now() - 16 * 60_000) })
      .execute();
    expect(await world.plan()).toMatchObject({ collecting: false, queued: 1 });
  });

  it('waits for a case that comes late where thousands are due at once, looking less and less often', async () => {
    world = await openWorld(LADDER);
    const first = await invoice({ dueOn: '2026-03-01' });
    const second = await invoice({ dueOn: '2026-03-01' });
    await world.turn(first);
    await world.turn(second);
    expect(await wakeOf(second)).toBe('2026-03-06T07:30:00.000Z');
    world.goTo('2026-03-06T07:30:01Z');
    await world.turn(first);
    expect(await world.plan()).toMatchObject({ collecting: true, wakeInMs: 150, queued: 0 });
    world.goTo('2026-03-06T07:30:30Z');
    expect(await world.plan()).toMatchObject({ collecting: true, wakeInMs: 30_000, queued: 0 });
    world.goTo('2026-03-06T07:44:00Z');
    expect(await world.plan()).toMatchObject({ collecting: true, wakeInMs: 300_000, queued: 0 });
    await world.turn(second);
    expect(await world.plan()).toMatchObject({ collecting: false, queued: 1, waiting: 0 });
    await world.send();
    expect(world.provider.sent).toHaveLength(1);
  });

  it('puts off what the minimum gap forbids, to the next moment allowed', async () => {
    world = await openWorld(LADDER);
    const first = await invoice({ dueOn: '2026-02-27' });
    await world.turn(first);
    await world.plan();
    await world.send();
    world.goTo('2026-03-06T10:00:00Z');
    const second = await invoice({ dueOn: '2026-02-26' });
    const turn = await world.turn(second);
    // Thursday, then three days that count with the weekend: Monday 9 March at half past eight in Paris.
    expect(turn.wakeAt).toBe('2026-03-09T07:30:00.000Z');
    world.goTo('2026-03-09T07:30:00Z');
    await world.turn(second);
    await world.plan();
    await world.send();
    expect(await world.stepsOf(second)).toContain('one:left');
    expect(world.provider.sent).toHaveLength(2);
  });

  it('sends what waited for the gap at its moment, where time is compressed', async () => {
    world = await openWorld({ ...LADDER, contact: { minimumGapDays: 3 } });
    world.deps.clock.setting.dayMs = 500;
    const first = await invoice({ dueOn: '2026-02-27' });
    await world.turn(first);
    const second = await invoice({ dueOn: '2026-02-26' });
    await world.turn(second);
    await world.db
      .updateTable('case_steps')
      .set({ planned_at: new Date('2026-03-06T09:00:00Z'), planned_on: '2026-03-06' })
      .where('invoice_id', '=', second)
      .execute();
    await world.plan();
    await world.send();
    // Looked at on the day after, then again after the moment that was planned, a little late: it leaves as planned.
    world.goTo('2026-03-06T09:00:30Z');
    const next = await world.plan();
    expect(next).toMatchObject({ queued: 0, waiting: 1, wakeAt: '2026-03-09T07:30:00.000Z' });
    world.goTo('2026-03-09T20:00:00Z');
    expect(await world.plan()).toMatchObject({ queued: 1, waiting: 0 });
    const planned = await world.db
      .selectFrom('contacts')
      .select(['day', 'planned_at'])
      .orderBy('seq', 'desc')
      .executeTakeFirst();
    expect(planned).toEqual({ day: '2026-03-09', planned_at: Date.parse('2026-03-09T07:30:00Z') });
  });

  it('keeps notes before the due date apart from what is overdue', async () => {
    world = await openWorld({ ...LADDER, contact: { minimumGapDays: 0 } });
    const due = await invoice({ dueOn: '2026-02-27', number: 'LATE-1' });
    const soon = await invoice({ dueOn: '2026-03-08', number: 'SOON-1' });
    await world.turn(due);
    await world.turn(soon);
    const look = await world.plan();
    expect(look).toMatchObject({ queued: 1, waiting: 1, wakeAt: '2026-03-06T07:30:00.000Z' });
    await world.send();
    world.goTo(look.wakeAt!);
    await world.plan();
    await world.send();
    const kinds = await world.db.selectFrom('contacts').select('kind').orderBy('seq').execute();
    expect(kinds.map((k) => k.kind)).toEqual(['reminder', 'beforeDue']);
    expect(world.provider.sent[0]!.message.text).not.toContain('SOON-1');
    expect(world.provider.sent[1]!.message.text).not.toContain('LATE-1');
  });

  it('lists each currency in a table of its own', async () => {
    world = await openWorld(LADDER);
    const euro = await invoice({ dueOn: '2026-02-27' });
    const dollar = await invoice({ dueOn: '2026-02-27', currency: 'USD', amountMinor: 70_050n });
    await world.turn(euro);
    await world.turn(dollar);
    await world.plan();
    await world.send();
    expect(world.provider.sent).toHaveLength(1);
    const text = plain(world.provider.sent[0]!.message.text);
    expect(text.match(/Total :/g)).toHaveLength(2);
    expect(text).toContain('Total : 1 200,00 €');
    expect(text).toMatch(/Total : 700,50 (\$US|USD)/);
  });

  it('opens a call with its script, and a letter, as tasks with documents, and redraws them after a part payment', async () => {
    world = await openWorld(LADDER);
    const id = await invoice({ dueOn: '2026-02-13', lastStepSent: 'two', number: 'B-7' });
    await world.turn(id);
    await world.plan();
    const [call] = await tasks('call');
    expect(call).toMatchObject({ status: 'open', invoice_id: id, step: 'call' });
    expect(plain(call!.body)).toContain('1 200,00');
    expect(await world.stepsOf(id)).toEqual(['call:left']);

    await world.pay(id, 20_000n);
    expect((await tasks('call')).map((t) => t.status)).toEqual(['cancelled']);
    await world.turn(id);
    const [, again] = await tasks('call');
    expect(again).toMatchObject({ status: 'open', step: 'call' });
    expect(plain(again!.body)).toContain('1 000,00');
    expect(await world.stepsOf(id)).toEqual(['call:left']);

    const { wakeAt } = await world.turn(id);
    world.goTo(wakeAt!);
    await world.turn(id);
    await world.plan();
    expect((await tasks('call')).map((t) => t.status)).toEqual(['cancelled', 'missed']);
    expect((await tasks('letter')).map((t) => t.status)).toEqual(['open']);
    const documents = await world.db.selectFrom('documents').select('kind').orderBy('seq').execute();
    expect(documents.map((d) => d.kind)).toEqual(['callScript', 'callScript', 'letter']);
    expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
  });

  it('takes along a case that asks in the very moment between the look that was planned and the look itself', async () => {
    world = await openWorld(LADDER);
    const first = await invoice({ dueOn: '2026-03-01' });
    const second = await invoice({ dueOn: '2026-03-01' });
    await world.turn(first);
    await world.turn(second);
    world.goTo('2026-03-06T07:30:30Z');
    await world.turn(first);
    expect(await world.plan()).toMatchObject({ collecting: true, wakeInMs: 30_000, queued: 0 });
    world.goTo('2026-03-06T07:30:40.400Z');
    await world.turn(second);
    world.goTo('2026-03-06T07:30:40.500Z');
    expect(await world.plan()).toMatchObject({ collecting: false, queued: 1, waiting: 0 });
    const items = await world.db.selectFrom('contact_items').select('invoice_id').execute();
    expect(items.map((item) => item.invoice_id).sort()).toEqual([first, second].sort());
  });

  it('waits for the rest of a file that is being read, and is rung at its end', async () => {
    world = await openWorld(LADDER);
    const { id } = await world.within(async (tx, act) => ({
      id: await createImport(tx, act, {
        creditorId: world.creditor.id,
        contentType: 'text/csv',
        columns: null,
        filename: null,
        body: Buffer.from('x'),
      }),
    }));
    const first = await invoice({ dueOn: '2026-02-18' });
    await world.turn(first);
    expect(await world.plan()).toMatchObject({ collecting: true, queued: 0 });
    await world.db.deleteFrom('outbox').execute();
    await finishImport(world.db, id);
    const rung = await world.db.selectFrom('outbox').select(['kind', 'target']).execute();
    expect(rung).toEqual([{ kind: 'pokeOutreach', target: world.customer.id }]);
    expect(await world.plan()).toMatchObject({ queued: 1 });
  });

  it('lets a message that cannot be written hold up nothing else', async () => {
    world = await openWorld({ ...LADDER, contact: { minimumGapDays: 0 } });
    const bad = await invoice({ dueOn: '2026-02-27' });
    const good = await invoice({ dueOn: '2026-02-13', lastStepSent: 'two' });
    // What no rule of ours would let in: a date that no language has words for.
    await world.db.updateTable('invoices').set({ issued_on: '-infinity' }).where('id', '=', bad).execute();
    await world.turn(bad);
    await world.turn(good);
    await world.plan();
    expect(await world.stepsOf(bad)).toEqual(['note:skipped', 'one:failed']);
    expect(await world.stepsOf(good)).toEqual(['call:left']);
    expect(await tasks('notWritten')).toMatchObject([{ status: 'open', invoice_id: bad, step: 'one' }]);
    const { wakeAt } = await world.turn(bad);
    expect(wakeAt?.slice(0, 10)).toBe('2026-03-16');
  });

  it('wakes what counted on an address that bounced', async () => {
    world = await openWorld({ ...LADDER, contact: { minimumGapDays: 10 } });
    const first = await invoice({ dueOn: '2026-02-27' });
    await world.turn(first);
    await world.plan();
    await world.send();
    const second = await invoice({ dueOn: '2026-02-18' });
    await world.turn(second);
    world.goTo('2026-03-16T07:30:00Z');
    await world.turn(second);
    expect(await world.stepsOf(second)).toContain('one:requested');
    await world.db.deleteFrom('outbox').execute();
    const [contact] = await world.contacts();
    await world.within((tx, act) =>
      recordDelivery(tx, act, { eventId: 'x', providerId: 'm', contactTag: contact!.id, status: 'bounced' }),
    );
    const woken = await world.db.selectFrom('outbox').select('target').where('kind', '=', 'signalCase').execute();
    expect(woken.map((w) => w.target).sort()).toEqual([first, second].sort());
    await world.turn(first);
    await world.turn(second);
    expect(await world.plan()).toMatchObject({ waiting: 0 });
    expect(await world.send()).toBe(0);
    expect(await tasks('missingAddress')).toMatchObject([{ status: 'open' }]);
  });

  describe('thanks', () => {
    const THANKFUL = { ...LADDER, thankYou: 'thank-you' };

    it('are given once the money is there, and count as no request for money', async () => {
      world = await openWorld(THANKFUL);
      const id = await invoice({ dueOn: '2026-02-27' });
      await world.turn(id);
      await world.plan();
      // The reminder is still queued when all of it is paid.
      await world.pay(id, 120_000n);
      expect((await world.turn(id)).closed).toBe(true);
      await world.send();
      await world.plan();
      await world.send();
      expect(world.provider.sent.map((m) => m.message.tags.find((t) => t.name === 'kind')?.value)).toEqual([
        'thankYou',
      ]);
      expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
    });

    it('are not given for money that went back, and do not stand in the way of the new run', async () => {
      world = await openWorld(THANKFUL);
      const id = await invoice({ dueOn: '2026-02-27' });
      await world.turn(id);
      await world.pay(id, 120_000n);
      await world.turn(id);
      expect(await world.stepsOf(id)).toContain('~thankYou:requested');
      const { id: allocation } = await world.db.selectFrom('allocations').select('id').executeTakeFirstOrThrow();
      await world.within((tx, act) => undoAllocation(tx, act, allocation, 'returned'));
      expect(await world.stepsOf(id)).toContain('~thankYou:withdrawn');
      await world.turn(id);
      await world.plan();
      await world.send();
      expect(world.provider.sent.map((m) => m.message.tags.find((t) => t.name === 'kind')?.value)).toEqual([
        'reminder',
      ]);
    });

    it('are forgotten where there is nobody to give them to', async () => {
      world = await openWorld(THANKFUL);
      const id = await invoice({ dueOn: '2026-02-27' });
      await world.turn(id);
      await world.pay(id, 120_000n);
      await world.turn(id);
      await world.db
        .updateTable('customers')
        .set({ contacts: '[]' as never })
        .execute();
      expect(await world.plan()).toMatchObject({ queued: 0, waiting: 0, wakeAt: null });
      expect(await world.stepsOf(id)).toContain('~thankYou:withdrawn');
    });
  });

  it('leaves one customer’s holds to that customer', async () => {
    world = await openWorld(LADDER);
    const other = await addCustomer({ db: world.db, clock: world.deps.clock }, world.creditor);
    const mine = await invoice({ dueOn: '2026-02-27' });
    await world.turn(mine);
    const hold = await world.within((tx, act) =>
      setHold(tx, act, { customerId: other.id, invoiceId: null, kind: 'customer', untilOn: null }),
    );
    expect(await world.plan()).toMatchObject({ queued: 1 });
    expect(await world.within((tx, act) => liftHold(tx, act, hold))).toBe(true);
  });
});
