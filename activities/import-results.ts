import type { LineResult } from '../db/repositories/imports.ts';
import { DomainError, type Fault } from '../domain/errors.ts';

/** What several things wrong with one row come to: the first one's code and place, the words of all. */
export function rejectedByFaults(line: number, number: string | null, faults: readonly Fault[]): LineResult {
  const [first] = faults;
  return {
    line,
    number,
    status: 'rejected',
    code: first?.code ?? 'rowInvalid',
    pointer: first?.pointer || null,
    message: faults.map(({ message }) => message).join('; '),
  };
}

/** A row that a rule refused. Where content differs from what is stored, the message names the fields. */
export function rejectedByRule(line: number, number: string | null, error: DomainError): LineResult {
  const places = error.faults.map(({ pointer }) => (pointer === '/customerId' ? '/customer' : pointer));
  const differs = places.length > 0 && error.code.endsWith('Exists');
  return {
    line,
    number,
    status: 'rejected',
    code: error.code,
    pointer: places[0] || null,
    message: differs
      ? `${error.message} Different: ${places.map((place) => place.slice(1)).join(', ')}.`
      : error.message,
  };
}

/** A row that passed every check and that the database still refused. */
export function rejectedByStore(line: number): LineResult {
  return {
    line,
    number: null,
    status: 'rejected',
    code: 'rowUnstorable',
    message: 'A value of this row cannot be stored.',
  };
}

/** A file of which nothing, or no more, can be read: line 0. */
export function rejectedFile(error: unknown): LineResult {
  const known = error instanceof DomainError;
  return {
    line: 0,
    number: null,
    status: 'rejected',
    code: known ? error.code : 'fileUnreadable',
    pointer: null,
    message: known ? error.message : 'The file cannot be read; its content is beyond what the reader understands.',
  };
}
