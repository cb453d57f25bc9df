import type { AgencyMessage } from '../../db/repositories/agency-messages.ts';

/** What an agency is told, in the words of the API: the types of its webhooks. */
export type NoticeType = 'claim.placed' | 'claim.fileUpdated' | 'claim.balanceChanged' | 'claim.recalled';

export function noticeTypeOf({ kind, data }: Pick<AgencyMessage, 'kind' | 'data'>): NoticeType {
  switch (kind) {
    case 'handover':
      return data['again'] === true ? 'claim.fileUpdated' : 'claim.placed';
    case 'balance':
      return 'claim.balanceChanged';
    case 'recall':
      return 'claim.recalled';
  }
}

/**
 * The id under which an agency gets a message, however often it is sent: id of the webhook, idempotency key of the mail.
 * The placement's makes it unique where several services share an account of the mail provider.
 */
export const noticeIdOf = ({ id, placementId }: Pick<AgencyMessage, 'id' | 'placementId'>): string =>
  `${placementId}_${id}`;

/** A message could not be handed over this time; Temporal tries again. `code` says why, in words of a program. */
export class AgencyNotReached extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`An agency could not be told (${code}).`);
    this.name = 'AgencyNotReached';
    this.code = code;
  }
}

/** What became of handing a message over. */
export type Handing = { kind: 'told' } | { kind: 'again'; code: string } | { kind: 'refused'; code: string };
