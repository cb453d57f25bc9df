import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { completeByHand } from '../../api/task-completion.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { changeCustomer } from '../../db/repositories/customers.ts';
import { recordInbound } from '../../db/repositories/inbound.ts';
import { findTask } from '../../db/repositories/task-list.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { addInvoice } from '../support/book.ts';
import { openWorld, type World } from './world.ts';

const POLICY = {
  steps: [
    { key: 'call', day: 5, from: 'due', channel: 'call', template: 'call-script', to: ['accounting'] },
    { key: 'two', day: 15, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
  ],
  call: { retryWorkingDays: 2, attempts: 2 },
  contact: { days: 'mon-sun', from: '00:00', to: '24:00', minimumGapDays: 0, maximumPer30Days: 60, holidays: 'none' },
};

const PEOPLE = [
  { name: 'Someone else', role: 'buyer' as const, phone: '+33 1 00 00 00 00' },
  { name: 'Camille Roux', role: 'accounting' as const, phone: '+33 4 72 00 00 01' },
  { role: 'billing' as const, email: 'c-1@customer.example' },
];

describe('a call', () => {
  let world: World;
  let id: string;
  beforeEach(async () => {
    world = await openWorld(POLICY);
    await world.within((tx, act) =>
      changeCustomer(tx, act, world.creditor.id, world.customer.id, { contacts: PEOPLE }),
    );
    id = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-02-01',
      dueOn: '2026-02-28',
    });
  });
  afterEach(async () => {
    await world.close();
  });

  const deps = () => ({ holidays: world.deps.holidays }) as unknown as ApiDeps;
  const calls = () => world.db.selectFrom('tasks').selectAll().where('kind', '=', 'call').orderBy('seq').execute();
  const opened = async () => {
    await world.turn(id);
    await world.plan();
    const all = await calls();
    return all.at(-1)!;
  };
  const complete = (taskId: string, body: object) =>
    world.within(async (tx, act) =>
      completeByHand(deps(), tx, act, world.creditor.id, (await findTask(tx, world.creditor.id, taskId))!, body),
    );
  const standingOf = async () => {
    const { next, stage } = await world.db
      .selectFrom('invoices')
      .select(['next', 'stage'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return { action: next?.action, step: next?.step, at: next?.at, stage };
  };

  it('says whom to call and under which number', async () => {
    const task = await opened();
    const text = task.body.replace(/\s+/g, ' ');
    expect(text).toContain('Interlocuteur : Camille Roux');
    expect(text).toContain('Téléphone : +33 4 72 00 00 01');
    expect(text).not.toContain('+33 1 00');
    expect(text).toContain('Rien n’a encore été échangé');
    expect(task.data).toMatchObject({ phone: '+33 4 72 00 00 01', channel: 'call' });
    expect(await world.stepsOf(id)).toEqual(['call:left']);
  });

  it('says that no number is known, and calls whoever has one before it does', async () => {
    await world.within((tx, act) =>
      changeCustomer(tx, act, world.creditor.id, world.customer.id, { contacts: PEOPLE.slice(2) }),
    );
    const task = await opened();
    expect(task.body.replace(/\s+/g, ' ')).toContain('Téléphone : aucun numéro connu');
    expect(task.data['phone']).toBeNull();
    const more = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-02-02',
      dueOn: '2026-03-01',
    });
    await world.within((tx, act) =>
      changeCustomer(tx, act, world.creditor.id, world.customer.id, { contacts: [PEOPLE[0]!, PEOPLE[2]!] }),
    );
    world.goTo('2026-03-06T09:00:00Z');
    await world.turn(more);
    await world.plan();
    const last = (await calls()).at(-1)!;
    expect(last.body.replace(/\s+/g, ' ')).toContain('Téléphone : +33 1 00 00 00 00');
  });

  it('tells what was said last: calls, replies, promises, disputes, in the words of the language', async () => {
    const task = await opened();
    await complete(task.id, {
      outcome: 'reached',
      promise: { payOn: '2026-03-10', amount: '200.00' },
      dispute: { category: 'quality', amount: '50.00' },
    });
    await world.within((tx, act) =>
      recordInbound(
        tx,
        act,
        world.creditor.id,
        {
          customerId: world.customer.id,
          channel: 'letter',
          receivedAt: parseInstant('2026-03-05T08:00:00Z'),
          text: 'PRIVATE',
          invoiceIds: [],
        },
        world.deps.holidaySet,
      ),
    );
    // Money cancels an open call and has it written again; here the next one is of another invoice with both in it.
    await world.within((tx) =>
      tx
        .updateTable('tasks')
        .set({ status: 'cancelled', outcome: JSON.stringify({ why: 'paymentAllocated' }) as never })
        .where('id', '=', task.id)
        .execute()
        .then(() => undefined),
    );
    await world.db.updateTable('tasks').set({ status: 'done' }).where('kind', '=', 'readReply').execute();
    await world.db
      .updateTable('holds')
      .set({ lifted_on: '2026-03-05', lifted_at: new Date(parseInstant('2026-03-05T09:00:00Z')) })
      .execute();
    await world.turn(id);
    const again = (await calls()).at(-1)!;
    expect(again.id).not.toBe(task.id);
    const text = again.body.replace(/\s+/g, ' ');
    expect(text).toContain('5 mars 2026 : le client a répondu par courrier');
    expect(text).toContain('promesse de régler 200,00 € le 10 mars 2026');
    expect(text).toContain('contestation de 50,00 € pour qualité');
    expect(text).not.toContain('PRIVATE');
  });

  it('that reached a promise holds the case, and goes on one rung further when it breaks', async () => {
    const task = await opened();
    await complete(task.id, { outcome: 'reached', promise: { payOn: '2026-03-10' } });
    await world.turn(id);
    expect(await standingOf()).toMatchObject({ action: 'promiseEnds' });
    world.goTo('2026-03-13T09:00:00Z');
    await world.turn(id);
    expect(await standingOf()).toMatchObject({ action: 'contact', step: 'two' });
  });

  it('that reached a dispute asks for nothing until it is resolved', async () => {
    const task = await opened();
    await complete(task.id, { outcome: 'reached', dispute: { category: 'price' } });
    await world.turn(id);
    expect(await standingOf()).toMatchObject({ action: undefined });
  });

  it('not answered is tried again; after the last attempt the ladder goes on', async () => {
    const first = await opened();
    const before = await standingOf();
    await complete(first.id, { outcome: 'noAnswer' });
    const second = (await calls()).at(-1)!;
    expect(second.id).not.toBe(first.id);
    expect(new Date(second.due_at).toISOString().slice(0, 10)).toBe('2026-03-08');
    expect(second.data).toMatchObject({ attempt: 2, phone: '+33 4 72 00 00 01' });
    await complete(second.id, { outcome: 'noAnswer' });
    expect(await calls()).toHaveLength(2);
    await world.turn(id);
    expect(await standingOf()).toEqual(before);
    expect(before).toMatchObject({ action: 'contact', step: 'two' });
    world.goTo(before.at!);
    await world.turn(id);
    await world.plan();
    await world.send();
    expect(world.provider.sent).toHaveLength(1);
  });

  it('to a wrong number counts as made; a task asks for the right number, and completing it is a note', async () => {
    const task = await opened();
    await complete(task.id, { outcome: 'wrongNumber' });
    const [asked] = await world.db.selectFrom('tasks').selectAll().where('kind', '=', 'missingContact').execute();
    expect(asked).toMatchObject({ status: 'open', customer_id: world.customer.id, invoice_id: null });
    await world.turn(id);
    expect(await world.stepsOf(id)).toEqual(['call:left']);
    expect(await standingOf()).toMatchObject({ action: 'contact', step: 'two' });
    await complete(asked!.id, { note: 'Found on their site' });
    expect((await findTask(world.db, world.creditor.id, asked!.id))?.status).toBe('done');
  });
});

