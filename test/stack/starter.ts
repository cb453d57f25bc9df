import { fileURLToPath } from 'node:url';
import { createSupervisor, nodeCommand, stopOnSignals } from '../../scripts/stack/supervisor.ts';

// A starter of its own process, for tests that kill it. Argument: the data folder.
const [, , dataDir = ''] = process.argv;
const log = (line: string): void => void process.stdout.write(`${line}\n`);
const supervisor = await createSupervisor({ dataDir, log });
stopOnSignals(() => supervisor.stop(), log);
const { url } = await supervisor.startPostgres();
await supervisor.start({ name: 'service', ...nodeCommand(fileURLToPath(new URL('service.ts', import.meta.url))) });
log(JSON.stringify({ url, services: supervisor.services() }));
