import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { caseWorkflowId } from '../../workflows/ids.ts';
import { calendarQuery, stateQuery } from '../../workflows/messages.ts';
import { addCustomer, addInvoice, EVERY_DAY, openBook } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';

const DAY_MS = 500;
const POLICY = {
  contact: EVERY_DAY,
  steps: [
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 3, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
    { key: 'call', day: 5, from: 'due', channel: 'call', template: 'call-script' },
  ],
};

describe('a case on the real engine', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: DAY_MS });
  });
  afterAll(async () => service.stop());

  const stage = async (id: string) =>
    (await service.db.selectFrom('invoices').select('stage').where('id', '=', id).executeTakeFirstOrThrow()).stage;
  const kinds = async (id: string) =>
    (
      await service.db.selectFrom('events').select(['kind', 'data']).where('invoice_id', '=', id).orderBy('n').execute()
    ).map((e) => (typeof e.data['step'] === 'string' ? `${e.kind}:${e.data['step']}` : e.kind));

  it('takes its steps each once, opens a call, and asks a person at the end of the ladder', async () => {
    const creditor = await openBook(service, POLICY);
    const customer = await addCustomer(service, creditor);
    const today = new Date(service.clock.now()).toISOString().slice(0, 10);
    const id = await addInvoice(service, creditor, customer, { dueOn: today });
    await until('the end of the ladder', async () =>
      service.db
        .selectFrom('tasks')
        .select('id')
        .where('invoice_id', '=', id)
        .where('kind', '=', 'ladderEnded')
        .executeTakeFirst(),
    );
    expect((await kinds(id)).filter((k) => k.startsWith('stepTaken'))).toEqual([
      'stepTaken:one',
      'stepTaken:two',
      'stepTaken:call',
    ]);
    expect(service.mails.filter((m) => m.message.to[0]?.startsWith(customer.reference.toLowerCase()))).toHaveLength(2);
    const handle = service.client.workflow.getHandle(caseWorkflowId(id));
    const state = await handle.query(stateQuery);
    expect(state.stage).toBe('reminding');
    expect(state.done.map((d) => d.step)).toEqual(['one', 'two', 'call']);
    expect(await handle.query(calendarQuery)).toEqual([]);
  });

  it('closes on payment at once, and a reversal starts a new run at its rung', async () => {
    const creditor = await openBook(service, POLICY);
    const customer = await addCustomer(service, creditor);
    const today = new Date(service.clock.now()).toISOString().slice(0, 10);
    const id = await addInvoice(service, creditor, customer, { dueOn: today });
    await until('the first step', async () => (await kinds(id)).includes('stepTaken:one'));
    const { receiptId } = await inTransaction(service.db, (tx) =>
      recordPayment(
        tx,
        systemAct(service.clock.now()),
        { invoiceId: id, amountMinor: 120_000n, currency: 'EUR', receivedOn: today },
        service.deps.holidaySet,
      ),
    );
    await until('settled', async () => (await stage(id)) === 'settled');
    const handle = service.client.workflow.getHandle(caseWorkflowId(id));
    await until('closed workflow', async () => (await handle.describe()).status.name === 'COMPLETED');

    const [allocation] = await service.db
      .selectFrom('allocations')
      .select('id')
      .where('receipt_id', '=', receiptId)
      .execute();
    await inTransaction(service.db, (tx) =>
      undoAllocation(tx, systemAct(service.clock.now()), allocation!.id, 'manual'),
    );
    // It goes on at its rung. On a machine that stalls for a day of half a second, `two` is merged into the call.
    const goesOn = (kind: string): boolean => kind === 'stepTaken:two' || kind === 'stepTaken:call';
    await until('the next step of the new run', async () => (await kinds(id)).some(goesOn));
    expect((await kinds(id)).filter((k) => k === 'stepTaken:one')).toHaveLength(1);
  });
});
