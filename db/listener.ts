import pg from 'pg';

const RECONNECT_MS = 500;

/**
 * Hears NOTIFY on the given channels until closed, connecting again whenever the connection breaks. What was notified
 * meanwhile is not repeated: listeners ring all their bells after each (re)connection.
 */
export function createListener(
  url: string,
  channels: readonly string[],
  heard: (channel: string) => void,
  interrupted: (error: Error) => void,
): { close(): Promise<void> } {
  let closed = false;
  let client: pg.Client | null = null;
  let again: NodeJS.Timeout | null = null;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({ connectionString: url, application_name: 'relance-listener', keepAlive: true });
    let lost = false;
    const lose = (error: Error): void => {
      if (lost || closed) return;
      lost = true;
      interrupted(error);
      void closeQuietly(next);
      again = setTimeout(() => void connect(), RECONNECT_MS);
    };
    next.on('error', lose);
    next.on('end', () => lose(new Error('the connection ended')));
    next.on('notification', (message) => heard(message.channel));
    try {
      await next.connect();
      for (const channel of channels) await next.query(`listen ${pg.escapeIdentifier(channel)}`);
      client = next;
      for (const channel of channels) heard(channel);
    } catch (error) {
      lose(error instanceof Error ? error : new Error('listening failed'));
    }
  };
  void connect();

  return {
    async close() {
      closed = true;
      if (again) clearTimeout(again);
      await client?.end().catch(() => undefined);
    },
  };
}

/** A connection that broke may refuse even to be closed. */
async function closeQuietly(client: pg.Client): Promise<void> {
  try {
    await client.end();
  } catch {
    // It is gone, which is what was wanted.
  }
}
