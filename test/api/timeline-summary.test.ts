import { describe, expect, test } from 'vitest';
import { summaryOf } from '../../api/timeline-summary.ts';

const say = (kind: string, data: Record<string, unknown>): string => summaryOf({ kind, data, text: null });

describe('the sentence of an event', () => {
  test('says the whole where no amount was named', () => {
    const whole = { amount: null, currency: 'EUR', payOn: '2026-12-01', category: 'price' };
    expect(say('promised', whole)).toBe('Promised the whole for 2026-12-01');
    expect(say('promised', { ...whole, amount: '40.00' })).toBe('Promised 40.00 EUR for 2026-12-01');
    expect(say('disputed', whole)).toBe('Disputed the whole (price)');
  });

  test('names a thank-you note as one, and a step by its key', () => {
    expect(say('contactQueued', { step: '~thankYou' })).toBe('A thank-you note was queued');
    expect(say('contactSent', { step: '~thankYou' })).toBe('The thank-you note was sent');
    expect(say('contactSent', { step: 'reminder-1' })).toBe('The message of step reminder-1 was sent');
    expect(say('contactQueued', { step: 'reminder-1' })).toBe('A message was queued for step reminder-1');
  });
});
