import { describe, expect, test } from 'vitest';
import { parseAmount } from '../../domain/money.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { CUSTOMERS, dayOf, INVOICES, LAST_DAY, POLICIES } from '../../scripts/demo/book.ts';
import { numberOf, STORY } from '../../scripts/demo/story.ts';
import { list, money, shortDate, storyLine } from '../../scripts/demo/words.ts';

describe('the book of the demo', () => {
  test('holds forty invoices of twelve customers in three languages', () => {
    expect(INVOICES).toHaveLength(40);
    expect(Object.keys(CUSTOMERS)).toHaveLength(12);
    expect(new Set(Object.values(CUSTOMERS).map(({ locale }) => locale))).toEqual(new Set(['fr', 'de', 'en']));
    expect(new Set(INVOICES.map(({ number }) => number)).size).toBe(40);
    expect(new Set(INVOICES.map(({ customer }) => customer)).size).toBe(12);
    expect(LAST_DAY).toBeLessThanOrEqual(60);
    expect(dayOf(1)).toBe('2026-03-02');
  });

  test('is invented: every address ends in .example', () => {
    for (const { contacts } of Object.values(CUSTOMERS))
      for (const { email } of contacts) expect(email).toMatch(/\.example$/);
  });

  test('has policies that Relance takes', () => {
    for (const policy of POLICIES) expect(parsePolicy(policy).name).toBe(policy.name);
  });
});

describe('the story of the demo', () => {
  test('tells of invoices of the book, after they were issued and before its end', () => {
    const issued = new Map(INVOICES.map((invoice) => [invoice.number, invoice.issued]));
    for (const { day, deed } of STORY) {
      expect(day).toBeLessThanOrEqual(LAST_DAY);
      if ('invoice' in deed)
        expect(issued.get(numberOf(deed.invoice)), numberOf(deed.invoice)).toBeLessThanOrEqual(day);
      if (deed.do === 'pay') expect(Object.keys(CUSTOMERS)).toContain(deed.payer);
    }
  });

  test('pays no invoice more than once, and none more than it is', () => {
    const bookings = new Map<string, bigint>();
    const returned = new Set(STORY.flatMap(({ deed }) => (deed.do === 'return' ? [deed.of] : [])));
    const ids: string[] = [];
    for (const { deed } of STORY) {
      if (deed.do !== 'pay') continue;
      ids.push(deed.id);
      const number = /LUM-26-\d{3}/.exec(deed.quotes)?.[0];
      if (number === undefined || returned.has(deed.id) || deed.id === 'bank-23') continue;
      bookings.set(number, (bookings.get(number) ?? 0n) + parseAmount(deed.amount, 'EUR'));
    }
    expect(new Set(ids).size).toBe(ids.length);
    for (const { number, amount } of INVOICES) {
      expect(bookings.get(number) ?? 0n, number).toBeLessThanOrEqual(parseAmount(amount, 'EUR'));
    }
  });

  test('takes back and repeats only what the bank has said before', () => {
    const said = new Map<string, number>();
    for (const { day, hour, deed } of STORY) if (deed.do === 'pay') said.set(deed.id, day * 24 + hour);
    for (const { day, hour, deed } of STORY) {
      if (deed.do === 'return' || deed.do === 'repeat')
        expect(said.get(deed.of), deed.of).toBeLessThan(day * 24 + hour);
    }
  });
});

describe('the lines of the demo', () => {
  test('name the day of the story, the weekday and the date', () => {
    expect(storyLine(Date.UTC(2026, 2, 13, 11), 'something happens')).toBe('day 12 · Fri 13 Mar · something happens');
    // Half past eleven at night in UTC is the next day in Paris.
    expect(storyLine(Date.UTC(2026, 2, 1, 23, 30), 'x')).toBe('day  1 · Mon  2 Mar · x');
  });

  test('write money, dates and lists as people do', () => {
    expect(money('1240.00', 'EUR')).toBe('1 240,00 €');
    expect(money('1234567.50', 'GBP')).toBe('1 234 567,50 £');
    expect(shortDate('2026-04-06')).toBe('6 Apr');
    expect(list(['a'])).toBe('a');
    expect(list(['a', 'b', 'c'])).toBe('a, b and c');
  });
});
