import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { quantile } from '../support/report.ts';
import type { Prepared } from './requests.ts';

export interface LoadResult {
  /** Requests answered a second. */
  rate: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/**
 * Sends requests over `connections` kept-alive connections and waits for every answer; anything but 204 is an error.
 * Without `rate` each connection sends its next request when the last one is answered. With it, requests arrive at that
 * many a second whatever the answers do, and wait where all connections are busy; that wait counts.
 */
export async function load(
  port: number,
  requests: readonly Prepared[],
  options: { connections: number; rate?: number },
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: options.connections }, () => open(port)));
  const latencies: number[] = [];
  const begin = performance.now();
  const due = (index: number): number => (options.rate ? begin + (1000 * index) / options.rate : begin);
  let next = 0;
  const worker = async (socket: Socket): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++) {
      const wait = due(index) - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      // A timer that came late is ours, not the server's; a connection that was busy is the server's.
      const sent = performance.now();
      await exchange(socket, requests[index]!.bytes);
      latencies.push(performance.now() - (wait > 0 || !options.rate ? sent : due(index)));
    }
  };
  await Promise.all(sockets.map(worker));
  const seconds = (performance.now() - begin) / 1000;
  for (const socket of sockets) socket.destroy();
  return { rate: requests.length / seconds, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

function exchange(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const onData = (chunk: Buffer): void => {
      answer += chunk.toString('latin1');
      if (!answer.includes('\r\n\r\n')) return;
      done();
      if (answer.startsWith('HTTP/1.1 204')) resolve();
      else reject(new Error(`The API answered: ${answer.slice(0, 400)}`));
    };
    const onEnd = (): void => {
      done();
      reject(new Error('The API closed a connection.'));
    };
    const done = (): void => {
      socket.off('data', onData);
      socket.off('close', onEnd);
    };
    socket.on('data', onData);
    socket.on('close', onEnd);
    socket.write(bytes);
  });
}
