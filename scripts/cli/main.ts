/** The operator's command line: `npm run relance -- VERB …`. */
import { runCli } from './run.ts';

// Whoever reads the output may stop reading (`… | head`): that is an end, not a fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

process.exitCode = await runCli(process.argv.slice(2), { env: process.env, out: process.stdout, err: process.stderr });
