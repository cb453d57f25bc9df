import { DomainError } from '../domain/errors.ts';
import { errorText, StackError } from './stack/errors.ts';
import { stopOnSignals } from './stack/supervisor.ts';
import { HELP, readOptions, UsageError, type StartOptions } from './start/options.ts';
import { startStack, stopStack, type Running, type Stack } from './start/stack.ts';

/** `npm start`: the whole stack in one command. See HELP. */
async function main(options: StartOptions): Promise<number> {
  const log = (line: string): void => void process.stdout.write(`${line}\n`);
  const running: Running = { closing: [] };
  let stopping = false;
  stopOnSignals(() => {
    stopping = true;
    return stopStack(running);
  }, log);
  try {
    const stack = await startStack(options, { mode: options.empty ? 'empty' : 'demo', clock: {} }, running, log);
    whereToLook(stack, log);
    return await new Promise<never>(() => undefined);
  } catch (error) {
    // Whoever asked for the stop decides how the process ends.
    if (stopping) return await new Promise<never>(() => undefined);
    await stopStack(running).catch((second: unknown) => log(errorText(second)));
    throw error;
  }
}

function whereToLook({ ready }: Stack, log: (line: string) => void): void {
  log('');
  log(`API           ${ready.apiUrl}`);
  log(`its documents ${ready.docsUrl}`);
  if (ready.temporalUiUrl !== null) {
    log(`Temporal UI   ${ready.temporalUiUrl}/namespaces/${encodeURIComponent(ready.temporalNamespace)}/workflows`);
  }
  log(`mail inbox    ${ready.mailUrl}`);
  log('');
}

function tell(error: unknown): void {
  const isSentence = error instanceof StackError || error instanceof DomainError || error instanceof UsageError;
  process.stderr.write(
    `${isSentence ? error.message : `Something went wrong that should not: ${error instanceof Error ? error.stack : String(error)}`}\n`,
  );
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(`${HELP}\n`);
  else process.exit(await main(options));
} catch (error) {
  tell(error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
