import type { Client, WorkflowHandle } from '@temporalio/client';

/** What one run of a workflow cost, as the server says it. */
export interface HistoryCost {
  workflowId: string;
  status: string;
  events: number;
  /** Of the history, as the server counts them. */
  bytes: number;
  stateTransitions: number;
  /** What Temporal Cloud would bill. */
  actions: number;
  /** Events and their bytes by type. */
  types: Map<string, { events: number; bytes: number }>;
}

type Event = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** Of Temporal Cloud's list of actions, those that leave an event: https://docs.temporal.io/cloud/actions. */
const BILLED = new Set([
  'workflowExecutionStarted',
  'workflowExecutionSignaled',
  'workflowExecutionUpdateAccepted',
  'workflowExecutionContinuedAsNew',
  'timerStarted',
  'activityTaskScheduled',
  'upsertWorkflowSearchAttributes',
]);

/** Reads what the latest run of a workflow has cost so far. */
export async function historyCost(client: Client, workflowId: string): Promise<HistoryCost> {
  const handle = client.workflow.getHandle(workflowId);
  const description = await handle.describe();
  const { events } = await handle.fetchHistory();
  const types = new Map<string, { events: number; bytes: number }>();
  let actions = 0;
  /** Local activities that one workflow task reported are one action together. */
  let markedBy = '';
  for (const event of events ?? []) {
    const type = typeOf(event);
    const sum = types.get(type) ?? { events: 0, bytes: 0 };
    types.set(type, { events: sum.events + 1, bytes: sum.bytes + sizeOf(event) });
    if (BILLED.has(type)) actions += 1;
    const task = String(event.markerRecordedEventAttributes?.workflowTaskCompletedEventId ?? '');
    if (event.markerRecordedEventAttributes?.markerName === 'core_local_activity' && task !== markedBy) {
      actions += 1;
      markedBy = task;
    }
  }
  return {
    workflowId,
    status: description.status.name,
    events: description.historyLength,
    bytes: description.historySize ?? 0,
    stateTransitions: Number(description.raw.workflowExecutionInfo?.stateTransitionCount ?? 0),
    actions,
    types,
  };
}

/** `workflowTaskCompletedEventAttributes` is of type `workflowTaskCompleted`. */
function typeOf(event: Event): string {
  const name = Object.keys(event).find((key) => key.endsWith('EventAttributes'));
  return name?.replace(/EventAttributes$/, '') ?? 'unknown';
}

/** Bytes of an event as protobuf: what the server keeps, without its own frame around it. */
function sizeOf(event: Event): number {
  const message = event.constructor as unknown as { encode(event: Event): { finish(): Uint8Array } };
  return message.encode(event).finish().length;
}
