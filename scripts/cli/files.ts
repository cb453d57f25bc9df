/** A file on the disk that cannot be used, in words. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file.',
  EISDIR: 'it is a folder.',
  EACCES: 'this user may not use it.',
  EPERM: 'this user may not use it.',
  ENOSPC: 'the disk is full.',
  EROFS: 'the file system is read-only.',
  ENOTDIR: 'there is no such folder.',
};

export function fileProblem(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return FILE_PROBLEMS[code ?? ''] ?? `it cannot be used (${code ?? 'unknown'}).`;
}
