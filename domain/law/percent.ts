import { DomainError } from '../errors.ts';

/** A rate of per cent a year as an integer number of millionths of a per cent: exact for all that laws and contracts say. */
export type Percent = bigint;

const SCALE = 6;
const TEXT = /^(-?)(\d{1,3})(?:\.(\d{1,6}))?$/;

/** Reads a decimal such as `"13.15"` or `"-0.88"`; at most six decimals. Throws `percentInvalid`. */
export function parsePercent(text: string): Percent {
  const parts = TEXT.exec(text);
  if (!parts) throw new DomainError('percentInvalid', 'A rate is a decimal number of per cent a year, like "12.15".');
  const magnitude = BigInt(parts[2]! + (parts[3] ?? '').padEnd(SCALE, '0'));
  return parts[1] === '-' ? -magnitude : magnitude;
}

/** The decimal text with at least two decimals: `"12.15"`, `"-0.88"`. */
export function formatPercent(percent: Percent): string {
  const digits = (percent < 0n ? -percent : percent).toString().padStart(SCALE + 1, '0');
  const decimals = digits.slice(-SCALE).replace(/0{1,4}$/, '');
  return `${percent < 0n ? '-' : ''}${digits.slice(0, -SCALE)}.${decimals}`;
}

/** The smallest multiple of `step` that is not below `percent` (Belgium rounds up to the next half point). */
export function roundUpTo(percent: Percent, step: Percent): Percent {
  const over = ((percent % step) + step) % step;
  return over === 0n ? percent : percent - over + step;
}
