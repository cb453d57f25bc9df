import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

/**
 * Time-outs and back-offs run on the real clock (design rule 8). Nothing here gives up: a database that is away comes
 * back, and a fault of ours waits for its correction while the case stands still.
 */
const patience = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '1 minute' } as const;

/** One short database transaction: taking a turn, planning contacts. */
export const shortTransaction: LocalActivityOptions = {
  startToCloseTimeout: '20 seconds',
  localRetryThreshold: '20 seconds',
  retry: patience,
};

/** Draining the inbox of a feed: up to 500 transactions of the bank, each committed on its own. */
export const drainOptions: ActivityOptions = {
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  retry: patience,
};

/** Asking a provider of payments for what its messages point at; how long it is given is the activity's own business. */
export const fetchOptions: ActivityOptions = { startToCloseTimeout: '10 minutes', retry: patience };

/** Telling an agency one thing: its file built where there is one, then a mail or a call to its server. */
export const agencyOptions: ActivityOptions = {
  startToCloseTimeout: '3 minutes',
  retry: { ...patience, initialInterval: '1 second', maximumInterval: '15 minutes' },
};

/** Reading an uploaded file: resumes at the row where a killed worker left it. */
export const importOptions: ActivityOptions = {
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '20 seconds',
  retry: { ...patience, maximumInterval: '10 seconds' },
};

/** What is done to many cases, a customer or a case at a time: resumes where a killed worker left it. */
export const backgroundOptions: ActivityOptions = {
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '60 seconds',
  retry: { ...patience, maximumInterval: '10 seconds' },
};
