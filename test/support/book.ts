import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { createCreditor, findCreditor, type CreditorRow } from '../../db/repositories/creditors.ts';
import { createCustomer, type CustomerInput, type CustomerRow } from '../../db/repositories/customers.ts';
import { registerInvoice, type InvoiceInput } from '../../db/repositories/invoices.ts';
import { putPolicy } from '../../db/repositories/policies.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import type { TestService } from './service.ts';

/** A creditor in Paris whose policy is `test`; everything else as the presets have it. */
export async function openBook(
  service: Pick<TestService, 'db' | 'clock'>,
  policy: Record<string, unknown>,
): Promise<CreditorRow> {
  const act = systemAct(service.clock.now());
  return await inTransaction(service.db, async (tx) => {
    const id = await createCreditor(tx, act, {
      name: 'Atelier Lumen',
      country: 'FR',
      timeZone: 'Europe/Paris',
      locale: 'fr',
      senderEmail: 'compta@atelier-lumen.example',
      replyTo: null,
      address: null,
      registrationId: null,
      vatId: null,
      iban: 'FR7630006000011234567890189',
      defaultPolicy: 'test',
      paymentDays: 30,
      closedWeeks: [],
    });
    await putPolicy(tx, act, id, parsePolicy({ name: 'test', ...policy }));
    return (await findCreditor(tx, id))!;
  });
}

/** A business customer of that creditor with one e-mail address. */
export async function addCustomer(
  service: Pick<TestService, 'db' | 'clock'>,
  creditor: CreditorRow,
  input: Partial<CustomerInput> = {},
): Promise<CustomerRow> {
  const reference = input.reference ?? `C${Math.random().toString(36).slice(2, 10)}`;
  const { customer } = await inTransaction(service.db, (tx) =>
    createCustomer(
      tx,
      systemAct(service.clock.now()),
      { id: creditor.id, country: 'FR', locale: 'fr', timeZone: 'Europe/Paris' },
      {
        name: 'Maison Test',
        contacts: [{ email: `${reference.toLowerCase()}@customer.example`, role: 'billing' }],
        ...input,
        reference,
      },
    ),
  );
  return customer;
}

/** An invoice over 1,200.00 EUR unless told otherwise, and the start of its case. */
export async function addInvoice(
  service: Pick<TestService, 'db' | 'clock'>,
  creditor: CreditorRow,
  customer: CustomerRow,
  input: Partial<InvoiceInput> & { dueOn: string },
): Promise<string> {
  return await inTransaction(service.db, async (tx) => {
    const { invoiceId } = await registerInvoice(tx, systemAct(service.clock.now()), creditor, {
      number: `F-${Math.random().toString(36).slice(2, 10)}`,
      customer,
      issuedOn: input.issuedOn ?? input.dueOn,
      amountMinor: 120_000n,
      currency: 'EUR',
      ...input,
    });
    return invoiceId;
  });
}

export const EVERY_DAY = {
  days: 'mon-sun',
  from: '00:00',
  to: '24:00',
  minimumGapDays: 0,
  maximumPer30Days: 60,
  holidays: 'none',
};
