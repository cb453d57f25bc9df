import { CompleteAsyncError, type Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptors, ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';

/**
 * Keeps what an activity failed with out of Temporal: a failure's text is written into the history, and an error of a
 * library may quote a name, an address or a row. The history gets the activity's name and a code; the whole error goes
 * to the log of this process.
 */
export function discreetFailures(log: Pick<Logger, 'error'>): ActivityInterceptorsFactory {
  return ({ info }: Context): ActivityInterceptors => ({
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          if (error instanceof CancelledFailure || error instanceof CompleteAsyncError) throw error;
          const { activityType, attempt, workflowExecution } = info;
          log.error({ err: error, activity: activityType, attempt, workflow: workflowExecution?.workflowId }, 'failed');
          throw discreet(error, activityType);
        }
      },
    },
  });
}

function discreet(error: unknown, activityType: string): ApplicationFailure {
  const code = codeOf(error);
  const failure = ApplicationFailure.create({ message: `${activityType} failed: ${code}`, type: code });
  // The stack would begin with the message of whatever was thrown, and names folders of this machine.
  failure.stack = '';
  return failure;
}

/** A SQLSTATE, a code of ours or of Node, else the error's class: words that a program made. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code: unknown = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && /^[A-Za-z0-9_]{1,40}$/.test(code)) return code;
  return /^[A-Za-z]{1,40}$/.test(error.name) ? error.name : 'Error';
}
