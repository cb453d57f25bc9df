import type { z } from 'zod';
import { DomainError } from '../errors.ts';

/** The value of a JSON text in UTF-8; undefined where it is none. */
export function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** The same. Throws `notJson`. */
export function readJson(body: Uint8Array): unknown {
  const value = jsonOf(body);
  if (value === undefined) throw new DomainError('notJson', 'The message is not JSON in UTF-8.');
  return value;
}

/** What a value says in the shape that is expected of it. Throws `messageInvalid` with a fault for each field. */
export function readAs<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => ({
    pointer: issue.path.map((part) => `/${String(part)}`).join(''),
    code: 'messageInvalid',
    message: issue.message,
  }));
  throw new DomainError('messageInvalid', 'The message lacks a field, or one is not what it should be.', faults);
}

/** What names the kind of a message. Throws `unknownMessage` where nothing does. */
export function kindOf(value: unknown, field: string): string {
  const kind = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
  if (typeof kind === 'string' && kind !== '') return kind;
  throw new DomainError('unknownMessage', 'The message has a type that is not known here.');
}
