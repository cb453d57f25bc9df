import { describe, expect, test } from 'vitest';
import { parseAmount } from '../../domain/money.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { AGENCY, CUSTOMERS, dayOf, INVOICES, LAST_DAY, POLICIES } from '../../scripts/demo/book.ts';
import { ENDINGS, missingOf } from '../../scripts/demo/endings.ts';
import { numberOf, STORY, type Deed } from '../../scripts/demo/story.ts';
import { list, money, shortDate, storyLine } from '../../scripts/demo/words.ts';

describe('the book of the demo', () => {
  test('holds fifty invoices of nineteen customers in three languages', () => {
    expect(INVOICES).toHaveLength(50);
    expect(Object.keys(CUSTOMERS)).toHaveLength(19);
    expect(new Set(Object.values(CUSTOMERS).map(({ locale }) => locale))).toEqual(new Set(['fr', 'de', 'en']));
    expect(new Set(INVOICES.map(({ number }) => number)).size).toBe(50);
    expect(new Set(INVOICES.map(({ customer }) => customer)).size).toBe(19);
    expect(LAST_DAY).toBeLessThanOrEqual(60);
    expect(dayOf(1)).toBe('2026-03-02');
  });

  test('is invented: every address ends in .example', () => {
    for (const { contacts } of Object.values(CUSTOMERS))
      for (const { email } of contacts) expect(email).toMatch(/\.example$/);
    expect(AGENCY.email).toMatch(/\.example$/);
    const references = Object.values(CUSTOMERS).flatMap(({ reference, iban }) => [reference as string, iban]);
    expect(new Set(references).size).toBe(references.length);
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

describe('the endings of the demo', () => {
  const scenesOf = (number: string) =>
    STORY.filter(({ deed }) => JSON.stringify(deed).includes(number) || ofInvoice(deed, number));
  const ofInvoice = (deed: Deed, number: string): boolean =>
    ('invoice' in deed && numberOf(deed.invoice) === number) ||
    ('invoices' in deed && deed.invoices.map(numberOf).includes(number)) ||
    ('customer' in deed && INVOICES.some((one) => one.number === number && one.customer === deed.customer));

  test('are eight, each of an invoice of its own', () => {
    expect(ENDINGS.map(({ title }) => title)).toEqual([
      'settled',
      'settled through a plan',
      'plan defaulted',
      'notice, then paid in time',
      'placed, then paid directly',
      'written off',
      'recovered later',
      'insolvent',
    ]);
    expect(new Set(ENDINGS.map(({ number }) => number)).size).toBe(8);
  });

  test('hang on scenes that are waited for, and come a week before the story is over', () => {
    for (const { number } of ENDINGS.slice(1)) {
      const scenes = scenesOf(number);
      expect(scenes.length, number).toBeGreaterThan(0);
      for (const { must, day } of scenes) {
        expect(must, number).toBe(true);
        expect(day, number).toBeLessThanOrEqual(LAST_DAY - 7);
      }
    }
  });

  test('are told from what is on record, and what is missing is named', () => {
    const [, , , noticed] = ENDINGS;
    const events = ['approved', 'formalNoticeSent', 'paymentAllocated', 'settled'].map((kind) => ({
      kind,
      on: '2026-03-20',
    }));
    const course = {
      id: 'inv_1',
      stage: 'settled',
      currency: 'EUR',
      amount: 100n,
      balance: 0n,
      writtenOff: 0n,
      recovered: 0n,
      holds: [],
      events,
      bookedOn: '2026-03-22',
      noticeDeliveredOn: '2026-03-18',
    };
    expect(missingOf(noticed!, course)).toBeNull();
    expect(missingOf(noticed!, { ...course, bookedOn: '2026-03-27' })).toContain('the money came by the deadline');
    expect(missingOf(noticed!, { ...course, events: events.toReversed() })).toContain('no formalNoticeSent after');
    expect(missingOf(noticed!, { ...course, events: [...events, { kind: 'placed', on: '2026-03-28' }] })).toContain(
      'no agency had it',
    );
  });

  test('plans add up to what is owed, with dates well behind the payments that keep them', () => {
    for (const { day, deed } of STORY) {
      if (deed.do !== 'plan') continue;
      const sum = (amounts: readonly string[]): bigint =>
        amounts.reduce((all, one) => all + parseAmount(one, 'EUR'), 0n);
      const owed = INVOICES.filter(({ number }) => deed.invoices.map(numberOf).includes(number));
      expect(sum(deed.instalments.map(({ amount }) => amount))).toBe(sum(owed.map(({ amount }) => amount)));
      expect(Math.min(...deed.instalments.map((one) => one.day))).toBeGreaterThan(day);
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
