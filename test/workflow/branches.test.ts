import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instant } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { recordPost } from '../../db/repositories/letters.ts';
import { reopenCase } from '../../db/repositories/runs.ts';
import { undoWriteOff } from '../../db/repositories/write-offs.ts';
import { EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin, type Life } from './life.ts';

const POLICY = {
  contact: EVERY_DAY,
  steps: [{ key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' }],
  formalNotice: {
    day: 4,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 3,
    dispatchDays: 1,
    approval: 'approver',
  },
  placement: { daysAfterNotice: 4, approval: 'approver' },
  writeOff: { afterPlacementDays: 5, below: { EUR: '5.00' }, approval: 'approver' },
};

describe('beyond the ladder', { timeout: 180_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 800 });
  }, 60_000);
  afterAll(async () => service.stop());

  const started = async (policy: Record<string, unknown> = POLICY): Promise<Life> => {
    const life = await begin(service, policy, 1);
    await addAgency(service, life);
    return life;
  };

  it.concurrent('a case that nobody pays is walked to its end, each time asking whom the policy names', async () => {
    const life = await started();
    await approve(life, 'formalNotice');
    await life.happened('stepTaken:~formalNotice');
    await until('the stage', async () => (await life.row()).stage === 'formalNotice');
    expect((await life.state()).stage).toBe('formalNotice');

    await posted(life);
    await life.happened('formalNoticeSent');
    await approve(life, 'placement');
    await life.happened('placed');
    await until('the stage', async () => (await life.row()).stage === 'placed');

    const mails = life.mails().length;
    await approve(life, 'writeOff');
    await life.closed();
    const row = await life.row();
    expect(row).toMatchObject({ stage: 'writtenOff', balance_minor: 0n, written_off_minor: 120_000n });
    expect(life.mails()).toHaveLength(mails);
    expect(await life.timeline()).toEqual(expect.arrayContaining(['recalled', 'writtenOff']));

    // What comes later is a recovery without a run; with its last cent the invoice is settled after all.
    const { receiptId } = await life.pay(50_000n);
    expect(await life.row()).toMatchObject({ stage: 'writtenOff', recovered_minor: 50_000n });
    await life.pay(70_000n);
    expect(await life.row()).toMatchObject({ stage: 'settled', recovered_minor: 120_000n, run: 1 });
    await life.undo(receiptId);
    expect(await life.row()).toMatchObject({ stage: 'writtenOff', recovered_minor: 70_000n, balance_minor: 0n });

    // And its way back: what has not come is owed again, the case goes on where it was before the agency had it.
    await life.within(async (tx, act) => {
      await undoWriteOff(tx, act, life.id, life.day(0, act.at));
      expect(await reopenCase(tx, act, life.id)).toBe(true);
    });
    expect(await life.row()).toMatchObject({ stage: 'formalNotice', balance_minor: 50_000n, run: 2 });
    await until('run 2', async () => (await life.handle.describe()).memo?.['run'] === 2);
  });

  it.concurrent('money between approval and posting takes the notice back; it is asked for anew', async () => {
    const life = await started();
    await approve(life, 'formalNotice');
    await life.happened('stepTaken:~formalNotice');
    const [letter] = await letters(life);
    await life.pay(20_000n);
    expect(await letters(life)).toMatchObject([{ status: 'withdrawn', error_code: 'paymentAllocated' }]);
    expect(await life.tasks('letter')).toMatchObject([{ status: 'cancelled' }]);
    await expect(
      life.within((tx, act) =>
        recordPost(tx, act, life.creditor.id, letter!.id, { status: 'dispatched', on: life.day(0, act.at) }),
      ),
    ).rejects.toMatchObject({ code: 'contactWithdrawn' });
    await until('the question is put again', async () => {
      const asked = await life.tasks('approve');
      return asked.length === 2 && asked[1]!.data['amount'] === '1000.00';
    });
    expect((await life.row()).stage).toBe('reminding');
    await approve(life, 'formalNotice', 1);
    await until('a second letter', async () => (await letters(life)).length === 2);
    const items = await service.db
      .selectFrom('contact_items')
      .select('amount_minor')
      .where('invoice_id', '=', life.id)
      .where('step', '=', '~formalNotice')
      .where('withdrawn', '=', false)
      .execute();
    expect(items).toEqual([{ amount_minor: 100_000n }]);
    await life.pay(100_000n);
    await life.closed();
    expect((await life.row()).stage).toBe('settled');
  });

  it.concurrent('a dispute while the approval is asked takes the question back until it is decided', async () => {
    const life = await started();
    await life.happened('approvalAsked:formalNotice');
    const dispute = await life.within((tx, act) =>
      openDispute(tx, act, life.creditor.id, { invoiceId: life.id, amountMinor: null, category: 'price', note: null }),
    );
    await until('the question is taken back', async () => (await life.tasks('approve'))[0]?.status === 'cancelled');
    await until('held', async () => (await life.state()).holds.join() === 'dispute');
    await life.within((tx, act) =>
      resolveDispute(tx, act, life.creditor.id, dispute.id, { outcome: 'rejected', creditMinor: null, note: null }),
    );
    await life.happened('approvalAsked:formalNotice', 2);
  });

  it.concurrent(
    'refused, the stage stays and a person goes on; a person can send it by hand, and hand over only in time',
    async () => {
      const life = await started();
      await life.happened('approvalAsked:formalNotice');
      const [task] = await life.tasks('approve');
      expect(await life.command('approve', { taskId: task!.id, decision: 'refused' })).toMatchObject({
        accepted: true,
      });
      await until('a person is asked', async () => (await life.tasks('ladderEnded')).length === 1);
      expect((await life.row()).stage).toBe('reminding');
      expect(await life.command('place', { role: 'approver' })).toEqual({ accepted: false, code: 'stageForbids' });
      expect(await life.command('recall')).toEqual({ accepted: false, code: 'notPlaced' });

      expect(await life.command('sendFormalNotice', { role: 'approver' })).toEqual({ accepted: true, code: null });
      await until('the stage', async () => (await life.row()).stage === 'formalNotice');
      expect(await life.command('place', { role: 'approver' })).toEqual({ accepted: false, code: 'noticePeriodRuns' });
      await posted(life);
      await approve(life, 'placement', 1);
      await until('the stage', async () => (await life.row()).stage === 'placed');
      expect(await life.command('recall')).toEqual({ accepted: true, code: null });
      await until('the stage', async () => (await life.row()).stage === 'formalNotice');
      await until('a person goes on', async () => (await life.tasks('ladderEnded')).length === 2);
      expect(await life.command('writeOff')).toEqual({ accepted: true, code: null });
      await life.closed();
      expect((await life.row()).stage).toBe('writtenOff');
    },
  );

  it.concurrent('paid directly while an agency has it, the agency is told, and told to stop', async () => {
    const life = await started({
      ...POLICY,
      formalNotice: { ...POLICY.formalNotice, approval: null },
      placement: { daysAfterNotice: 0, approval: null },
    });
    await until('a letter', async () => (await letters(life)).length === 1);
    await posted(life);
    await until('the stage', async () => (await life.row()).stage === 'placed');
    await life.pay(20_000n);
    await life.pay(100_000n);
    await life.closed();
    expect((await life.row()).stage).toBe('settled');
    const told = await service.db
      .selectFrom('agency_messages as m')
      .innerJoin('placements as p', 'p.id', 'm.placement_id')
      .select(['m.kind', 'm.data'])
      .where('p.invoice_id', '=', life.id)
      .orderBy('m.id')
      .execute();
    expect(told.map((m) => m.kind)).toEqual(['handover', 'balance', 'recall']);
    expect(told[1]!.data).toMatchObject({ balance: '1000.00' });
    expect((await life.timeline()).filter((k) => k === 'contactQueued:~thankYou')).toEqual([]);
  });

  it.concurrent('a rest under the policy’s limit is given up without a person', async () => {
    const life = await started({ ...POLICY, minimumAmount: {} });
    await life.happened('stepTaken:one');
    await life.pay(119_600n);
    await life.closed();
    expect(await life.row()).toMatchObject({ stage: 'writtenOff', written_off_minor: 400n });
    expect((await life.tasks('approve')).filter((t) => t.status === 'done')).toEqual([]);
  });

  const letters = (life: Life) =>
    service.db
      .selectFrom('contacts as c')
      .innerJoin('contact_items as i', 'i.contact_id', 'c.id')
      .select(['c.id', 'c.status', 'c.error_code', 'c.kind'])
      .where('i.invoice_id', '=', life.id)
      .where('c.kind', '=', 'formalNotice')
      .orderBy('c.seq')
      .execute();

  const posted = async (life: Life): Promise<void> => {
    const letter = (await letters(life)).at(-1)!;
    await life.within((tx, act) =>
      recordPost(tx, act, life.creditor.id, letter.id, {
        status: 'dispatched',
        on: life.day(0, act.at),
        trackingNumber: 'RK 1',
      }),
    );
  };
});

async function approve(life: Life, step: string, nth = 0): Promise<void> {
  await until(
    `approval of ${step}`,
    async () => (await life.tasks('approve')).filter((t) => t.step === step).length > 0,
  );
  const open = (await life.tasks('approve')).filter((t) => t.status === 'open');
  expect(open.at(-1)).toMatchObject({ step, role: 'approver' });
  expect((await life.tasks('approve')).length).toBeGreaterThan(nth);
  const outcome = await life.command('approve', { taskId: open.at(-1)!.id, decision: 'approved' });
  expect(outcome).toEqual({ accepted: true, code: null });
}

async function addAgency(service: TestService, life: Life): Promise<void> {
  await service.db
    .insertInto('agencies')
    .values({
      id: newId('agy'),
      creditor_id: life.creditor.id,
      name: 'Recouvrement Exemple',
      deliver_by: 'download',
      created_at: instant(service.clock.now()),
    })
    .execute();
}
