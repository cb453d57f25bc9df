import { z } from 'zod';
import { findCustomer } from '../../db/repositories/customers.ts';
import { creditorsDate } from '../../db/repositories/creditors.ts';
import { prepareVatRelief, recordVatRelief } from '../../db/repositories/vat-reliefs.ts';
import { formatAmount } from '../../domain/money.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { amountOut, currency, id, idParams, prose, refusals } from '../schemas/common.ts';
import { statementParty } from '../statement-party.ts';
import { created, write } from '../write.ts';

const correction = z
  .object({
    invoiceId: id('inv'),
    documentId: id('doc'),
    net: amountOut.meta({ description: 'What was lost, without VAT.' }),
    vat: amountOut.meta({ description: 'What comes back.' }),
    currency,
  })
  .meta({ id: 'VatCorrection' });

/** VAT of claims that are lost. */
export async function vatRoutes(app: App, deps: ApiDeps): Promise<void> {
  app.post(
    '/v1/invoices/:id/vat-correction',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'correctVat',
        tags: ['books'],
        summary: 'Take back the VAT of a loss',
        description:
          'Of an invoice that is written off, where VAT fell due with the invoice (CGI 272-1, BOI-TVA-DED-40-10-20): posts it and ' +
          'draws the duplicate with the words that it must bear, which goes to the customer by hand. Money that comes later ' +
          'makes VAT due again: posted in proportion, with a task `vatDueAgain`.',
        params: idParams('inv'),
        body: z
          .strictObject({ reason: prose(2000) })
          .meta({ example: { reason: 'Liquidation closed without assets' } }),
        response: { 201: correction, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        if (!deps.renderVatCorrection) throw new Problem('dependencyDown', 'Nothing here draws PDFs.');
        const { creditorId } = callerOf(request);
        const today = await creditorsDate(tx, act, creditorId);
        const relief = await prepareVatRelief(tx, creditorId, request.params.id, today);
        const { creditor, invoice, document } = relief;
        const customer = (await findCustomer(tx, creditorId, invoice.customer_id))!;
        const pdf = await deps.renderVatCorrection({
          ...document,
          creditor: statementParty(creditor),
          customer: statementParty(customer),
          fromCountry: creditor.country,
        });
        const why = { ...act, reason: request.body.reason };
        const documentId = await recordVatRelief(tx, why, relief, today, Buffer.from(pdf));
        const amount = (minor: bigint): string => formatAmount(minor, document.currency);
        return created({
          invoiceId: invoice.id,
          documentId,
          net: amount(document.relief.netMinor),
          vat: amount(document.relief.vatMinor),
          currency: document.currency,
        });
      }),
  );
}
