import { isUtf8 } from 'node:buffer';
import { Webhook } from 'standardwebhooks';
import { DomainError } from '../../domain/errors.ts';

export const DELIVERY_STATUSES = [
  'sent',
  'delivered',
  'bounced',
  'complained',
  'failed',
  'delayed',
  'suppressed',
  'other',
] as const;
/** `other` is anything that says nothing about delivery: opens, clicks, contacts, domains. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What the provider says happened to a mail. */
export interface DeliveryEvent {
  /** The id `send` was answered with; null when the event is about no mail. */
  providerId: string | null;
  /** The mail's tag `contact`, by which a mail is known whose acceptance was never heard of. */
  contactTag: string | null;
  /** The tag `message` of a mail to an agency; absent where the mail went to a customer. */
  agencyMessage?: string;
  status: DeliveryStatus;
  /** When it happened, epoch milliseconds. */
  at: number;
  /** Of a bounce: whether the address is dead or only busy; null otherwise. */
  bounce: 'permanent' | 'transient' | 'undetermined' | null;
}

/** Five minutes of real time, as Standard Webhooks has it. */
const TOLERANCE_SECONDS = 300;

const STATUS_OF_TYPE: Readonly<Record<string, DeliveryStatus>> = {
  'email.sent': 'sent',
  'email.delivered': 'delivered',
  'email.bounced': 'bounced',
  'email.complained': 'complained',
  'email.failed': 'failed',
  'email.delivery_delayed': 'delayed',
  'email.suppressed': 'suppressed',
};

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Checks a delivery webhook on its raw body and says what it means. `id` is its svix-id: the same event may come more
 * than once under it.
 * @param headers names in lower case, as Node gives them
 * @param secrets each `whsec_…`; two are good while one is being replaced
 * @throws DomainError `signatureStale` (older or newer than five minutes), `signatureInvalid` (anything else that does
 *   not prove the sender), `webhookUnreadable` (signed, but no event)
 */
export function verifyDelivery(
  rawBody: Buffer,
  headers: Headers,
  secrets: readonly string[],
): { id: string; event: DeliveryEvent } {
  // standardwebhooks reads only the names of the standard; Resend signs through Svix, which has its own.
  const renamed = {
    'webhook-id': single(headers['svix-id']),
    'webhook-timestamp': single(headers['svix-timestamp']),
    'webhook-signature': single(headers['svix-signature']),
  };
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = renamed;
  if (id === '' || !/^\d{1,12}$/.test(timestamp) || renamed['webhook-signature'] === '') {
    throw new DomainError('signatureInvalid', 'The webhook carries no readable signature.');
  }
  if (Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw new DomainError('signatureStale', 'The webhook was signed more than five minutes from now.');
  }
  // The library signs the body as text: bytes that are no UTF-8 would all look alike to it.
  const trusted = isUtf8(rawBody) && secrets.some((secret) => isSignedBy(secret, rawBody, renamed));
  if (!trusted) throw new DomainError('signatureInvalid', 'The signature of the webhook does not match its body.');
  return { id, event: readEvent(rawBody) };
}

function single(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isSignedBy(secret: string, rawBody: Buffer, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(rawBody, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

function readEvent(rawBody: Buffer): DeliveryEvent {
  let body: unknown;
  try {
    body = JSON.parse(rawBody.toString('utf8'));
  } catch {
    body = null;
  }
  const event = asRecord(body);
  const type = event?.['type'];
  const createdAt = event?.['created_at'];
  const at = Date.parse(typeof createdAt === 'string' ? createdAt : '');
  if (typeof type !== 'string' || Number.isNaN(at)) {
    throw new DomainError('webhookUnreadable', 'The webhook is signed but holds no event.');
  }
  const data = asRecord(event?.['data']);
  const providerId = data?.['email_id'];
  const agencyMessage = tagOf(data?.['tags'], 'kind') === 'agency' ? tagOf(data?.['tags'], 'message') : null;
  return {
    providerId: typeof providerId === 'string' && providerId !== '' ? providerId : null,
    contactTag: contactTagOf(data?.['tags']),
    ...(agencyMessage === null ? {} : { agencyMessage }),
    status: Object.hasOwn(STATUS_OF_TYPE, type) ? STATUS_OF_TYPE[type]! : 'other',
    at,
    bounce: type === 'email.bounced' ? bounceKind(asRecord(data?.['bounce'])?.['type']) : null,
  };
}

function contactTagOf(tags: unknown): string | null {
  const value = tagOf(tags, 'contact');
  return value !== null && /^con_[0-9a-z]{26}$/.test(value) ? value : null;
}

/** Tags come back as an object of names and values, or as the list they were sent as. */
function tagOf(tags: unknown, name: string): string | null {
  const value = Array.isArray(tags)
    ? asRecord(tags.find((tag) => asRecord(tag)?.['name'] === name))?.['value']
    : asRecord(tags)?.[name];
  return typeof value === 'string' ? value : null;
}

function bounceKind(type: unknown): NonNullable<DeliveryEvent['bounce']> {
  const kind = typeof type === 'string' ? type.toLowerCase() : '';
  return kind === 'permanent' || kind === 'transient' ? kind : 'undetermined';
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
