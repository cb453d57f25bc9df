import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaseCommands, lazyConnection } from '../../api/case-commands.ts';
import { toProblemAnswer } from '../../api/problem.ts';
import { newId } from '../../db/ids.ts';
import { caseWorkflowId } from '../../workflows/ids.ts';
import { temporalServer } from '../support/servers.ts';

/** The way of a command to a real Temporal server and back. */

let client: Client;
let connection: Connection;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
const taskQueue = `commands-${newId('cmd')}`;

beforeAll(async () => {
  const { address, namespace } = temporalServer();
  connection = await Connection.connect({ address });
  native = await NativeConnection.connect({ address });
  client = new Client({ connection, namespace });
  worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('fixtures/answering-case.ts', import.meta.url)),
  });
  running = worker.run();
}, 60_000);
afterAll(async () => {
  worker.shutdown();
  await running;
  await native.close();
  await connection.close();
});

const start = (invoiceId: string) =>
  client.workflow.start('answeringCase', { workflowId: caseWorkflowId(invoiceId), taskQueue, args: [] });

const statusOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return toProblemAnswer(error).body.code;
  }
};

test('not answered in time it is unknown; a repeat joins and learns the result of the first', async () => {
  const invoiceId = newId('inv');
  const handle = await start(invoiceId);
  const commands = createCaseCommands(client, 1_000);
  const command = { invoiceId, commandId: newId('cmd'), name: 'pause' as const };
  expect(await statusOf(commands.execute(command))).toBe('outcomeUnknown');
  const joined = Promise.all([commands.execute(command), commands.execute(command)]);
  await handle.signal('goOn');
  expect(await joined).toEqual([
    { accepted: true, code: null },
    { accepted: true, code: null },
  ]);
  // One update, however often it was handed over.
  expect(await handle.result()).toBe(1);
});

test('what the case refuses at its door comes back as a code', async () => {
  const invoiceId = newId('inv');
  const handle = await start(invoiceId);
  const commands = createCaseCommands(client);
  const refused = await commands.execute({ invoiceId, commandId: newId('cmd'), name: 'resume' });
  expect(refused).toEqual({ accepted: false, code: 'notPaused' });
  await handle.terminate();
});

test('a case whose start is on its way is waited for', async () => {
  const invoiceId = newId('inv');
  const commands = createCaseCommands(client, 5_000);
  const answer = commands.execute({ invoiceId, commandId: newId('cmd'), name: 'resume' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const handle = await start(invoiceId);
  expect(await answer).toEqual({ accepted: false, code: 'notPaused' });
  await handle.terminate();
  const nobody = { invoiceId: newId('inv'), commandId: newId('cmd'), name: 'resume' as const };
  expect(await statusOf(createCaseCommands(client, 600).execute(nobody))).toBe('outcomeUnknown');
});

test('from a server that is away nothing is known, and the service says that it is not ready', async () => {
  const away = lazyConnection('127.0.0.1:1', undefined);
  const commands = createCaseCommands(new Client({ connection: away }), 1_000);
  const began = Date.now();
  const command = { invoiceId: newId('inv'), commandId: newId('cmd'), name: 'pause' as const };
  expect(await statusOf(commands.execute(command))).toBe('outcomeUnknown');
  expect(Date.now() - began).toBeLessThan(4_000);
  await expect(commands.isUp()).rejects.toThrow();
  await away.close();
  expect(await createCaseCommands(client).isUp()).toBe(true);
});
