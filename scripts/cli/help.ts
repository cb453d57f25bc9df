import type { Output } from './output.ts';
import type { Verb, VerbOption } from './verb.ts';

/** Options of every verb. */
export const COMMON: Readonly<Record<string, VerbOption>> = {
  data: { value: 'DIR', help: 'the data folder of the running stack (default .relance)' },
  help: { help: 'what the verb does and takes' },
};

const CALL = 'npm run relance --';

export function printVerbs(output: Output, verbs: readonly Verb[]): void {
  output.line(`${CALL} VERB …`);
  output.line();
  const width = Math.max(...verbs.map((verb) => usage(verb).length));
  for (const verb of verbs) output.line(`  ${usage(verb).padEnd(width)}  ${verb.summary}`);
  output.line();
  output.line('The stack is found by --data DIR (default .relance), or by RELANCE_URL and RELANCE_API_KEY.');
  output.line(`More about a verb: ${CALL} VERB --help`);
}

export function printVerb(output: Output, verb: Verb): void {
  output.line(`${CALL} ${usage(verb)}`);
  output.line();
  output.line(verb.summary);
  if (verb.about !== undefined) output.line(verb.about);
  output.line();
  const options = Object.entries({ ...verb.options, ...COMMON });
  const width = Math.max(...options.map(([name, option]) => flag(name, option).length));
  for (const [name, option] of options) output.line(`  ${flag(name, option).padEnd(width)}  ${option.help}`);
}

const usage = (verb: Verb): string => `${verb.name} ${verb.takes}`.trim();
const flag = (name: string, option: VerbOption): string =>
  `--${name}${option.value === undefined ? '' : ` ${option.value}`}`;
