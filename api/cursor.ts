import { Problem } from './problem.ts';

/**
 * Cursors are opaque to clients: the list's name and the position behind which the next page starts. Pages are cut by a
 * number that only grows (`seq`), so rows added meanwhile neither push a row onto the next page nor hide one.
 */
export function encodeCursor(list: string, position: bigint | number): string {
  return Buffer.from(`${list}:${position}`, 'utf8').toString('base64url');
}

/** The position of a cursor of this list; `null` without one. Throws `Problem` `cursorInvalid`. */
export function decodeCursor(list: string, cursor: string | undefined): bigint | null {
  if (cursor === undefined) return null;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const digits = text.startsWith(`${list}:`) ? text.slice(list.length + 1) : '';
  if (!/^\d{1,18}$/.test(digits) || encodeCursor(list, BigInt(digits)) !== cursor) {
    throw wrongCursor();
  }
  return BigInt(digits);
}

const wrongCursor = (): Problem =>
  new Problem('cursorInvalid', 'Use the nextCursor of this very list.', {
    faults: [{ pointer: '/cursor', code: 'cursorInvalid', message: 'is not a cursor of this list' }],
  });

export interface PageQuery {
  limit: number;
  cursor?: string | undefined;
}

/**
 * Reads one page: asks for one row more than wanted, which tells whether another page follows. `read` gets the position
 * to start behind and the number of rows.
 */
export async function readPage<Row, Item>(
  list: string,
  query: PageQuery,
  read: (after: bigint | null, count: number) => Promise<Row[]>,
  positionOf: (row: Row) => bigint | number,
  present: (rows: Row[]) => Item[] | Promise<Item[]>,
): Promise<{ data: Item[]; nextCursor: string | null }> {
  const rows = await read(decodeCursor(list, query.cursor), query.limit + 1);
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > query.limit && last !== undefined ? encodeCursor(list, positionOf(last)) : null;
  return { data: await present(shown), nextCursor };
}

/** The same for a list that is ordered by name. */
export function encodeNameCursor(list: string, name: string): string {
  return Buffer.from(`${list}:${name}`, 'utf8').toString('base64url');
}

/** The name of such a cursor; `null` without one. Throws `Problem` `cursorInvalid`. */
export function decodeNameCursor(list: string, cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const name = text.startsWith(`${list}:`) ? text.slice(list.length + 1) : '';
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}$/.test(name) || encodeNameCursor(list, name) !== cursor) throw wrongCursor();
  return name;
}
