import { randomBytes } from 'node:crypto';

export type IdPrefix =
  | 'cre'
  | 'cus'
  | 'inv'
  | 'pro'
  | 'dis'
  | 'pla'
  | 'rec'
  | 'all'
  | 'cst'
  | 'cno'
  | 'tsk'
  | 'con'
  | 'evt'
  | 'fee'
  | 'hol'
  | 'imp'
  | 'agy'
  | 'key'
  | 'doc'
  | 'cmd'
  | 'pol'
  | 'ret'
  | 'plc'
  | 'rep'
  | 'rem'
  | 'ins'
  | 'inb'
  | 'prb'
  | 'rol'
  | 'blk'
  | 'lim'
  | 'lif'
  | 'exp'
  | 'sta'
  | 'btx'
  | 'adv';

/** Crockford's base 32 in lower case: no i, l, o, u; sorts as its numbers do. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A new id: prefix, `_`, and 26 characters, 10 for the real time in milliseconds (48 bits) and 16 random (80 bits). Ids
 * made later sort later, to the millisecond, which keeps the indexes on them compact; nothing relies on the order.
 */
export function newId(prefix: IdPrefix, realNow: number = Date.now()): string {
  return `${prefix}_${digits(BigInt(realNow), 10)}${digits(BigInt(`0x${randomBytes(10).toString('hex')}`), 16)}`;
}

function digits(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n) text = DIGITS[Number(rest & 31n)] + text;
  return text;
}
