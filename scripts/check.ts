/**
 * `npm run check`: everything CI looks at beside the tests, one line each. `npm run check -- layers lint` runs only
 * the parts named; `--write` also brings the format and generated texts up to date.
 */
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

import { docs } from './check/docs.ts';
import { layers } from './check/layers.ts';
import { migrations } from './check/migrations.ts';
import { openapi } from './check/openapi.ts';
import type { CheckPart } from './check/part.ts';
import { secrets } from './check/secrets.ts';
import { format, lint, types } from './check/tools.ts';

const PARTS: readonly CheckPart[] = [format, lint, types, layers, migrations, openapi, docs, secrets];

const root = fileURLToPath(new URL('..', import.meta.url));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const options = { write: process.argv.includes('--write') };

const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`No such part: ${unknown.join(', ')}. There are ${PARTS.map((part) => part.name).join(', ')}.`);
  process.exit(2);
}

const failed: { name: string; faults: string[] }[] = [];
for (const part of PARTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const startedAt = performance.now();
  const faults = await faultsOf(part);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const verdict = faults.length === 0 ? 'ok' : 'FAILED';
  console.log(`${part.name.padEnd(12)} ${verdict.padEnd(6)} ${seconds.padStart(6)} s`);
  if (faults.length > 0) failed.push({ name: part.name, faults });
}
for (const { name, faults } of failed) console.log(`\n${name}:\n${faults.join('\n')}`);
if (failed.length > 0) console.log(`\n${failed.length} failed: ${failed.map(({ name }) => name).join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);

/** A part that cannot look at all is a fault too, and the other parts still run. */
async function faultsOf(part: CheckPart): Promise<string[]> {
  try {
    return await part.run(root, options);
  } catch (error) {
    return [describe(error)];
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}
