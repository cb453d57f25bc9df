import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { wakeCase } from '../../db/repositories/outbox.ts';
import { completeTask } from '../../db/repositories/tasks.ts';
import { addDays } from '../../domain/time/dates.ts';
import { addCustomer, addInvoice, EVERY_DAY, openBook } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 500 });
});
afterAll(async () => service.stop());

it('holds an invoice that was late when it arrived until a person has looked at it', async () => {
  const creditor = await openBook(service, {
    entry: 'hold',
    contact: EVERY_DAY,
    steps: [
      { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder' },
      { key: 'two', day: 3, from: 'due', channel: 'email', template: 'reminder' },
    ],
  });
  const customer = await addCustomer(service, creditor);
  const today = new Date(service.clock.now()).toISOString().slice(0, 10);
  const id = await addInvoice(service, creditor, customer, { dueOn: addDays(today, -20) });
  const task = await until('the review', () =>
    service.db
      .selectFrom('tasks')
      .select('id')
      .where('invoice_id', '=', id)
      .where('kind', '=', 'entryReview')
      .executeTakeFirst(),
  );
  const hold = await service.db.selectFrom('holds').selectAll().where('invoice_id', '=', id).executeTakeFirstOrThrow();
  expect(hold).toMatchObject({ kind: 'approval', source_id: task.id, lifted_on: null });
  expect(service.mails).toHaveLength(0);

  await inTransaction(service.db, async (tx) => {
    await completeTask(tx, systemAct(service.clock.now()), task.id, {});
    await wakeCase(tx, id);
  });
  await until('both steps', async () => {
    const taken = await service.db
      .selectFrom('events')
      .select('data')
      .where('invoice_id', '=', id)
      .where('kind', '=', 'stepTaken')
      .orderBy('n')
      .execute();
    return taken.map((e) => e.data['step']).join() === 'one,two';
  });
});
