import { createListener } from '../db/listener.ts';
import type { Relay } from './relays/loop.ts';
import type { Logger } from 'pino';

/** Rings the relays when something is committed for them; they look by themselves anyway, only later. */
export function ringRelays(
  url: string,
  bells: Readonly<Record<string, Relay>>,
  log: Logger,
): { close(): Promise<void> } {
  return createListener(
    url,
    Object.keys(bells),
    (channel) => bells[channel]?.ring(),
    (error) => log.warn({ err: error }, 'listening to PostgreSQL was interrupted; it begins again'),
  );
}
