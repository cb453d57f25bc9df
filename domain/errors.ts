/** One thing wrong with an input: where (RFC 6901 pointer into the body), a stable code, and a sentence. */
export interface Fault {
  pointer: string;
  code: string;
  message: string;
}

/**
 * A rule said no. `code` is stable and part of the API (see docs/errors.md); `api/problem.ts` maps it once to a
 * problem details answer. `faults` points at the fields where there are any.
 */
export class DomainError extends Error {
  readonly code: string;
  readonly faults: Fault[];

  constructor(code: string, message: string, faults: Fault[] = []) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
    this.faults = faults;
  }
}
