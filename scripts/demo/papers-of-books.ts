import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal, type Client } from './client.ts';
import { shown, type Reached } from './endings.ts';

/** What the creditor's books get of the story, as lines of the summary: the FEC, a statement of account, the VAT of a loss. */
export async function saveBooks(client: Client, reached: readonly Reached[], dataDir: string): Promise<string[]> {
  const folder = join(dataDir, 'documents');
  mkdirSync(folder, { recursive: true });
  const keep = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return shown(path);
  };
  const lines = ['Books'];

  const lost = reached.find(({ ending }) => ending.title === 'written off');
  if (lost && lost.missing === null) {
    const { invoiceId, ending, customer } = lost;
    const id = await documentOfRelief(client, invoiceId);
    const pdf = await client.getBytes(`/v1/invoices/${invoiceId}/documents/${id}`);
    lines.push(
      `VAT of a loss         ${ending.number} ${customer}: ${keep(`vat-correction-${ending.number}.pdf`, pdf)}`,
    );
  }
  const insolvent = reached.find(({ ending }) => ending.title === 'insolvent');
  if (insolvent && insolvent.missing === null) {
    const { customerId } = await client.get<{ customerId: string }>(`/v1/invoices/${insolvent.invoiceId}`);
    const pdf = await client.getBytes(`/v1/customers/${customerId}/statement`, { accept: 'application/pdf' });
    lines.push(`statement of account  ${insolvent.customer}: ${keep('statement.pdf', pdf)}`);
  }
  const fec = await client.getBytes('/v1/exports/fec?foreign=omit');
  const [made] = await client.list<{ number: number; filename: string; lines: number; omittedEntries: number }>(
    '/v1/exports?kind=fec',
  );
  const omitted = made!.omittedEntries === 0 ? '' : `, ${made!.omittedEntries} entries in other currencies left out`;
  lines.push(`FEC                   no. ${made!.number}, ${made!.lines} lines${omitted}: ${keep(made!.filename, fec)}`);
  return lines;
}

/** The relief of the loss: asked for now, or, where a run before this one did, its document. */
async function documentOfRelief(client: Client, invoiceId: string): Promise<string> {
  try {
    const { documentId } = await client.post<{ documentId: string }>(
      `/v1/invoices/${invoiceId}/vat-correction`,
      `vat:${invoiceId}`,
      { reason: 'The agency gave up: nothing is to be had.' },
    );
    return documentId;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'vatRelieved') throw error;
    const documents = await client.list<{ id: string; kind: string }>(`/v1/invoices/${invoiceId}/documents`);
    return documents.find(({ kind }) => kind === 'vatCorrection')!.id;
  }
}
