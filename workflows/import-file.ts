import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { importOptions } from './activity-options.ts';

const { runImport } = proxyActivities<Pick<Activities, 'runImport'>>({ ...importOptions, summary: 'read rows' });

/** Reads one uploaded file into invoices and credit notes; each batch of rows is committed with its progress. */
export async function importFile({ importId }: { importId: string }): Promise<void> {
  await runImport({ importId });
}
