import { ApiError } from './errors.ts';
import type { Tag } from './store.ts';

/** A send request that passed the checks Resend publishes. */
export interface SendRequest {
  from: string;
  to: string[];
  cc: string[];
  bcc: string[];
  replyTo: string[];
  subject: string;
  html: string | null;
  text: string | null;
  tags: Tag[];
  headers: Record<string, string>;
  scheduledAt: number | null;
  attachments: { filename: string; contentType: string; contentId: string | null; content: Buffer }[];
}

const MAX_RECIPIENTS = 50;
const MAX_TAGS = 75;
const MAX_BATCH = 100;
/** All attachments of a mail together, after base64. */
const MAX_ATTACHMENTS_BASE64 = 40 * 1024 * 1024;
const ADDRESS = /^[\x21-\x7e]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i;
const ADDRESS_FORMAT =
  'The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.';

const invalid = (message: string): ApiError => new ApiError(422, 'validation_error', message);

/** The bare address of `Name <address>` or `address`; null when it is neither. */
export function addressOf(mailbox: string): string | null {
  const named = /^[^<>\r\n]*<([^<>\s]+)>$/.exec(mailbox.trim());
  const address = named ? named[1]! : mailbox.trim();
  return ADDRESS.test(address) && address.split('@').length === 2 ? address : null;
}

/** Checks the body of POST /emails; throws an `ApiError` that names the field. `now` in epoch ms bounds `scheduled_at`. */
export function readSendRequest(body: unknown, now: number): SendRequest {
  if (!isRecord(body)) throw invalid('The request body must be a JSON object.');
  for (const field of ['from', 'to', 'subject'] as const) {
    const value = body[field];
    if (value === undefined || value === null || value === '') {
      throw new ApiError(422, 'missing_required_field', `Missing \`${field}\` field.`);
    }
  }
  if (body['template'] !== undefined) throw invalid('The local mail server keeps no templates: send `html` or `text`.');
  const html = optionalText(body, 'html');
  const text = optionalText(body, 'text');
  if (html === null && text === null) {
    throw new ApiError(422, 'missing_required_field', 'Missing `html` or `text` field.');
  }
  const from = body['from'];
  if (typeof from !== 'string' || addressOf(from) === null) {
    throw new ApiError(422, 'invalid_from_address', `Invalid \`from\` field. ${ADDRESS_FORMAT}`);
  }
  const subject = optionalText(body, 'subject') ?? '';
  const to = mailboxes(body, 'to');
  if (to.length === 0) throw new ApiError(422, 'missing_required_field', 'Missing `to` field.');
  return {
    from,
    to,
    cc: mailboxes(body, 'cc'),
    bcc: mailboxes(body, 'bcc'),
    replyTo: mailboxes(body, 'reply_to'),
    subject: subject.replace(/[\r\n]+/g, ' '),
    html,
    text,
    tags: tagsOf(body['tags']),
    headers: headersOf(body['headers']),
    scheduledAt: scheduledAtOf(body['scheduled_at'], now),
    attachments: attachmentsOf(body['attachments']),
  };
}

/** Checks the body of POST /emails/batch: up to 100 mails, no attachments, no scheduling. */
export function readBatchRequest(body: unknown, now: number): SendRequest[] {
  if (!Array.isArray(body) || body.length === 0) throw invalid('The request body must be an array of emails.');
  if (body.length > MAX_BATCH) throw invalid(`A batch can hold at most ${MAX_BATCH} emails.`);
  return body.map((one: unknown, index) => {
    if (isRecord(one) && one['attachments'] !== undefined) {
      throw invalid(`The \`attachments\` field is not supported in batch emails (email ${index}).`);
    }
    if (isRecord(one) && one['scheduled_at'] !== undefined) {
      throw invalid(`The \`scheduled_at\` field is not supported in batch emails (email ${index}).`);
    }
    return readSendRequest(one, now);
  });
}

