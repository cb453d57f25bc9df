import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { createBulk, findBulk, listBulk, type NewBulk } from '../../db/repositories/bulk-commands.ts';
import { putPolicy } from '../../db/repositories/policies.ts';
import { createRollout, findRollout, type NewRollout } from '../../db/repositories/rollouts.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { bulkWorkflowId, rolloutWorkflowId } from '../../workflows/ids.ts';
import { addInvoice, EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin, type Life } from './life.ts';

const step = (key: string, day: number, tone: string) => ({ key, day, channel: 'email', template: 'reminder', tone });
const OLD = { contact: EVERY_DAY, steps: [step('one', 1, 'courteous'), step('two', 300, 'firm')] };
const NEW = {
  contact: EVERY_DAY,
  steps: [step('one', 1, 'courteous'), step('two', 12, 'firm'), step('three', 400, 'firm')],
};

/** Attempts of each activity, and what goes wrong with them. */
const attempts = { moveCases: 0, commandCases: 0 };
const lost = (what: string): never => {
  throw new Error(what);
};

describe('what is done to many cases', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({
      now: '2026-03-02T06:00:00Z',
      dayMs: 1_500,
      // The first attempt dies before its work, the second when the work is done and its answer under way.
      around: (activities) => ({
        ...activities,
        async moveCases(input) {
          const attempt = (attempts.moveCases += 1);
          if (attempt === 1) lost('before');
          const result = await activities.moveCases(input);
          return attempt === 2 ? lost('after') : result;
        },
        async commandCases(input) {
          const attempt = (attempts.commandCases += 1);
          if (attempt === 1) lost('before');
          const result = await activities.commandCases(input);
          return attempt === 2 ? lost('after') : result;
        },
      }),
    });
  }, 60_000);
  afterAll(async () => service.stop());

  const rollOut = (life: Life, policy: object, over: Partial<NewRollout> = {}): Promise<string> =>
    life.within(async (tx, act) => {
      const { version } = await putPolicy(tx, act, life.creditor.id, parsePolicy({ name: 'test', ...policy }));
      const asked = { creditorId: life.creditor.id, policy: 'test', version, filter: {}, dryRunId: null };
      return await createRollout(tx, { ...act, actor: 'desk (jane)' }, { ...asked, dryRun: false, ...over });
    });
  const rolledOut = (life: Life, id: string) =>
    until('the end of the roll-out', async () => {
      const row = await findRollout(service.db, life.creditor.id, id);
      return row?.status === 'done' && row;
    });

  it('moves a case that sleeps: it goes on from where it stands under the new version', async () => {
    const life = await begin(service, OLD, -1);
    await life.happened('contactSent:one');
    const dry = await rollOut(life, NEW, { dryRun: true });
    await rolledOut(life, dry);
    expect((await life.row()).policy_version).toBe(1);
    const id = await life.within((tx, act) =>
      createRollout(
        tx,
        { ...act, actor: 'desk (jane)' },
        {
          creditorId: life.creditor.id,
          policy: 'test',
          version: 2,
          dryRun: false,
          filter: {},
          dryRunId: dry,
        },
      ),
    );
    await rolledOut(life, id);
    await life.happened('contactSent:two');
    expect(attempts.moveCases).toBe(3);
    const events = await life.timeline();
    expect(events.filter((kind) => kind === 'policyChanged')).toHaveLength(1);
    expect(events.filter((kind) => kind === 'contactSent:one')).toHaveLength(1);
    expect((await life.state()).next).toMatchObject({ step: 'three' });
    const history = await service.client.workflow.getHandle(rolloutWorkflowId(id)).fetchHistory();
    expect(JSON.stringify(history)).not.toContain('jane');
  });

  it('leaves a case whose step the version lacks as it was', async () => {
    const life = await begin(service, OLD, -1);
    await life.happened('contactSent:one');
    const id = await rollOut(life, { contact: EVERY_DAY, steps: [step('other', 5, 'firm')] });
    await rolledOut(life, id);
    expect((await life.row()).policy_version).toBe(1);
    const rows = await service.db.selectFrom('rollout_cases').selectAll().where('rollout_id', '=', id).execute();
    expect(rows).toMatchObject([{ invoice_id: life.id, status: 'refused', code: 'stepMissing' }]);
  });

  const ask = async (life: Life, kind: NewBulk['kind'], role: NewBulk['role']): Promise<string> => {
    const asked: NewBulk = { creditorId: life.creditor.id, kind, args: {}, filter: {}, role };
    const by = { ...systemAct(service.clock.now()), actor: 'desk (jane)', reason: 'They moved house.' };
    const bulkId = await inTransaction(service.db, async (tx) =>
      createBulk(tx, by, asked, await listBulk(tx, by, asked, life.day(0, by.at))),
    );
    await until('the end of the command', async () => {
      return (await findBulk(service.db, life.creditor.id, bulkId))?.status === 'done';
    });
    return bulkId;
  };
  const happenedTo = (id: string, kind: string) =>
    service.db
      .selectFrom('events as e')
      .leftJoin('event_texts as t', 't.event_id', 'e.id')
      .select(['e.actor', 't.text'])
      .where('invoice_id', '=', id)
      .where('kind', '=', kind)
      .execute();

  it('asks each of many cases once, as the single command would, with whom and why', async () => {
    const life = await begin(service, OLD, 100);
    const ids = [life.id];
    for (const dueIn of [120, 140]) {
      const days = { dueOn: life.day(dueIn), issuedOn: life.day(-3) };
      ids.push(await addInvoice(service, life.creditor, life.customer, days));
    }
    const bulkId = await ask(life, 'pause', 'operator');
    const workflow = service.client.workflow.getHandle(bulkWorkflowId(bulkId));
    await until('a closed workflow', async () => (await workflow.describe()).status.name === 'COMPLETED');
    expect(attempts.commandCases).toBe(3);
    const byJane = [{ actor: 'desk (jane)', text: 'They moved house.' }];
    for (const id of ids) expect(await happenedTo(id, 'paused')).toEqual(byJane);
    expect(JSON.stringify(await workflow.fetchHistory())).not.toContain('jane');

    await ask(life, 'write-off', 'approver');
    const rows = await service.db.selectFrom('invoices').select('stage').where('id', 'in', ids).execute();
    expect(rows.map((row) => row.stage)).toEqual(Array(3).fill('writtenOff'));
    await ask(life, 'reopen', 'operator');
    for (const id of ids) expect(await happenedTo(id, 'reopened')).toEqual(byJane);
    await until('cases that run again', async () => {
      const open = await service.db
        .selectFrom('invoices')
        .select('id')
        .where('id', 'in', ids)
        .where('stage', '=', 'upcoming')
        .where('balance_minor', '=', 120_000n)
        .execute();
      return open.length === 3;
    });
  });
});
