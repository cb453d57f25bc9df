import { withQuery, type Api, type Page } from './api.ts';
import { CliError, Refusal } from './errors.ts';

/** An invoice as the API answers it, as far as verbs show it. */
export interface InvoiceView {
  id: string;
  number: string;
  customerId: string;
  workflowId: string;
  stage: string;
  holds: { kind: string; until: string | null; amount: string | null }[];
  issuedOn: string;
  dueOn: string;
  amount: string;
  balance: string;
  currency: string;
  policy: { name: string; version: number };
  next: { at: string; action: string; step: string | null; reason: string } | null;
}

/** The invoice with this id or number. */
export async function findInvoice(api: Api, idOrNumber: string): Promise<InvoiceView> {
  if (/^inv_[0-9a-z]{26}$/.test(idOrNumber)) {
    try {
      return await api.patiently<InvoiceView>(`/v1/invoices/${idOrNumber}`);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
    }
  }
  const path = withQuery('/v1/invoices', { number: idOrNumber, limit: '1' });
  const [found] = (await api.patiently<Page<InvoiceView>>(path)).data;
  if (!found) throw new CliError(`There is no invoice with the id or number ${idOrNumber}.`);
  return found;
}
