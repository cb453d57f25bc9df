import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { prepareDataFolder } from '../../scripts/stack/files.ts';
import { freePort } from '../../scripts/stack/ports.ts';
import { startProcess } from '../../scripts/stack/processes.ts';
import { temporalCli } from '../../scripts/stack/releases.ts';
import { relanceSearchAttributes } from '../../scripts/stack/search-attributes.ts';
import { findProgram } from '../../scripts/stack/temporal-program.ts';

export interface OwnTemporal {
  address: string;
  namespace: string;
  /** The folder that holds `temporal.db` and what SQLite keeps beside it. */
  folder: string;
  /** Ends the server; its files stay. */
  end(): Promise<void>;
  /** Starts it again at the same address over the same data. */
  begin(): Promise<void>;
  /** Ends it and removes everything. */
  stop(): Promise<void>;
}

/**
 * A Temporal server of the test's own: to be stopped and started, looked into, or given limits (`--dynamic-config-value`,
 * `name=value`) that nobody else should have.
 */
export async function startOwnTemporal(limits: Readonly<Record<string, number>> = {}): Promise<OwnTemporal> {
  const folder = prepareDataFolder(mkdtempSync(join(tmpdir(), 'relance-own-temporal-')));
  const program = await findProgram(temporalCli, folder, () => undefined);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--headless'];
  args.push('--db-filename', 'temporal.db', '--log-level', 'error');
  for (const [name, type] of Object.entries(relanceSearchAttributes))
    args.push('--search-attribute', `${name}=${type}`);
  for (const [name, value] of Object.entries(limits)) args.push('--dynamic-config-value', `${name}=${value}`);
  let server: Awaited<ReturnType<typeof startProcess>> | null = null;

  const begin = async (): Promise<void> => {
    server = await startProcess(folder, { name: 'own-temporal', command: program.path, args, cwd: folder });
    for (let tries = 0; ; tries++) {
      try {
        const connection = await Connection.connect({ address, connectTimeout: 2_000 });
        await connection.workflowService.describeNamespace({ namespace: 'default' });
        await connection.close();
        return;
      } catch (error) {
        if (tries > 100) throw error;
        await sleep(200);
      }
    }
  };
  const end = async (): Promise<void> => {
    await server?.stop();
    server = null;
  };
  await begin();
  return {
    address,
    namespace: 'default',
    folder,
    begin,
    end,
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
