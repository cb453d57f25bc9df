import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import { recordCreditNote } from '../../db/repositories/credit-notes.ts';
import { findCreditor, type CreditorRow } from '../../db/repositories/creditors.ts';
import {
  changeCustomer,
  createCustomer,
  findCustomer,
  listCustomers,
  type CreditorHome,
} from '../../db/repositories/customers.ts';
import { liftHold, setHold } from '../../db/repositories/holds.ts';
import { currenciesOf, findCreditNote, findHold } from '../../db/repositories/money-list.ts';
import { requirePolicyName } from '../../db/repositories/policies.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import { presentCreditNote, presentCustomers } from '../present.ts';
import type { App } from '../routing.ts';
import {
  address,
  amount,
  amountFitsCurrency,
  country,
  currency,
  id,
  idParams,
  line,
  listQuery,
  locale,
  localDate,
  page,
  policyName,
  prose,
  reasonText,
  refusals,
  timeZone,
} from '../schemas/common.ts';
import { creditNote, customer, customerKind, person } from '../schemas/resources.ts';
import { positiveAmount } from '../validation.ts';
import { created, noContent, ok, write } from '../write.ts';

/** What may be said of a customer beside its reference and name. */
export const customerDetails = {
  kind: customerKind,
  country,
  locale: locale.optional(),
  timeZone: timeZone.optional(),
  registrationId: line(60).nullish(),
  vatId: line(30).nullish(),
  address: address.nullish(),
  contacts: z.array(person).max(50).optional(),
  policy: policyName.nullish(),
};

export const customerReference = line(100).meta({ example: 'C-1001' });

const parentId = id('cus')
  .nullish()
  .meta({ description: 'The customer that pays for this one, such as its parent company.' });

const customerBody = z
  .strictObject({ reference: customerReference, name: line(300), ...customerDetails, parentId })
  .meta({
    id: 'NewCustomer',
    example: {
      reference: 'C-1001',
      name: 'Dupont SARL',
      kind: 'business',
      country: 'FR',
      contacts: [{ name: 'Accounts payable', role: 'billing', email: 'billing@dupont.example' }],
    },
  });

const customerPatch = z
  .strictObject({ reference: customerReference, name: line(300), ...customerDetails, parentId })
  .partial();

const holdBody = z.strictObject({ reason: reasonText, until: localDate.optional() });

export const creditNoteBody = z
  .strictObject({
    number: line(100),
    amount,
    currency: currency.optional(),
    issuedOn: localDate,
    reason: prose(2000).optional(),
  })
  .check(amountFitsCurrency())
  .meta({ example: { number: 'CN-2026-0007', amount: '120.00', currency: 'EUR', issuedOn: '2026-11-20' } });

