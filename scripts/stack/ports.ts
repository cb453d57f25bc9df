import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { readRecord, writeAtomically } from './files.ts';

/** Below the ranges from which Linux (32768) and macOS (49152) take the ports of outgoing connections, so that a server that is down for a moment finds its port again. */
const firstPort = 20_000;
const lastPort = 32_000;

/** Whether a server could listen on this TCP port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether a server listens on this TCP port of 127.0.0.1. Asked while one starts: trying to bind would take the port from it. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (listening: boolean) => () => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
    socket.setTimeout(1_000, answer(false));
  });
}

/** A free TCP port of 127.0.0.1: `preferred` when it is free, else one chosen at random. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(firstPort, lastPort);
    if (await isPortFree(port)) return port;
  }
  throw new StackError(
    `No free port between ${firstPort} and ${lastPort} on 127.0.0.1; stop some of the servers that listen there.`,
  );
}

/** The port that the data folder remembers under `name`, or undefined. */
export function rememberedPort(dataDir: string, name: string): number | undefined {
  const port = readRecord(portsFile(dataDir))?.[name];
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/**
 * The port of the server `name` of a data folder: the one it had before when that is still free, else a free one, remembered from now on.
 * Bookmarks and open consoles keep working from one start to the next.
 */
export async function choosePort(dataDir: string, name: string): Promise<number> {
  const port = await freePort(rememberedPort(dataDir, name));
  writeAtomically(
    portsFile(dataDir),
    `${JSON.stringify({ ...readRecord(portsFile(dataDir)), [name]: port }, null, 2)}\n`,
  );
  return port;
}

function portsFile(dataDir: string): string {
  return join(dataDir, 'ports.json');
}
