import type { Api } from './api.ts';

/** Instants as the creditor's clock shows them. */
export interface Moments {
  zone: string;
  /** `2026-03-02 10:00` of an ISO 8601 instant. */
  show(instant: string): string;
}

/** In the time zone of the creditor whose key it is. */
export async function creditorsMoments(api: Api): Promise<Moments> {
  const { timeZone } = await api.patiently<{ timeZone: string }>('/v1/creditor');
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return { zone: timeZone, show: (instant) => format.format(new Date(instant)) };
}
