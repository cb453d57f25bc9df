import {
  Client,
  Connection,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { caseWorkflowId } from '../workflows/ids.ts';
import { commandUpdates, type CommandOutcome } from '../workflows/messages.ts';
import type { CaseCommands } from './deps.ts';
import { isDown, Problem } from './problem.ts';

/** How long a command is waited for, in real time (api.md, "Conventions"). */
const ANSWER_MS = 5_000;
/** A case whose start is still on its way is tried again after this long. */
const RETRY_MS = 200;

const outcomeUnknown = (): Problem =>
  new Problem('outcomeUnknown', 'The case has not answered yet. Send the same again to learn what became of it.', {
    headers: { 'retry-after': '2' },
  });

/** Commands over Temporal's updates. The update's id is the command's, so handing one over again joins it. */
export function createCaseCommands(client: Client, answerMs: number = ANSWER_MS): CaseCommands {
  return {
    execute: async ({ invoiceId, commandId, name }) => {
      const deadline = Date.now() + answerMs;
      for (;;) {
        try {
          return await client.withDeadline(deadline, () =>
            client.workflow
              .getHandle(caseWorkflowId(invoiceId))
              .executeUpdate(commandUpdates[name], { args: [{ id: commandId }], updateId: commandId }),
          );
        } catch (error) {
          const outcome = refusalOf(error);
          if (outcome) return outcome;
          // The invoice is open, so its workflow is on its way or being replaced by its next run.
          const notThere = error instanceof WorkflowNotFoundError || isBetweenRuns(error);
          if (notThere && Date.now() + RETRY_MS < deadline) {
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
            continue;
          }
          if (notThere || unanswered(error)) throw outcomeUnknown();
          throw error;
        }
      }
    },
    isUp: async () => {
      await client.withDeadline(Date.now() + 2_000, () => client.workflowService.getSystemInfo({}));
      return true;
    },
  };
}

/** The connection is made when the first call needs it: the API starts, and says it is not ready, without Temporal. */
export function lazyConnection(address: string, apiKey: string | undefined): Connection {
  return Connection.lazy({ address, ...(apiKey === undefined ? {} : { apiKey, tls: true }) });
}

/** The validator's refusal comes as a failed update whose message is a code. */
function refusalOf(error: unknown): CommandOutcome | null {
  if (!(error instanceof WorkflowUpdateFailedError)) return null;
  const { message } = error.cause ?? {};
  return typeof message === 'string' && /^[a-z][A-Za-z]{2,40}$/.test(message)
    ? { accepted: false, code: message }
    : null;
}

/** Temporal's word (gRPC 9, failed precondition) for an update that met its workflow as it continued as new. */
const isBetweenRuns = (error: unknown): boolean =>
  error instanceof ServiceError && (error.cause as { code?: unknown } | undefined)?.code === 9;

/** Not answered in time. A server that is away may have been there when it was asked: its outcome is not known either. */
const unanswered = (error: unknown): boolean =>
  error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isDown(error);