/** Epoch ms of an ISO 8601 instant in the future, at most 30 days ahead; null when there is none. */
export function scheduledAtOf(value: unknown, now: number): number | null {
  if (value === undefined || value === null) return null;
  const at = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw invalid('The `scheduled_at` field must be a date in ISO 8601 format.');
  if (at > now + 30 * 86_400_000) throw invalid('The `scheduled_at` field can be at most 30 days in the future.');
  return Math.max(at, now);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionalText(body: Record<string, unknown>, field: string): string | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw invalid(`The \`${field}\` field must be a \`string\`.`);
  return value;
}

function mailboxes(body: Record<string, unknown>, field: string): string[] {
  const value = body[field];
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MAX_RECIPIENTS)
    throw invalid(`The \`${field}\` field can hold at most ${MAX_RECIPIENTS} addresses.`);
  return list.map((one) => {
    if (typeof one !== 'string' || addressOf(one) === null) {
      throw invalid(`Invalid \`${field}\` field. ${ADDRESS_FORMAT}`);
    }
    return one;
  });
}

function tagsOf(value: unknown): Tag[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid('The `tags` field must be an array.');
  if (value.length > MAX_TAGS) throw invalid(`The \`tags\` field can hold at most ${MAX_TAGS} tags.`);
  return value.map((tag: unknown) => {
    const name = isRecord(tag) ? tag['name'] : undefined;
    const text = isRecord(tag) ? tag['value'] : undefined;
    for (const part of [name, text]) {
      if (typeof part !== 'string' || !/^[A-Za-z0-9_-]+$/.test(part)) {
        throw invalid('Tags should only contain ASCII letters, numbers, underscores, or dashes.');
      }
      if (part.length > 256) throw invalid('Tags can hold at most 256 characters.');
    }
    return { name: name as string, value: text as string };
  });
}

function headersOf(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw invalid('The `headers` field must be an object.');
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name) || typeof text !== 'string' || /[\r\n]/.test(text)) {
      throw invalid('The `headers` field must hold header names and single-line values.');
    }
    headers[name] = text;
  }
  return headers;
}

function attachmentsOf(value: unknown): SendRequest['attachments'] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid('The `attachments` field must be an array.');
  let total = 0;
  return value.map((one: unknown) => {
    const attachment = isRecord(one) ? one : {};
    const content = contentOf(attachment['content']);
    if (content === null) {
      const hint = attachment['path'] === undefined ? '' : ' The local mail server does not fetch a `path`.';
      throw new ApiError(422, 'invalid_attachment', `Attachment must have either a \`content\` or \`path\`.${hint}`);
    }
    total += Math.ceil(content.length / 3) * 4;
    if (total > MAX_ATTACHMENTS_BASE64) {
      throw new ApiError(
        422,
        'invalid_attachment',
        'Attachments can be at most 40MB per email, after Base64 encoding.',
      );
    }
    const filename = attachment['filename'];
    if (typeof filename !== 'string' || filename === '' || /[\r\n]/.test(filename)) {
      throw new ApiError(422, 'invalid_attachment', 'Attachment must have a `filename`.');
    }
    const type = attachment['content_type'];
    const contentId = attachment['content_id'];
    return {
      filename,
      contentType: typeof type === 'string' && /^[\w.+-]+\/[\w.+-]+/.test(type) ? type : typeByName(filename),
      contentId: typeof contentId === 'string' ? contentId : null,
      content,
    };
  });
}

/** Base64 text, or a Buffer as older clients serialise it. */
function contentOf(value: unknown): Buffer | null {
  if (typeof value === 'string' && value !== '') {
    if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(value)) {
      throw new ApiError(422, 'invalid_attachment', 'Attachment `content` must be Base64.');
    }
    return Buffer.from(value, 'base64');
  }
  if (isRecord(value) && Array.isArray(value['data'])) return Buffer.from(value['data'] as number[]);
  return null;
}

function typeByName(filename: string): string {
  const known: Record<string, string> = {
    pdf: 'application/pdf',
    xml: 'application/xml',
    csv: 'text/csv',
    txt: 'text/plain',
    png: 'image/png',
    jpg: 'image/jpeg',
  };
  return known[filename.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}
