/** The operator's command line: `npm run relance -- VERB …`. */
import { runCli } from './run.ts';

process.exitCode = await runCli(process.argv.slice(2), { env: process.env, out: process.stdout, err: process.stderr });
