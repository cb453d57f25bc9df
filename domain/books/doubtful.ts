import { DomainError } from '../errors.ts';
import { proportion, share } from '../money.ts';

/**
 * The allowance on a doubtful claim: a share of what is open, without VAT, which the tax office bears (CGI 39-1-5°). `percent` is a decimal above 0 and up to 100. Throws `allowanceInvalid`.
 */
export function allowanceOf(
  claim: { balanceMinor: bigint; grossMinor: bigint; vatMinor: bigint },
  percent: string,
): bigint {
  const parts = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(percent);
  const hundredths = parts === null ? 0n : BigInt(parts[1]! + (parts[2] ?? '').padEnd(2, '0'));
  if (hundredths === 0n || hundredths > 10_000n) {
    const message = 'An allowance is more than 0 and at most 100 per cent, with at most two decimals.';
    throw new DomainError('allowanceInvalid', message, [{ pointer: '/percent', code: 'allowanceInvalid', message }]);
  }
  const { balanceMinor, grossMinor, vatMinor } = claim;
  const netMinor = balanceMinor - proportion(vatMinor, balanceMinor, grossMinor);
  const allowance = share(netMinor, `${hundredths / 10_000n}.${String(hundredths % 10_000n).padStart(4, '0')}`);
  // Of a cent there is no smaller part: an allowance is at least that.
  return allowance === 0n ? 1n : allowance;
}
