import { z } from 'zod';
import { findContact, itemsOfContacts, listContacts } from '../../db/repositories/contact-list.ts';
import { findDocument, listDocuments } from '../../db/repositories/documents.ts';
import { findInvoice } from '../../db/repositories/invoices.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import { presentContact } from '../present.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, listQuery, page, refusals } from '../schemas/common.ts';
import { contact, CONTACT_STATUSES } from '../schemas/resources.ts';

const documentOut = z
  .object({
    id: id('doc'),
    kind: z.enum(['email', 'callScript', 'letter', 'invoice', 'agencyFile', 'claimDeclaration', 'vatCorrection']),
    contentType: z.string(),
    contactId: id('con').nullable(),
    taskId: id('tsk').nullable(),
    createdAt: instant,
    erased: z.boolean(),
  })
  .meta({ id: 'Document' });

/** What was sent to customers, and the documents as they were sent. */
export async function contactRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/contacts',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listContacts',
        tags: ['contacts'],
        summary: 'List contacts, newest first',
        querystring: listQuery.extend({
          invoiceId: id('inv').optional(),
          customerId: id('cus').optional(),
          status: z.enum(CONTACT_STATUSES).optional(),
        }),
        response: { 200: page(contact), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      return readPage(
        'contacts',
        query,
        (after, count) => listContacts(db, creditorId, query, after, count),
        (row) => row.seq,
        async (rows) => {
          const items = await itemsOfContacts(
            db,
            rows.map((row) => row.id),
          );
          return rows.map((row) => presentContact(row, items.get(row.id) ?? []));
        },
      );
    },
  );

  app.get(
    '/v1/contacts/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getContact',
        tags: ['contacts'],
        summary: 'A contact',
        params: idParams('con'),
        response: { 200: contact, ...refusals },
      },
    },
    async (request) => {
      const row = await findContact(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return presentContact(row, (await itemsOfContacts(db, [row.id])).get(row.id) ?? []);
    },
  );

  app.get(
    '/v1/invoices/:id/documents',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listDocuments',
        tags: ['contacts'],
        summary: 'Documents about an invoice as they were sent, newest first',
        params: idParams('inv'),
        querystring: listQuery,
        response: { 200: page(documentOut), ...refusals },
      },
    },
    async (request) => {
      const { params, query } = request;
      if (!(await findInvoice(db, callerOf(request).creditorId, params.id))) throw notFound();
      return readPage(
        'documents',
        query,
        (after, count) => listDocuments(db, params.id, after, count),
        (row) => row.seq,
        (rows) =>
          rows.map((row) => ({
            id: row.id,
            kind: row.kind,
            contentType: row.content_type,
            contactId: row.contact_id,
            taskId: row.task_id,
            createdAt: isoInstant(row.at),
            erased: row.erased_at !== null,
          })),
      );
    },
  );

  app.get(
    '/v1/invoices/:id/documents/:docId',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getDocument',
        tags: ['contacts'],
        summary: 'A document, its bytes',
        params: idParams('inv').extend({ docId: id('doc') }),
        response: { ...refusals },
      },
    },
    async (request, reply) => {
      const { params } = request;
      if (!(await findInvoice(db, callerOf(request).creditorId, params.id))) throw notFound();
      const found = await findDocument(db, params.id, params.docId);
      if (!found) throw notFound();
      if (found.erased_at !== null)
        throw new Problem('erased', 'The document was erased; that it left is still on record.');
      // Never shown within a page of ours: a mail's HTML is whatever a template made of a customer's name.
      return reply
        .type(found.content_type)
        .header('content-disposition', `attachment; filename="${found.id}"`)
        .send(found.bytes as never);
    },
  );
}
