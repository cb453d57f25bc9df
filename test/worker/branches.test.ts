import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../db/ids.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import { addInvoice } from '../support/book.ts';
import { addAgency, openWorld, type World } from './world.ts';

const POLICY = {
  steps: [{ key: 'one', day: 3, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' }],
  formalNotice: { day: 30, from: 'due', channel: 'email', deadlineDays: 8, dispatchDays: 3, approval: 'operator' },
  placement: { daysAfterNotice: 10, approval: 'operator' },
  thankYou: null,
};

/** What goes beyond the ladder, in the database, where money comes at a bad moment. */
describe('beyond the ladder', () => {
  let world: World;
  let id: string;
  beforeEach(async () => {
    world = await openWorld(POLICY);
    id = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-02-01',
      dueOn: '2026-02-28',
    });
    await world.turn(id);
    await world.plan();
    await world.send();
  });
  afterEach(async () => {
    await world.close();
  });

  async function command(kind: string, args: Record<string, string>, code: string | null = null): Promise<void> {
    const cmd = newId('cmd');
    await world.within((tx, act) => insertCommand(tx, act, { id: cmd, invoiceId: id, kind, args }));
    await world.activities.turn({ invoiceId: id, run: 1, commands: [cmd], known: null });
    const { outcome } = await world.db
      .selectFrom('commands')
      .select('outcome')
      .where('id', '=', cmd)
      .executeTakeFirstOrThrow();
    expect(outcome).toMatchObject({ accepted: code === null, code });
  }
  const noticeItems = () =>
    world.db
      .selectFrom('contact_items')
      .select(['amount_minor', 'withdrawn'])
      .where('step', '=', '~formalNotice')
      .execute();

  it('a formal notice for what was owed when it was approved does not leave after a payment', async () => {
    world.goTo('2026-03-12T09:00:00Z');
    await command('sendFormalNotice', { role: 'approver' });
    // The money is here before outreach looks, and before the case has heard of it.
    await world.pay(id, 20_000n);
    expect(await world.plan()).toMatchObject({ queued: 0 });
    expect(await noticeItems()).toEqual([]);
    // Once it has, the notice is asked for anew: this time the payment comes between queue and send.
    await world.turn(id);
    await command('sendFormalNotice', { role: 'approver' });
    await world.plan();
    expect(await noticeItems()).toEqual([{ amount_minor: 100_000n, withdrawn: false }]);
    await world.pay(id, 10_000n);
    await world.send();
    expect(await noticeItems()).toEqual([{ amount_minor: 100_000n, withdrawn: true }]);
    expect(world.provider.sent).toHaveLength(1);
    expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
  });

  it('an approval that meets a payment on its way is good for nothing: the question is put again', async () => {
    world.goTo('2026-04-02T08:00:00Z');
    await world.turn(id);
    const questions = () =>
      world.db
        .selectFrom('tasks')
        .select(['id', 'status', 'data'])
        .where('kind', '=', 'approve')
        .orderBy('seq')
        .execute();
    const [question] = await questions();
    expect(question).toMatchObject({ status: 'open', data: { amount: '1200.00' } });
    // The money is committed; the case has not heard of it when the answer comes.
    await world.pay(id, 20_000n);
    await command('approve', { taskId: question!.id, decision: 'approved' }, 'nothingToApprove');
    expect(await questions()).toMatchObject([{ status: 'cancelled' }, { status: 'open', data: { amount: '1000.00' } }]);
    expect(await world.plan()).toMatchObject({ queued: 0 });
    expect(await noticeItems()).toEqual([]);
  });

  it('an agency is told at once of what is paid to us directly, and to stop when nothing is left', async () => {
    await addAgency(world);
    world.goTo('2026-03-12T09:00:00Z');
    await command('sendFormalNotice', { role: 'approver' });
    await world.plan();
    await world.send();
    world.goTo('2026-04-10T08:00:00Z');
    await command('place', { role: 'approver' });
    await world.pay(id, 20_000n);
    await world.pay(id, 100_000n);
    expect(await world.turn(id)).toMatchObject({ closed: true });
    const told = await world.db.selectFrom('agency_messages').select(['kind', 'data']).orderBy('id').execute();
    expect(told).toMatchObject([
      { kind: 'handover' },
      { kind: 'balance', data: { balance: '1000.00' } },
      { kind: 'recall', data: { reason: 'settled' } },
    ]);
    const placements = await world.db.selectFrom('placements').select('status').execute();
    expect(placements).toEqual([{ status: 'ended' }]);
    expect(world.provider.sent).toHaveLength(2);
  });
});
