import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';

export interface TemporalSettings {
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  TEMPORAL_API_KEY?: string | undefined;
}

const optionsOf = (settings: TemporalSettings) => ({
  address: settings.TEMPORAL_ADDRESS,
  ...(settings.TEMPORAL_API_KEY ? { tls: true as const, apiKey: settings.TEMPORAL_API_KEY } : {}),
});

/** The client's connection; it connects when first used and again after a loss. */
export function connectClient(settings: TemporalSettings): { client: Client; close(): Promise<void> } {
  const connection = Connection.lazy(optionsOf(settings));
  const client = new Client({ connection, namespace: settings.TEMPORAL_NAMESPACE });
  return { client, close: () => connection.close() };
}

const RETRY_MS = 500;

/** The worker's connection; waits until Temporal answers. */
export async function connectWorker(
  settings: TemporalSettings,
  onWait: (error: unknown) => void,
): Promise<NativeConnection> {
  for (;;) {
    try {
      return await NativeConnection.connect(optionsOf(settings));
    } catch (error) {
      onWait(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
