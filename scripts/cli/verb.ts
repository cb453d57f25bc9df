import type { Api } from './api.ts';
import type { Output } from './output.ts';

export interface VerbOption {
  /** Without it the option is a switch. */
  value?: string;
  help: string;
}

export interface Call {
  api: Api;
  output: Output;
  /** Options that were given, by name. */
  given: Readonly<Record<string, string | boolean | undefined>>;
  words: readonly string[];
  /** The folder that relative names of files are meant from. */
  folder: string;
}

/** One thing the operator's command line can do; each in a file of its own under `verbs/`. */
export interface Verb {
  /** One or two words. */
  name: string;
  /** Arguments behind the name. */
  takes: string;
  summary: string;
  /** More, for `--help` of the verb. */
  about?: string;
  options: Readonly<Record<string, VerbOption>>;
  /** How many words besides options it takes. */
  words: { least: number; most: number };
  /** Returns the exit code. Throws `CliError`. */
  run(call: Call): Promise<number>;
}

/** An option's text; undefined where it was not given. */
export function text(call: Pick<Call, 'given'>, name: string): string | undefined {
  const value = call.given[name];
  return typeof value === 'string' ? value : undefined;
}
