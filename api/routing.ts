import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

/** The app as routes see it: bodies, queries and params are typed by their zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Groups of the documentation, in its order. */
export const TAGS = [
  { name: 'creditors', description: 'Who is owed, and the keys to their data.' },
  { name: 'policies', description: 'Versioned scenarios of reminders.' },
  { name: 'templates', description: 'The words of messages, versioned.' },
  { name: 'customers', description: 'Who owes.' },
  { name: 'invoices', description: 'What is owed, and the case that looks after it.' },
  { name: 'money', description: 'Payments, credit notes, receipts and where they went.' },
  { name: 'case', description: 'What customers say and what a person asks a case to do.' },
  { name: 'law', description: 'Until when a claim can be pursued, and what e-invoicing platforms report.' },
  { name: 'tasks', description: 'What waits for a person.' },
  { name: 'contacts', description: 'What was sent, and the documents as they were sent.' },
  { name: 'imports', description: 'Files of invoices.' },
  { name: 'agencies', description: 'Who collects for the creditor, and what is placed with them.' },
  { name: 'reports', description: 'What is owed, how long it takes and how collecting went, as of any day.' },
  { name: 'books', description: 'The chart of accounts and numbered exports for the creditor’s own books.' },
  { name: 'feeds', description: 'Bank accounts that report by webhook.' },
  { name: 'system', description: 'The clock and how the service is.' },
] as const;

export type Tag = (typeof TAGS)[number]['name'];
