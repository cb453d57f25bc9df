export { invoiceCase } from './invoice-case.ts';
export { customerOutreach } from './customer-outreach.ts';
export { agencyDesk } from './agency-desk.ts';
export { bankFeed } from './bank-feed.ts';
export { importFile } from './import-file.ts';
export { policyRollout } from './policy-rollout.ts';
export { bulkCommand } from './bulk-command.ts';
