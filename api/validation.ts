import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { DomainError, type Fault } from '../domain/errors.ts';
import { parseAmount } from '../domain/money.ts';
import { Problem, notFound } from './problem.ts';

/** Validates every part of a request with zod and refuses it with all faults of that part at once. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    // A body that is absent is judged as an empty object, so that what is required is named.
    const result = schema.safeParse(httpPart === 'body' && (data === undefined || data === null) ? {} : data);
    if (result.success) return { value: result.data };
    // An id that cannot be one is an id of nothing.
    if (httpPart === 'params') return { error: notFound() };
    const faults = faultsOf(result.error.issues);
    if (httpPart === 'querystring' && faults.length === 1 && faults[0]?.pointer === '/cursor') {
      return { error: new Problem('cursorInvalid', 'Use the nextCursor of this very list.', { faults }) };
    }
    return { error: new Problem('validationFailed', sentence(faults), { faults }) };
  };

/** One fault an issue; unknown fields one each. Where a value fits no branch of a union, the issues of the nearest one. */
export function faultsOf(issues: readonly z.core.$ZodIssue[], base: readonly PropertyKey[] = []): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    const path = [...base, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        pointer: pointer([...path, key]),
        code: 'unknownField',
        message: 'There is no such field.',
      }));
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
      if (nearest && nearest.length > 0) return faultsOf(nearest, path);
    }
    return [{ pointer: pointer(path), code: codeOf(issue), message: issue.message }];
  });
}

/** How far into the value the issues of a branch reach: the branch that was meant is the one that got furthest. */
const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));

/** RFC 6901. */
export const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** A `DomainError` that points at the field it is about. */
export function faultAt(at: string, error: unknown): never {
  if (!(error instanceof DomainError)) throw error;
  throw new DomainError(error.code, error.message, [{ pointer: at, code: error.code, message: error.message }]);
}

/** Runs a rule and, where it refuses, points at the field. */
export function at<T>(pointerText: string, rule: () => T): T {
  try {
    return rule();
  } catch (error) {
    faultAt(pointerText, error);
  }
}

/** Minor units of an amount text whose currency stands elsewhere; what is wrong with it points at its field. */
export function positiveAmount(pointerText: string, text: string, currency: string): bigint {
  return at(pointerText, () => {
    const minor = parseAmount(text, currency);
    if (minor === 0n) throw new DomainError('amountInvalid', 'The amount must be more than zero.');
    return minor;
  });
}

/** Runs a rule that points into a part of the body as if it were the whole, and moves its pointers to that part. */
export async function within<T>(pointerText: string, rule: () => Promise<T>): Promise<T> {
  try {
    return await rule();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const faults = error.faults.map((fault) => ({ ...fault, pointer: `${pointerText}${fault.pointer}` }));
    throw new DomainError(error.code, error.message, faults);
  }
}

function codeOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.includes('received undefined') ? 'required' : 'wrongType';
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array' ? 'tooShort' : 'tooSmall';
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array' ? 'tooLong' : 'tooLarge';
    case 'invalid_value':
    // What tells the branches of a union apart is none of theirs.
    case 'invalid_union':
      return 'notAllowed';
    case 'invalid_format':
      return 'invalidFormat';
    case 'custom': {
      const code: unknown = issue.params?.code;
      return typeof code === 'string' ? code : 'invalid';
    }
    default:
      return 'invalid';
  }
}

function sentence(faults: readonly Fault[]): string {
  const [first] = faults;
  if (!first) return 'The request is not valid.';
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return `${first.pointer || 'The body'}: ${first.message}${more}`;
}
