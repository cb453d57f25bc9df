import { parseArgs } from 'node:util';
import { errorText, StackError } from '../scripts/stack/errors.ts';
import { stopOnSignals } from '../scripts/stack/supervisor.ts';
import { print } from './support/report.ts';
import { stopServers } from './support/servers.ts';

/** A benchmark: what it measures in a line, its options, and what runs it. False: a bound was missed. */
export interface Benchmark {
  about: string;
  /** Names with their defaults, all numbers. */
  options: Readonly<Record<string, number>>;
  run(options: Readonly<Record<string, number>>): Promise<boolean>;
}

const BENCHMARKS: Readonly<Record<string, () => Promise<{ benchmark: Benchmark }>>> = {
  'case-cost': () => import('./case-cost/main.ts'),
  'webhook-intake': () => import('./webhook-intake/main.ts'),
  'open-cases': () => import('./open-cases/main.ts'),
  burst: () => import('./burst/main.ts'),
  claim: () => import('./claim/main.ts'),
  'statement-parse': () => import('./statement-parse/main.ts'),
  'aged-balance': () => import('./aged-balance/main.ts'),
};

/** `npm run bench -- NAME [--option NUMBER]`; without a name, what there is. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const load = name === undefined ? undefined : BENCHMARKS[name];
  if (!load) {
    if (name !== undefined) print(`There is no benchmark ${name}.`);
    print('npm run bench -- NAME [--option NUMBER]');
    for (const [known, loadKnown] of Object.entries(BENCHMARKS)) {
      const { about, options } = (await loadKnown()).benchmark;
      print(`  ${known.padEnd(15)} ${about}`);
      print(
        `  ${''.padEnd(15)} ${Object.entries(options)
          .map(([option, value]) => `--${option} ${value}`)
          .join(' ')}`,
      );
    }
    return name === undefined ? 0 : 2;
  }
  const { benchmark } = await load();
  const options = readNumbers(rest, benchmark.options);
  print(`${name}: ${benchmark.about}`);
  print(
    Object.entries(options)
      .map(([option, value]) => `--${option} ${value}`)
      .join(' '),
  );
  return (await benchmark.run(options)) ? 0 : 1;
}

function parsed(args: readonly string[], names: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(names.map((option) => [option, { type: 'string' as const }])),
    });
  } catch {
    throw new StackError(`This benchmark takes ${names.map((n) => `--${n} NUMBER`).join(', ') || 'no options'}.`);
  }
}

function readNumbers(args: readonly string[], defaults: Benchmark['options']): Record<string, number> {
  const { values } = parsed(args, Object.keys(defaults));
  return Object.fromEntries(
    Object.entries(defaults).map(([option, fallback]) => {
      const value = values[option] === undefined ? fallback : Number(values[option]);
      if (!Number.isInteger(value) || value < 1) throw new StackError(`--${option} takes a number above 0.`);
      return [option, value];
    }),
  );
}

stopOnSignals(stopServers, print);
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  print(error instanceof StackError ? error.message : error instanceof Error ? String(error.stack) : errorText(error));
  process.exit(1);
}
