import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../db/ids.ts';
import { commandUpdates } from '../../workflows/messages.ts';
import { EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin } from './life.ts';

const POLICY = {
  contact: EVERY_DAY,
  steps: [
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 300, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
  ],
};
const STRICT = { ...POLICY, approvalAbove: { EUR: '500.00' } };

describe('what a person asks of one case', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 800 });
  }, 60_000);
  afterAll(async () => service.stop());

  it.concurrent('pauses and resumes; what it refuses has a code', async () => {
    const life = await begin(service, POLICY, 100);
    expect(await life.command('resume')).toEqual({ accepted: false, code: 'notPaused' });
    expect(await life.command('pause', { until: '2020-01-01' })).toEqual({ accepted: false, code: 'untilInPast' });
    expect(await life.command('pause')).toEqual({ accepted: true, code: null });
    expect((await life.state()).holds).toEqual(['pause']);
    expect(await life.command('pause')).toEqual({ accepted: false, code: 'alreadyPaused' });
    expect(await life.command('resume')).toEqual({ accepted: true, code: null });
    expect((await life.state()).holds).toEqual([]);
    expect(await life.timeline()).toEqual(expect.arrayContaining(['paused', 'resumed']));
  });

  it.concurrent('checks each of several commands against what the one before changed', async () => {
    const life = await begin(service, POLICY, 100);
    await life.ready();
    const ids = [await life.write('pause'), await life.write('pause')];
    const outcomes = await Promise.all(ids.map((id) => life.execute('pause', id)));
    expect(outcomes.map((o) => o.accepted)).toEqual(expect.arrayContaining([false, true]));
    const holds = await service.db.selectFrom('holds').select('id').where('invoice_id', '=', life.id).execute();
    expect(holds).toHaveLength(1);
  });

  it.concurrent(
    'gives the stored outcome to a repeat: at once, later, in the next run, and never acts twice',
    async () => {
      const life = await begin(service, POLICY, 100);
      await life.ready();
      const id = await life.write('pause');
      const [first, second] = await Promise.all([life.execute('pause', id), life.execute('pause', id)]);
      expect(first).toEqual({ accepted: true, code: null });
      expect(second).toEqual(first);
      expect(await life.command('resume')).toEqual({ accepted: true, code: null });
      expect(await life.execute('pause', id)).toEqual(first);
      expect((await life.state()).holds).toEqual([]);

      const { receiptId } = await life.pay(120_000n);
      await life.closed();
      // The update of a run is answered by Temporal even after it closed.
      expect(await life.execute('pause', id).catch((error: unknown) => error)).toSatisfy(
        (answer: unknown) =>
          answer instanceof WorkflowNotFoundError || JSON.stringify(answer) === JSON.stringify(first),
      );
      await life.undo(receiptId);
      await until('run 2', async () => (await life.handle.describe()).memo?.['run'] === 2);
      expect(await life.execute('pause', id)).toEqual(first);
      expect((await life.state()).holds).toEqual([]);
      expect((await life.timeline()).filter((k) => k === 'paused')).toHaveLength(1);
    },
  );

  it.concurrent('answers for a command it does not know, and turns away what is none', async () => {
    const life = await begin(service, POLICY, 100);
    await life.ready();
    expect(await life.execute('pause', newId('cmd'))).toEqual({ accepted: false, code: 'commandUnknown' });
    const events = (await life.events()).length;
    const refused = await life.handle
      .executeUpdate(commandUpdates.pause, { args: [{ id: 'not an id' }] })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
    expect((refused as WorkflowUpdateFailedError).cause?.message).toBe('commandUnknown');
    expect((await life.events()).length - events).toBeLessThan(4);
  });

  it.concurrent('passes over the next step, and over the one after that', async () => {
    const life = await begin(service, POLICY, 100);
    expect(await life.command('skipStep')).toEqual({ accepted: true, code: null });
    expect((await life.state()).next).toMatchObject({ step: 'two' });
    expect(await life.command('skipStep')).toEqual({ accepted: true, code: null });
    expect(await life.command('skipStep')).toEqual({ accepted: false, code: 'nothingToSkip' });
    expect((await life.timeline()).filter((k) => k.startsWith('stepSkipped'))).toEqual([
      'stepSkipped:one',
      'stepSkipped:two',
    ]);
  });

  it.concurrent('waits for approval over the ceiling, and sends once that is given', async () => {
    const life = await begin(service, STRICT, -1);
    await life.happened('approvalAsked:one');
    await until('the hold', async () => (await life.state()).holds.includes('approval'));
    const [task] = await life.tasks('approve');
    expect(task).toMatchObject({ status: 'open', role: 'approver' });
    const other = await begin(service, STRICT, -1);
    await other.happened('approvalAsked:one');
    const [foreign] = await other.tasks('approve');
    expect(await life.command('approve', { taskId: foreign!.id, decision: 'approved' })).toEqual({
      accepted: false,
      code: 'nothingToApprove',
    });
    const by = { actor: 'desk (head)', reason: 'An old customer.' };
    expect(await life.command('approve', { taskId: task!.id, decision: 'approved' }, by)).toEqual({
      accepted: true,
      code: null,
    });
    await life.happened('contactSent:one');
    // The turn carries it out; it is the person's all the same.
    const said = await service.db
      .selectFrom('events as e')
      .leftJoin('event_texts as t', 't.event_id', 'e.id')
      .select(['e.actor', 't.text'])
      .where('e.invoice_id', '=', life.id)
      .where('e.kind', '=', 'approved')
      .execute();
    expect(said).toEqual([{ actor: 'desk (head)', text: 'An old customer.' }]);
    expect((await life.state()).holds).toEqual([]);
    expect(await other.command('approve', { taskId: foreign!.id, decision: 'refused' })).toMatchObject({
      accepted: true,
    });
    await other.happened('refused:one');
    expect(other.mails()).toEqual([]);
    expect((await other.state()).next).toMatchObject({ step: 'two' });
  });

  it.concurrent('refuses when the case is closed', async () => {
    const life = await begin(service, POLICY, 100);
    await life.ready();
    const late = await life.write('pause');
    await life.pay(120_000n);
    await life.closed();
    await expect(life.execute('pause', late)).rejects.toThrow();
    expect((await life.timeline()).includes('paused')).toBe(false);
  });
});
