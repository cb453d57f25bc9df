/** Ids and names in Temporal (api.md, "In Temporal"); with their inverses where something reads them back. */
export const TASK_QUEUE = 'relance';

export const caseWorkflowId = (invoiceId: string): string => `case/${invoiceId}`;
export const outreachWorkflowId = (customerId: string): string => `outreach/${customerId}`;
export const feedWorkflowId = (feedId: string): string => `feed/${feedId}`;
export const agencyWorkflowId = (agencyId: string): string => `agency/${agencyId}`;
export const importWorkflowId = (importId: string): string => `import/${importId}`;
export const rolloutWorkflowId = (rolloutId: string): string => `rollout/${rolloutId}`;
export const bulkWorkflowId = (bulkId: string): string => `bulk/${bulkId}`;

/** `case/inv_…` → `inv_…`; null for any other workflow. */
export function invoiceIdOf(workflowId: string): string | null {
  return workflowId.startsWith('case/') ? workflowId.slice('case/'.length) : null;
}
