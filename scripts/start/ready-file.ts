import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../stack/files.ts';

/** Where everything answers and with which keys: the whole of `DIR/ready.json`. */
export interface Ready {
  readonly apiUrl: string;
  readonly docsUrl: string;
  /** Null where Temporal is not ours and TEMPORAL_UI_URL does not say. */
  readonly temporalUiUrl: string | null;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly databaseUrl: string;
  readonly mailUrl: string;
  readonly adminKey: string;
  readonly creditorId: string;
  readonly apiKey: string;
  /** The process that stops everything when it is asked to end. */
  readonly pid: number;
  /** ISO 8601, the real clock. */
  readonly startedAt: string;
}

/** Says that everything answers; appears whole or not at all, mode 0600. */
export function writeReady(dataDir: string, ready: Ready): void {
  writeAtomically(join(dataDir, 'ready.json'), `${JSON.stringify(ready, null, 2)}\n`);
}

/** Takes it back, at start and at stop. */
export function removeReady(dataDir: string): void {
  rmSync(join(dataDir, 'ready.json'), { force: true });
}
