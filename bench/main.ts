import { parseArgs } from 'node:util';
import { errorText, StackError } from '../scripts/stack/errors.ts';
import { stopOnSignals } from '../scripts/stack/supervisor.ts';
import { print } from './support/report.ts';
import { stopServers } from './support/servers.ts';

/** A benchmark: what it measures in a line, its options, and what runs it. False: a bound was missed. */
export interface Benchmark {
  about: string;
  /** Names with their defaults: numbers above 0. */
  options: Readonly<Record<string, number>>;
  /** The same for texts, such as a folder. */
  texts?: Readonly<Record<string, string>>;
  run(options: Readonly<Record<string, number>>, texts: Readonly<Record<string, string>>): Promise<boolean>;
}

const BENCHMARKS: Readonly<Record<string, () => Promise<{ benchmark: Benchmark }>>> = {
  'case-cost': () => import('./case-cost/main.ts'),
  'webhook-intake': () => import('./webhook-intake/main.ts'),
  'open-cases': () => import('./open-cases/main.ts'),
  burst: () => import('./burst/main.ts'),
  claim: () => import('./claim/main.ts'),
  'statement-parse': () => import('./statement-parse/main.ts'),
  'aged-balance': () => import('./aged-balance/main.ts'),
  matching: () => import('./matching/main.ts'),
  'matching-scale': () => import('./matching-scale/main.ts'),
  'statement-intake': () => import('./statement-intake/main.ts'),
};

/** `npm run bench -- NAME [--option NUMBER]`; without a name, what there is. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const load = name === undefined ? undefined : BENCHMARKS[name];
  if (!load) {
    if (name !== undefined) print(`There is no benchmark ${name}.`);
    print('npm run bench -- NAME [--option NUMBER]');
    for (const [known, loadKnown] of Object.entries(BENCHMARKS)) {
      const { about, options, texts = {} } = (await loadKnown()).benchmark;
      print(`  ${known.padEnd(15)} ${about}`);
      print(
        `  ${''.padEnd(15)} ${Object.entries({ ...options, ...texts })
          .map(([option, value]) => `--${option} ${value}`)
          .join(' ')}`,
      );
    }
    return name === undefined ? 0 : 2;
  }
  const { benchmark } = await load();
  const given = parsed(rest, [...Object.keys(benchmark.options), ...Object.keys(benchmark.texts ?? {})]).values;
  const options = readNumbers(given, benchmark.options);
  const texts = { ...benchmark.texts, ...textsOf(given, benchmark.texts ?? {}) };
  print(`${name}: ${benchmark.about}`);
  print(
    Object.entries({ ...options, ...texts })
      .map(([option, value]) => `--${option} ${value}`)
      .join(' '),
  );
  return (await benchmark.run(options, texts)) ? 0 : 1;
}

function parsed(args: readonly string[], names: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(names.map((option) => [option, { type: 'string' as const }])),
    });
  } catch {
    throw new StackError(
      `This benchmark takes ${names.map((n) => `--${n}`).join(', ') || 'no options'}, each with its value.`,
    );
  }
}

type Given = Readonly<Record<string, string | boolean | undefined>>;

const textsOf = (given: Given, defaults: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.keys(defaults).flatMap((name) => (given[name] === undefined ? [] : [[name, String(given[name])]])),
  );

function readNumbers(values: Given, defaults: Benchmark['options']): Record<string, number> {
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
