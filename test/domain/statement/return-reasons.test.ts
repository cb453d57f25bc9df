import { expect, test } from 'vitest';
import { returnReasonLabel } from '../../../domain/statement/return-reasons.ts';

test('the return reasons that banks mostly give are told in words, others as they are', () => {
  const codes = 'AC01 AC04 AC06 AM04 MD01 MD06 MD07 MS02 MS03 RC01 RR01 RR02 RR03 RR04 FOCR'.split(' ');
  const labels = codes.map(returnReasonLabel);
  expect(labels.filter((label) => /[a-z]/.test(label))).toHaveLength(codes.length);
  expect(new Set(labels).size).toBe(codes.length);
  for (const code of ['XX99', '12', 'constructor']) expect(returnReasonLabel(code)).toBe(code);
});
