/**
 * What the stack refuses or cannot do, as one sentence with its remedy. Callers print `message` alone:
 * a reader who has no disk space left is not helped by a stack trace.
 */
export class StackError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StackError';
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space or choose another folder with --data DIR',
  EDQUOT: 'the disk quota is used up; free some space or choose another folder with --data DIR',
  EACCES: 'permission is missing; give this user the right to write there or choose another folder with --data DIR',
  EPERM: 'permission is missing; give this user the right to write there or choose another folder with --data DIR',
  EROFS: 'the file system is read-only; choose another folder with --data DIR',
  ENOTDIR: 'a file stands where a folder is needed; move it or choose another folder with --data DIR',
  EEXIST: 'a file stands where a folder is needed; move it or choose another folder with --data DIR',
  ENAMETOOLONG: 'the path is too long; choose a shorter one with --data DIR',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
};

/** The `code` of a system error (`ENOENT`, ...), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything thrown, on one line. */
export function errorText(error: unknown): string {
  // A refused connection to several addresses is an AggregateError whose own message is empty.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join('; ');
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/**
 * Turns a system error met at `path` into a StackError with its remedy; anything without a known remedy,
 * and a StackError itself, comes back as it is.
 */
export function explained(error: unknown, path: string): unknown {
  const code = errorCode(error);
  const remedy = code === undefined ? undefined : remedies[code];
  if (error instanceof StackError || remedy === undefined) return error;
  return new StackError(`Cannot use ${path}: ${remedy}.`, { cause: error });
}

/** Runs `work` and explains what it throws. See {@link explained}. */
export function explaining<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explained(error, path);
  }
}
