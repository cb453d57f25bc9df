import type { Client } from '@temporalio/client';
import { papers } from '../activities/agency/papers.ts';
import type { ActivityDeps } from '../activities/create-activities.ts';
import type { FeedDeps } from '../activities/deps.ts';
import { holidaysOf } from '../activities/holidays.ts';
import type { Mailer } from '../activities/mail/resend-client.ts';
import { agencySecretPurpose, credentialsPurpose, unseal } from '../api/secrets.ts';
import { commandExecutor } from './command-executor.ts';
import { holidaySets } from './holiday-sets.ts';

/** What differs between the worker as it is deployed and the one that runs within a test. */
export interface WorkerParts extends Pick<ActivityDeps, 'db' | 'clock' | 'log'> {
  client: Client;
  mailer: Mailer;
  /** Where providers of payments are asked, and after what pause again. */
  feeds: Omit<FeedDeps, 'openCredentials'>;
  /** The 32 bytes that secrets of agencies and credentials of feeds are sealed under. */
  secretKey: Buffer;
  /** Real milliseconds after which an agency that cannot be told becomes a task; the usual ones when left out. */
  agencyPatienceMs?: number | undefined;
}

/** Builds what activities need. */
export function activityDeps({
  db,
  clock,
  log,
  client,
  mailer,
  feeds,
  secretKey,
  agencyPatienceMs,
}: WorkerParts): ActivityDeps {
  return {
    db,
    clock,
    log,
    holidays: holidaysOf,
    holidaySet: holidaySets(clock),
    commands: commandExecutor(client),
    agencies: {
      mailer,
      openSecret: (sealed, agencyId) => unseal(sealed, agencySecretPurpose(agencyId), secretKey),
      papers,
      ...(agencyPatienceMs === undefined ? {} : { patienceMs: agencyPatienceMs }),
    },
    feeds: {
      ...feeds,
      openCredentials: (sealed, feedId) => unseal(sealed, credentialsPurpose(feedId), secretKey),
    },
  };
}