describe('a reply that comes while a message is queued', () => {
  it('has it withdrawn by the last look, and sent anew once it was read', async () => {
    const world = await openWorld();
    try {
      const id = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
        issuedOn: '2026-02-01',
        dueOn: '2026-02-28',
      });
      await world.turn(id);
      await world.plan();
      const inbound = (invoiceIds: string[]) =>
        world.within((tx, act) =>
          recordInbound(
            tx,
            act,
            world.creditor.id,
            {
              customerId: world.customer.id,
              channel: 'email',
              receivedAt: parseInstant('2026-03-05T08:30:00Z'),
              text: 'We have paid',
              invoiceIds,
            },
            world.deps.holidaySet,
          ),
        );
      await inbound([id]);
      await world.send();
      expect(world.provider.calls).toEqual([]);
      expect(await world.contacts()).toMatchObject([{ status: 'withdrawn', error_code: 'held' }]);
      await world.turn(id);
      const [task] = await world.db.selectFrom('tasks').select('id').where('kind', '=', 'readReply').execute();
      await world.within(async (tx, act) =>
        completeByHand(
          { holidays: world.deps.holidays } as unknown as ApiDeps,
          tx,
          act,
          world.creditor.id,
          (await findTask(tx, world.creditor.id, task!.id))!,
          {},
        ),
      );
      await world.turn(id);
      await world.plan();
      await world.send();
      expect(world.provider.sent).toHaveLength(1);
    } finally {
      await world.close();
    }
  });
});
