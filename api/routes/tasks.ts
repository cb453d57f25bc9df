import { z } from 'zod';
import { requireAgency } from '../../db/repositories/placements.ts';
import { findTask, listTasks, type TaskRow } from '../../db/repositories/task-list.ts';
import { command } from '../command.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf, type Caller } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import { presentTask } from '../present.ts';
import type { App } from '../routing.ts';
import { id, idParams, line, listQuery, page, refusals } from '../schemas/common.ts';
import { task, TASK_STATUSES } from '../schemas/resources.ts';
import { completeByHand, COMPLETIONS, parseCompletion } from '../task-completion.ts';
import { ok, send, write } from '../write.ts';

/** Judged by the kind of the task, which stands in the database; the shapes are documented all the same. */
const completionBody = z.looseObject({}).meta({
  id: 'TaskCompletion',
  description: `By the kind of the task: ${Object.keys(COMPLETIONS).join(', ')}.`,
  oneOf: Object.entries(COMPLETIONS).map(([kind, schema]) => {
    const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input' });
    return { title: kind, ...json };
  }),
  example: { outcome: 'reached', promise: { payOn: '2026-11-27' }, note: 'Called Ms Martin.' },
});

/** What waits for a person. */
export async function taskRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/tasks',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listTasks',
        tags: ['tasks'],
        summary: 'List tasks, newest first',
        querystring: listQuery.extend({
          kind: line(60).optional(),
          status: z.enum(TASK_STATUSES).optional(),
          invoiceId: id('inv').optional(),
          customerId: id('cus').optional(),
        }),
        response: { 200: page(task), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      return readPage(
        'tasks',
        query,
        (after, count) => listTasks(db, creditorId, query, after, count),
        (row) => row.seq,
        (rows) => rows.map(presentTask),
      );
    },
  );

  app.get(
    '/v1/tasks/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getTask',
        tags: ['tasks'],
        summary: 'A task',
        params: idParams('tsk'),
        response: { 200: task, ...refusals },
      },
    },
    async (request) => {
      const row = await findTask(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return presentTask(row);
    },
  );

  app.post(
    '/v1/tasks/:id/completion',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'completeTask',
        tags: ['tasks'],
        summary: 'Say what came of a task',
        description:
          'What it says drives the case: a promise or dispute given on the phone is taken as if it were posted to the ' +
          'invoice; an approval is answered by the running case. A task whose role is `approver` takes an approver.',
        params: idParams('tsk'),
        body: completionBody,
        response: { 200: task, ...refusals },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { creditorId } = caller;
      const row = await findTask(db, creditorId, request.params.id);
      if (!row) throw notFound();
      requireRole(row, caller);
      if (row.kind !== 'approve' || row.invoice_id === null) {
        return write(deps, request, reply, async (tx, act) => {
          await completeByHand(deps, tx, act, creditorId, row, request.body);
          return ok(presentTask((await findTask(tx, creditorId, row.id))!));
        });
      }
      const said = parseCompletion('approve', request.body);
      if (said.agencyId !== undefined) await requireAgency(db, creditorId, said.agencyId);
      const answer = await command(
        deps,
        request,
        {
          invoiceId: row.invoice_id,
          name: 'approve',
          args: {
            taskId: row.id,
            decision: said.decision,
            ...(said.agencyId === undefined ? {} : { agencyId: said.agencyId }),
          },
          reason: said.note ?? null,
        },
        async () => ok(presentTask((await findTask(db, creditorId, row.id))!)),
      );
      return send(reply, answer);
    },
  );
}

function requireRole(row: TaskRow, caller: Caller): void {
  if (row.role === 'approver' && caller.role !== 'approver') {
    throw new Problem('forbidden', 'This task takes an approver.');
  }
}
