import { z } from 'zod';
import type { Db, Tx } from '../../db/database.ts';
import { agreePlan, cancelPlan, changePlan } from '../../db/repositories/plan-agreement.ts';
import { findPlan, listPlans } from '../../db/repositories/plans.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import { presentPlan } from '../present.ts';
import type { App } from '../routing.ts';
import { amount, id, idParams, listQuery, localDate, page, reasonText, refusals } from '../schemas/common.ts';
import { plan, PLAN_STATUSES } from '../schemas/resources.ts';
import { created, ok, write } from '../write.ts';
import { creditorsDate } from '../../db/repositories/creditors.ts';

/** More invoices or instalments than anybody agrees on; a policy allows fewer. */
const MOST_INVOICES = 100;
const MOST_INSTALMENTS = 120;

const instalments = z
  .array(z.strictObject({ dueOn: localDate, amount }))
  .min(1)
  .max(MOST_INSTALMENTS);

const planBody = z.strictObject({ invoiceIds: z.array(id('inv')).min(1).max(MOST_INVOICES), instalments }).meta({
  example: {
    invoiceIds: ['inv_01jd3k8x7v5r2m9t4w6y0b1c2d'],
    instalments: [
      { dueOn: '2026-12-15', amount: '600.00' },
      { dueOn: '2027-01-15', amount: '600.00' },
    ],
  },
});

const changeBody = z.strictObject({ instalments, reason: reasonText }).meta({
  example: { instalments: [{ dueOn: '2027-02-15', amount: '600.00' }], reason: 'One month more was agreed.' },
});

const cancelBody = z.strictObject({ reason: reasonText });

/** Instalment plans: agreed dates and amounts for one or more invoices of a customer. */
export async function planRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  const planAnswer = async (from: Db | Tx, creditorId: string, planId: string, at: Instant) => {
    const row = await findPlan(from, creditorId, planId);
    if (!row) throw notFound();
    return presentPlan(row, await todayOf(from, creditorId, at));
  };

  app.post(
    '/v1/plans',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'agreePlan',
        tags: ['case'],
        summary: 'Agree an instalment plan',
        description:
          'The instalments add up to what the invoices owe, to the cent. While the plan holds the customer gets no ' +
          'reminder about them, only its own notes: a confirmation, one before each date, one after a date that was ' +
          'missed. Whatever is paid on any of the invoices serves the instalments in their order. Late beyond the ' +
          'grace of the policies (the least of them): the plan is broken and the reminders go on with the next step. ' +
          'It takes the place of promises on the invoices.',
        body: planBody,
        response: { 201: plan, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const planId = await agreePlan(tx, act, creditorId, request.body);
        return created(await planAnswer(tx, creditorId, planId, act.at));
      }),
  );

  app.get(
    '/v1/plans',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listPlans',
        tags: ['case'],
        summary: 'List instalment plans, newest first',
        querystring: listQuery.extend({
          customerId: id('cus').optional(),
          invoiceId: id('inv').optional(),
          status: z.enum(PLAN_STATUSES).optional(),
        }),
        response: { 200: page(plan), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      return readPage(
        'plans',
        query,
        (after, count) => listPlans(db, creditorId, query, after, count),
        (row) => row.seq,
        async (rows) => {
          const today = await todayOf(db, creditorId, deps.clock.now());
          return rows.map((row) => presentPlan(row, today));
        },
      );
    },
  );

  app.get(
    '/v1/plans/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getPlan',
        tags: ['case'],
        summary: 'An instalment plan',
        params: idParams('pla'),
        response: { 200: plan, ...refusals },
      },
    },
    (request) => planAnswer(db, callerOf(request).creditorId, request.params.id, deps.clock.now()),
  );

  app.post(
    '/v1/plans/:id/cancel',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'cancelPlan',
        tags: ['case'],
        summary: 'Cancel an instalment plan',
        description: 'The reminders go on, later by the days it held. 409 `planEnded` once it has ended.',
        params: idParams('pla'),
        body: cancelBody,
        response: { 200: plan, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { id: planId } = request.params;
        await cancelPlan(tx, { ...act, reason: request.body.reason }, creditorId, planId);
        return ok(await planAnswer(tx, creditorId, planId, act.at));
      }),
  );

  app.post(
    '/v1/plans/:id/change',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'changePlan',
        tags: ['case'],
        summary: 'Put another plan in its place',
        description:
          'Over what the invoices of the plan still owe. The old plan is cancelled and stays on record; `replaces` of ' +
          'the new one, which is answered, names it.',
        params: idParams('pla'),
        body: changeBody,
        response: { 201: plan, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { instalments: wished, reason } = request.body;
        const planId = await changePlan(tx, { ...act, reason }, creditorId, request.params.id, wished);
        return created(await planAnswer(tx, creditorId, planId, act.at));
      }),
  );
}

const todayOf = (db: Db | Tx, creditorId: string, at: Instant) => creditorsDate(db, { at }, creditorId);
