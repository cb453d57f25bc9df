import { parseArgs } from 'node:util';
import { Api } from './api.ts';
import { findConnection } from './connection.ts';
import { CliError, wrongUsage } from './errors.ts';
import { COMMON, printVerb, printVerbs } from './help.ts';
import { Output, type Terminal } from './output.ts';
import type { Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

export interface CliWorld {
  env: Readonly<Record<string, string | undefined>>;
  out: Terminal;
  err: Terminal;
  /** How long, in real milliseconds, an API that does not answer is waited for. Default five minutes. */
  patienceMs?: number;
}

/** Carries out one command line and returns the exit code: 0 done, 1 refused or failed, 2 wrongly called. */
export async function runCli(argv: readonly string[], world: CliWorld): Promise<number> {
  const output = new Output(world.out, world.err);
  try {
    return await carryOut(dataLast(argv), world, output);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    output.note(error.message);
    return error.exitCode;
  }
}

async function carryOut(argv: readonly string[], world: CliWorld, output: Output): Promise<number> {
  const [first] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    printVerbs(output, VERBS);
    return first === undefined ? 2 : 0;
  }
  const verb = findVerb(argv);
  const { values, positionals } = parse(verb, argv.slice(verb.name.split(' ').length));
  if (values['help'] === true) {
    printVerb(output, verb);
    return 0;
  }
  if (positionals.length < verb.words.least || positionals.length > verb.words.most) {
    throw wrongUsage(`Write: ${verb.name} ${verb.takes} (${verb.name} --help says more).`.replace('  ', ' '));
  }
  const dataDir = typeof values['data'] === 'string' ? values['data'] : undefined;
  const api = new Api(
    () => findConnection(dataDir, world.env),
    world.patienceMs ?? 300_000,
    (why) => output.note(`${why} Trying again.`),
  );
  // npm runs scripts in the folder of package.json and says in INIT_CWD where its user is.
  const folder = world.env['INIT_CWD'] ?? process.cwd();
  return await verb.run({ api, output, given: values, words: positionals, folder });
}

function findVerb(argv: readonly string[]): Verb {
  const called = (verb: Verb): boolean => verb.name.split(' ').every((word, at) => argv[at] === word);
  const verb = VERBS.find(called);
  if (verb) return verb;
  const alike = VERBS.filter(({ name }) => name.split(' ')[0] === argv[0]).map(({ name }) => name);
  const hint = alike.length > 0 ? `did you mean ${alike.join(' or ')}?` : '--help lists the verbs.';
  throw wrongUsage(`There is no verb "${argv[0]!.slice(0, 40)}": ${hint}`);
}

function parse(
  verb: Verb,
  args: readonly string[],
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  const options = Object.fromEntries(
    Object.entries({ ...verb.options, ...COMMON }).map(([name, option]) => [
      name,
      { type: option.value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return { values, positionals };
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ');
    throw wrongUsage(`${sentence!.replace(/\.$/, '')}. "${verb.name} --help" lists the options.`);
  }
}

/** `--data DIR` may also stand before the verb. */
function dataLast(argv: readonly string[]): string[] {
  if (argv[0] === '--data' && argv.length > 2) return [...argv.slice(2), ...argv.slice(0, 2)];
  if (argv[0]?.startsWith('--data=')) return [...argv.slice(1), argv[0]];
  return [...argv];
}
