import type { ActivityDeps } from '../../activities/create-activities.ts';

const nowhere = 'http://127.0.0.1:9';

/** Providers of payments for tests that ask none. */
export const NO_PROVIDERS: ActivityDeps['feeds'] = {
  openCredentials: (sealed) => sealed,
  urls: { bridge: nowhere, gocardless: nowhere, gocardlessSandbox: nowhere },
};