/** Who owes, what holds all their cases, and credit that belongs to no invoice yet. */
export async function customerRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/customers',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'createCustomer',
        tags: ['customers'],
        summary: 'Add a customer',
        description: 'The same reference again: 200 when all that is given agrees, else 409 `customerExists`.',
        body: customerBody,
        response: { 200: customer, 201: customer, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { policy } = request.body;
        if (policy) await requirePolicyName(tx, creditorId, policy, '/policy');
        const home = homeOf((await findCreditor(tx, creditorId))!);
        const made = await createCustomer(tx, act, home, request.body);
        const [answer] = await presentCustomers(tx, [made.customer]);
        return made.outcome === 'created' ? created(answer) : ok(answer);
      }),
  );

  app.get(
    '/v1/customers',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listCustomers',
        tags: ['customers'],
        summary: 'List customers, newest first',
        querystring: listQuery.extend({ reference: customerReference.optional() }),
        response: { 200: page(customer), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      return readPage(
        'customers',
        query,
        (after, count) => listCustomers(db, creditorId, query, after, count),
        (row) => row.seq,
        (rows) => presentCustomers(db, rows),
      );
    },
  );

  app.get(
    '/v1/customers/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getCustomer',
        tags: ['customers'],
        summary: 'A customer',
        params: idParams('cus'),
        response: { 200: customer, ...refusals },
      },
    },
    async (request) => {
      const row = await findCustomer(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return (await presentCustomers(db, [row]))[0]!;
    },
  );

  app.patch(
    '/v1/customers/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'changeCustomer',
        tags: ['customers'],
        summary: 'Change a customer',
        description:
          'What is left out stays; null empties; contacts are replaced as a whole. An address that bounced stays ' +
          'stopped until it is changed. The policy counts for new invoices only.',
        params: idParams('cus'),
        body: customerPatch,
        response: { 200: customer, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { policy } = request.body;
        if (policy) await requirePolicyName(tx, creditorId, policy, '/policy');
        const row = await changeCustomer(tx, act, creditorId, request.params.id, request.body);
        return ok((await presentCustomers(tx, [row]))[0]!);
      }),
  );

  app.post(
    '/v1/customers/:id/holds',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'holdCustomer',
        tags: ['customers'],
        summary: 'Hold all cases of a customer',
        params: idParams('cus'),
        body: holdBody,
        response: {
          201: z
            .object({
              id: id('hol'),
              kind: z.string(),
              customerId: id('cus'),
              invoiceId: id('inv').nullable(),
              from: localDate,
              until: localDate.nullable(),
              reason: z.string().nullable(),
            })
            .meta({ id: 'CustomerHold' }),
          ...refusals,
        },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        if (!(await findCustomer(tx, creditorId, request.params.id))) throw notFound();
        const { reason, until = null } = request.body;
        const holdId = await setHold(
          tx,
          { ...act, reason },
          { customerId: request.params.id, invoiceId: null, kind: 'customer', untilOn: until },
        );
        const hold = (await findHold(tx, creditorId, holdId))!;
        return created({
          id: hold.id,
          kind: hold.kind,
          customerId: hold.customer_id,
          invoiceId: hold.invoice_id,
          from: hold.from_on,
          until: hold.until_on,
          reason: hold.reason,
        });
      }),
  );

  app.delete(
    '/v1/holds/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'liftHold',
        tags: ['customers'],
        summary: 'Lift a hold',
        description:
          'Of a customer, of unapplied money, or of insolvency proceedings that do not concern the invoice (any more); a ' +
          'pause ends by resume, an approval by its task, a plan by its cancellation.',
        params: idParams('hol'),
        response: { 204: z.undefined().meta({ description: 'Lifted' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const hold = await findHold(tx, callerOf(request).creditorId, request.params.id);
        if (!hold) throw notFound();
        if (hold.kind !== 'customer' && hold.kind !== 'unappliedCash' && hold.kind !== 'insolvency') {
          throw new Problem(
            'holdNotLiftable',
            'A pause ends by resume, an approval by its task, a plan by its cancellation.',
          );
        }
        if (!(await liftHold(tx, act, hold.id))) throw new Problem('holdLifted', 'The hold has ended already.');
        return noContent();
      }),
  );

  app.post(
    '/v1/customers/:id/credit-notes',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'creditCustomer',
        tags: ['money'],
        summary: 'A credit note that belongs to no invoice yet',
        description:
          'It is unapplied until it is allocated. `currency` may be left out where the customer was billed in one only. ' +
          'The same number again: 200 when all is equal.',
        params: idParams('cus'),
        body: creditNoteBody,
        response: { 200: creditNote, 201: creditNote, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        if (!(await findCustomer(tx, creditorId, request.params.id))) throw notFound();
        const { number, issuedOn, reason = null, amount: text } = request.body;
        const code = request.body.currency ?? (await onlyCurrency(tx, request.params.id));
        const noted = await recordCreditNote(tx, act, {
          customerId: request.params.id,
          invoiceId: null,
          number,
          amountMinor: positiveAmount('/amount', text, code),
          currency: code,
          issuedOn,
          reason,
        });
        const answer = presentCreditNote((await findCreditNote(tx, creditorId, noted.creditNoteId))!);
        return noted.outcome === 'created' ? created(answer) : ok(answer);
      }),
  );
}

async function onlyCurrency(tx: Tx, customerId: string): Promise<string> {
  const [first, ...others] = await currenciesOf(tx, customerId);
  if (first !== undefined && others.length === 0) return first;
  const message = 'Say the currency: the customer was not billed in exactly one.';
  throw new Problem('validationFailed', message, { faults: [{ pointer: '/currency', code: 'required', message }] });
}

/** What defaults of a customer are taken from. */
export const homeOf = (row: CreditorRow): CreditorHome => ({
  id: row.id,
  country: row.country,
  locale: row.locale,
  timeZone: row.time_zone,
});
