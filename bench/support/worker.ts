import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWorkflowBundle } from '../../scripts/build-bundle.ts';
import type { Servers } from './servers.ts';

/** The worker of the product, as its own process. `mailUrl`: where it hands its mails in; `own`: further settings. */
export async function startWorker(
  servers: Servers,
  mailUrl?: string,
  own: Record<string, string> = {},
): Promise<ChildProcess> {
  const bundle = await buildWorkflowBundle(join(servers.folder, 'workflows.js'), {
    cacheDir: fileURLToPath(new URL('../../node_modules/.cache/relance', import.meta.url)),
  });
  return await startChild(fileURLToPath(new URL('../../worker/main.ts', import.meta.url)), [], {
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporal.address,
    TEMPORAL_NAMESPACE: servers.temporal.namespace,
    RELANCE_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    WORKFLOW_BUNDLE: bundle.file,
    RESEND_API_KEY: 'bench',
    ...(mailUrl === undefined ? {} : { RESEND_BASE_URL: mailUrl }),
    LOG_LEVEL: 'warn',
    ...own,
  });
}

/** Runs a TypeScript file as a child that says when it is ready. */
export async function startChild(
  file: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<ChildProcess> {
  const child = fork(file, args, {
    execArgv: ['--import', import.meta.resolve('tsx')],
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${String(code)} before it was ready.`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return child;
}

/** Ends a worker that `startWorker` started and waits until it is gone. */
export async function stopWorker(worker: ChildProcess): Promise<void> {
  worker.kill('SIGTERM');
  if (worker.exitCode === null) await once(worker, 'exit');
}
