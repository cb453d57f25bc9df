import { StackError } from '../stack/errors.ts';
import { freePort, isPortFree } from '../stack/ports.ts';

const FIRST = 3_000;
const TRIED = 100;

/**
 * The port of the API: the one asked for, else 3000 or the next free one.
 * @throws StackError when the one asked for is taken
 */
export async function apiPort(wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) {
    if (await isPortFree(wanted)) return wanted;
    throw new StackError(
      `Port ${wanted} cannot be used, another program may have it: end that program, choose another port, or leave --port out to get a free one.`,
    );
  }
  for (let port = FIRST; port < FIRST + TRIED; port += 1) if (await isPortFree(port)) return port;
  return freePort();
}
