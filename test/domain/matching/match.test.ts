import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { match } from '../../../domain/matching/match.ts';
import { invoiceTokens } from '../../../domain/matching/invoice-tokens.ts';
import { ALL_AUTOMATIC, ALL_PROPOSE, DEFAULT_MODES } from '../../../domain/matching/settings.ts';
import type {
  Answer,
  Decision,
  Item,
  KnownPayer,
  MatchingSettings,
  Payment,
  Question,
} from '../../../domain/matching/types.ts';

const payment = (change: Partial<Payment> = {}): Payment => ({
  amountMinor: 120_000n,
  currency: 'EUR',
  bookedOn: '2026-11-18',
  payerName: null,
  ultimateName: null,
  payerAccount: null,
  remittance: null,
  endToEndId: null,
  structuredReferences: [],
  feesMinor: null,
  ...change,
});

const item = (number: string, balanceMinor = 120_000n, change: Partial<Item> = {}): Item => ({
  invoiceId: `inv_${number}`,
  customerId: 'cus_a',
  tokens: invoiceTokens({ number }),
  open: true,
  chased: true,
  balanceMinor,
  payableMinor: balanceMinor,
  currency: 'EUR',
  issuedOn: '2026-10-01',
  dueOn: '2026-10-31',
  country: 'FR',
  toleranceMinor: 10n,
  discount: null,
  ...change,
});

/** Answers as the books would, from everything there is. */
function decide(
  money: Payment,
  items: readonly Item[],
  payers: readonly KnownPayer[] = [],
  settings: MatchingSettings = { modes: DEFAULT_MODES, feesMinor: 0n },
  most = Infinity,
): Decision {
  const open = items.filter((one) => one.open && one.currency === money.currency && one.issuedOn <= money.bookedOn);
  const upTo = (found: Item[]): Answer => ({ items: found.slice(0, most), truncated: found.length > most });
  const answer = (question: Question): Answer => {
    switch (question.ask) {
      case 'tokens':
        return {
          items: items.filter((one) => one.tokens.some((token) => question.tokens.includes(token))),
          truncated: false,
        };
      case 'payer':
        return { payers };
      case 'itemsOf':
        return upTo(open.filter((one) => question.customerIds.includes(one.customerId)));
      case 'amount':
        return upTo(open.filter((one) => one.balanceMinor === question.amountMinor));
    }
  };
  const run = match(money, settings);
  let step = run.next();
  while (!step.done) step = run.next(answer(step.value));
  return step.value;
}

const automatic: MatchingSettings = { modes: ALL_AUTOMATIC, feesMinor: 500n };
const applied = (decision: Decision) =>
  decision.kind === 'apply'
    ? [decision.proposal.rule, ...decision.proposal.shares.map((one) => [one.invoiceId, one.amountMinor])]
    : `review: ${decision.reason}`;
const byAccount: KnownPayer = { customerId: 'cus_a', by: 'account' };

describe('each rule finds what it is for', () => {
  test('a structured reference, whole or in part', () => {
    const one = item('F-2026-0042');
    const given = { structuredReferences: ['F20260042'] };
    expect(applied(decide(payment(given), [one]))).toEqual(['structuredReference', [one.invoiceId, 120_000n]]);
    expect(applied(decide(payment({ ...given, amountMinor: 500n }), [one]))).toEqual([
      'structuredReference',
      [one.invoiceId, 500n],
    ]);
  });

  test('a number behind right check digits, and not behind wrong ones', () => {
    const one = item('539007547034', 120_000n, { customerId: 'cus_b' });
    const right = payment({ remittance: 'RF18 5390 0754 7034' });
    expect(applied(decide(right, [one]))).toEqual(['structuredReference', [one.invoiceId, 120_000n]]);
    expect(decide(payment({ remittance: 'RF19 5390 0754 7034', amountMinor: 500n }), [one])).toMatchObject({
      kind: 'apply',
      proposal: { rule: 'numberLowerAmount' },
    });
  });

  test('numbers that add up, all or the only some that do', () => {
    const [a, b, d] = [item('F-2026-0001', 50_000n), item('F-2026-0002', 70_000n), item('F-2026-0003', 99_900n)];
    const remittance = 'F-2026-0001, F 2026/0002';
    expect(applied(decide(payment({ remittance }), [a, b, d]))).toEqual([
      'numbersEqualSum',
      [a.invoiceId, 50_000n],
      [b.invoiceId, 70_000n],
    ]);
    expect(applied(decide(payment({ remittance: `${remittance} F-2026-0003` }), [a, b, d]))[0]).toBe('numbersEqualSum');
  });

  test('a discount in time, not a day later', () => {
    const one = item('F-2026-0001', 120_000n, { discount: { until: '2026-11-18', amountMinor: 2_400n } });
    const money = payment({ amountMinor: 117_600n, remittance: 'F-2026-0001' });
    expect(applied(decide(money, [one]))).toEqual(['discountInTime', [one.invoiceId, 117_600n]]);
    expect(applied(decide({ ...money, bookedOn: '2026-11-19' }, [one]))).toEqual([
      'numberLowerAmount',
      [one.invoiceId, 117_600n],
    ]);
  });

  test('the only invoice of an amount of a payer who is known', () => {
    const [a, b] = [item('F-2026-0001'), item('F-2026-0002', 5_000n)];
    expect(applied(decide(payment(), [a, b], [byAccount]))).toEqual(['payerUniqueAmount', [a.invoiceId, 120_000n]]);
    expect(applied(decide(payment(), [a, item('F-2026-0003')], [byAccount]))).toBe('review: notUnique');
    expect(applied(decide(payment(), [a, b]))).toBe('review: nothingQuoted');
  });

  test('a number with a typing error, where the sum agrees', () => {
    const one = item('F-2026-0042');
    expect(applied(decide(payment({ remittance: 'F-2026-0024' }), [one]))).toEqual([
      'nearNumbersEqualSum',
      [one.invoiceId, 120_000n],
    ]);
  });

  test('completion, sums of a payer, fees and differences only where they may', () => {
    const items = [item('F-2026-0001', 100_007n), item('F-2026-0002', 19_993n), item('F-2026-0003', 55_555n)];
    const named = payment({ remittance: 'F-2026-0001' });
    const proposed = decide(named, items, [byAccount]);
    expect(proposed.kind).toBe('review');
    expect(proposed.rivals[0]?.rule).toBe('completion');
    expect(applied(decide(named, items, [byAccount], automatic))).toEqual([
      'completion',
      ['inv_F-2026-0001', 100_007n],
      ['inv_F-2026-0002', 19_993n],
    ]);
    const sum = decide(payment(), items, [byAccount], automatic);
    expect(applied(sum)[0]).toBe('subsetSum');
    const told = payment({ amountMinor: 119_700n, remittance: 'F-2026-0001 F-2026-0002', feesMinor: 300n });
    const fees = decide(told, items, [byAccount], automatic);
    expect(fees).toMatchObject({ kind: 'apply', proposal: { rule: 'bankFees', confidence: 'strong' } });
    const cents = payment({ amountMinor: 119_995n, remittance: 'F-2026-0001 F-2026-0002' });
    expect(applied(decide(cents, items, [byAccount], automatic))[0]).toBe('tolerance');
  });

  test('more than is open leaves the rest as credit', () => {
    const one = item('F-2026-0001');
    const decision = decide(payment({ amountMinor: 130_000n, remittance: 'F-2026-0001' }), [one]);
    expect(applied(decision)).toEqual(['numbersExceeded', [one.invoiceId, 120_000n]]);
  });

  test('several numbers and less than they are is shared by law, for a person to confirm', () => {
    const items = [item('F-2026-0001', 50_000n), item('F-2026-0002', 80_000n)];
    const decision = decide(payment({ amountMinor: 70_000n, remittance: 'F-2026-0001 F-2026-0002' }), items);
    expect(decision.kind).toBe('review');
    expect(decision.rivals[0]).toMatchObject({ rule: 'numbersShared', confidence: 'possible' });
  });
});

test('a number with a typing error is compared with all there is or with none', () => {
  const many = ['F-2026-0130', 'F-2026-7001', 'F-2026-7002'].map((number) => item(number, 4_990n));
  const money = payment({ remittance: 'F-2026-013', amountMinor: 4_990n });
  expect(applied(decide(money, many))).toEqual(['nearNumbersEqualSum', ['inv_F-2026-0130', 4_990n]]);
  expect(decide(money, many, [], undefined, 2).kind).toBe('review');
  expect(decide(money, many, [byAccount], undefined, 2).kind).toBe('review');
});

describe('what the text names outweighs what it does not', () => {
  const [one, two, same] = [
    item('F-2026-0001', 20_000n),
    item('F-2026-0002', 30_000n),
    item('F-2026-0009', 10_000n),
  ] as const;

  test('an invoice of the amount that is not named, beside others that are, waits for a person', () => {
    const named = payment({ remittance: 'F-2026-0001 F-2026-0002', amountMinor: 10_000n });
    expect(decide(named, [one, two, same], [byAccount]).kind).toBe('review');
    const exceeded = payment({ remittance: 'F-2026-0001', amountMinor: 25_000n });
    const equal = item('F-2026-0009', 25_000n);
    expect(applied(decide(exceeded, [one, equal], [byAccount]))).toBe('review: exceedsBalance');
    expect(
      applied(decide(payment({ remittance: 'merci', amountMinor: 10_000n }), [one, two, same], [byAccount])),
    ).toEqual(['payerUniqueAmount', [same.invoiceId, 10_000n]]);
  });

  test('who names only what is paid already waits for a person: it may be paid twice', () => {
    const paid = item('F-2026-0007', 10_000n, { open: false, balanceMinor: 0n });
    const again = payment({ remittance: 'F-2026-0007', amountMinor: 10_000n });
    expect(applied(decide(again, [one, same, paid], [byAccount]))).toBe('review: closedQuoted');
    // Unless something open is named beside it, or the name is one that says little.
    const both = { ...again, remittance: 'F-2026-0007 F-2026-0009' };
    expect(applied(decide(both, [one, same, paid], [byAccount]))).toEqual([
      'numbersEqualSum',
      [same.invoiceId, 10_000n],
    ]);
    const short = { ...paid, tokens: ['0007'] };
    expect(applied(decide({ ...again, remittance: '0007' }, [one, same, short], [byAccount]))).toEqual([
      'payerUniqueAmount',
      [same.invoiceId, 10_000n],
    ]);
  });

  test('a number of two customers beside one that is clear keeps a part or an excess from being applied', () => {
    const shared = [two, { ...two, invoiceId: 'inv_other', customerId: 'cus_b' }];
    for (const amountMinor of [5_000n, 25_000n]) {
      const money = payment({ remittance: 'F-2026-0001 F-2026-0002', amountMinor });
      expect(applied(decide(money, [one, ...shared]))).toBe('review: severalQuoted');
    }
  });

  test.each(['Tel 06 12 34 56 78', 'SIREN 812 345 678'])('%s names no invoice of an unknown payer', (remittance) => {
    const pieces = [item('123456', 20_000n), item('812345', 20_000n)];
    const money = payment({ remittance, amountMinor: 5_000n });
    expect(decide(money, pieces).kind).toBe('review');
    expect(decide(payment({ remittance: 'facture 12 34 56', amountMinor: 5_000n }), pieces).kind).toBe('apply');
  });
});

describe('no rule is led astray', () => {
  test('by a number that lies within a longer one', () => {
    const year = item('2026', 120_000n, { customerId: 'cus_b' });
    expect(
      applied(decide(payment({ remittance: 'INV-2026-0042', amountMinor: 500n }), [year, item('INV-2026-0042')])),
    ).toEqual(['numberLowerAmount', ['inv_INV-2026-0042', 500n]]);
    expect(applied(decide(payment({ remittance: 'F-123' }), [item('F-12')]))).toBe('review: nothingQuoted');
    const both = [item('F-12'), item('F-123')];
    expect(applied(decide(payment({ remittance: 'F-123' }), both))).toEqual([
      'numbersEqualSum',
      ['inv_F-123', 120_000n],
    ]);
  });

  test('by one number that two customers’ invoices have', () => {
    const items = [item('2026001'), item('2026001', 120_000n, { invoiceId: 'inv_other', customerId: 'cus_b' })];
    expect(decide(payment({ remittance: '2026001' }), items).kind).toBe('review');
    expect(applied(decide(payment({ remittance: '2026001' }), items, [byAccount]))[0]).toBe('numbersEqualSum');
  });

  test('by years, dates and telephone numbers', () => {
    for (const [number, remittance] of [
      ['2026', 'Reglement 2026'],
      ['18112026', 'paye le 18112026'],
      ['20261118', 'value 20261118'],
      ['75002', '75002 Paris'],
    ] as const) {
      expect(decide(payment({ amountMinor: 100n, remittance }), [item(number)]).kind).toBe('review');
    }
    expect(decide(payment({ amountMinor: 100n, remittance: 'Tel 0142681234' }), [item('F-0142681')]).kind).toBe(
      'review',
    );
  });

  test('by the invoice of somebody else than who pays', () => {
    const theirs = item('F-2026-0042', 120_000n, { customerId: 'cus_b' });
    const money = payment({ amountMinor: 500n, remittance: 'F-2026-0042' });
    expect(decide(money, [theirs], [byAccount]).kind).toBe('review');
    expect(decide(payment({ amountMinor: 130_000n, remittance: 'F-2026-0042' }), [theirs], [byAccount]).kind).toBe(
      'review',
    );
  });

  test('by what it is not allowed to do', () => {
    const one = item('F-2026-0042');
    const money = payment({ remittance: 'F-2026-0042' });
    const proposed = decide(money, [one], [], { modes: ALL_PROPOSE, feesMinor: 0n });
    expect(proposed).toMatchObject({ kind: 'review', reason: 'proposeOnly', rivals: [{ rule: 'numbersEqualSum' }] });
    const modes = { ...DEFAULT_MODES, numbersEqualSum: 'off' as const };
    expect(decide(money, [one], [], { modes, feesMinor: 0n }).kind).toBe('review');
  });
});

describe('a relation', () => {
  const child = (customerId = 'cus_child'): KnownPayer => ({ customerId, by: 'relation', parentId: 'cus_a' });

  test('lets a parent pay the only invoice of its amount in the group', () => {
    const theirs = item('F-2026-0001', 120_000n, { customerId: 'cus_child' });
    expect(applied(decide(payment(), [theirs], [byAccount, child()]))).toEqual([
      'payerUniqueAmount',
      [theirs.invoiceId, 120_000n],
    ]);
    const own = item('F-2026-0002');
    expect(applied(decide(payment(), [theirs, own], [byAccount, child()]))).toBe('review: notUnique');
  });

  test('of somebody known less surely counts for nothing', () => {
    const theirs = item('F-2026-0001', 120_000n, { customerId: 'cus_child' });
    const weaker: KnownPayer = { customerId: 'cus_b', by: 'name' };
    const decision = decide(payment(), [theirs], [byAccount, weaker, { ...child(), parentId: 'cus_b' }]);
    expect(decision.kind).toBe('review');
  });
});

/** Books of up to eight invoices of two customers, and money that quotes some of them, with or without a slip. */
const world = fc.record({
  items: fc
    .uniqueArray(
      fc.record({
        n: fc.integer({ min: 1, max: 60 }),
        balance: fc.bigInt({ min: 1n, max: 2_000n }),
        customer: fc.constantFrom('cus_a', 'cus_b'),
        issuedOn: fc.constantFrom('2026-10-01', '2026-11-17', '2026-11-19'),
        discount: fc.boolean(),
      }),
      { maxLength: 8, selector: ({ n }) => n },
    )
    .map((rows) =>
      rows.map(({ n, balance, customer, issuedOn, discount }) =>
        item(`F-2026-${String(n).padStart(4, '0')}`, balance * 100n, {
          customerId: customer,
          issuedOn,
          discount: discount ? { until: '2026-11-18', amountMinor: 50n } : null,
        }),
      ),
    ),
  quoted: fc.array(fc.nat(7), { maxLength: 3 }),
  sumOf: fc.array(fc.nat(7), { maxLength: 3 }),
  off: fc.constantFrom(0n, 0n, 0n, -50n, -5n, 700n),
  payer: fc.constantFrom(null, 'cus_a', 'cus_b'),
  slip: fc.boolean(),
});

const moneyOf = ({ items, quoted, sumOf, off, slip }: typeof world extends fc.Arbitrary<infer W> ? W : never) => {
  const picked = [...new Set(sumOf)].flatMap((at) => items[at] ?? []);
  const sum = picked.reduce((total, one) => total + one.balanceMinor, 0n) + off;
  const numbers = quoted.flatMap((at) => items[at]?.invoiceId.slice(4) ?? []);
  const text = numbers.join(' ');
  return payment({
    amountMinor: sum > 0n ? sum : 12_345n,
    remittance: text === '' ? null : slip ? text.replace('F-20', 'F-02') : text,
  });
};

describe('whatever comes', () => {
  test('shares are positive, at most the payment and at most what is open', () => {
    fc.assert(
      fc.property(world, (w) => {
        const money = moneyOf(w);
        const payers: KnownPayer[] = w.payer === null ? [] : [{ customerId: w.payer, by: 'account' }];
        const decision = decide(money, w.items, payers, automatic);
        const all = [...(decision.kind === 'apply' ? [decision.proposal] : []), ...decision.rivals];
        for (const { shares } of all) {
          const total = shares.reduce((sum, one) => sum + one.amountMinor, 0n);
          expect(total <= money.amountMinor).toBe(true);
          expect(new Set(shares.map(({ invoiceId }) => invoiceId)).size).toBe(shares.length);
          for (const share of shares) {
            const invoice = w.items.find(({ invoiceId }) => invoiceId === share.invoiceId)!;
            expect(share.amountMinor > 0n).toBe(true);
            expect(share.amountMinor + (share.writeOff?.amountMinor ?? 0n) <= invoice.balanceMinor).toBe(true);
          }
        }
      }),
    );
  });

  test('the order in which the books answer does not matter', () => {
    fc.assert(
      fc.property(world, (w) => {
        const money = moneyOf(w);
        const payers: KnownPayer[] = w.payer === null ? [] : [{ customerId: w.payer, by: 'account' }];
        const there = decide(money, w.items, payers, automatic);
        const back = decide(money, w.items.toReversed(), payers, automatic);
        expect(sorted(back)).toEqual(sorted(there));
      }),
    );
  });

  test('rules that go without a number take nothing dated after the payment', () => {
    fc.assert(
      fc.property(world, (w) => {
        const money = { ...moneyOf(w), remittance: null };
        const decision = decide(money, w.items, [byAccount], automatic);
        if (decision.kind !== 'apply') return;
        for (const { invoiceId } of decision.proposal.shares) {
          expect(w.items.find((one) => one.invoiceId === invoiceId)!.issuedOn <= money.bookedOn).toBe(true);
        }
      }),
    );
  });
});

const sorted = (decision: Decision) =>
  decision.kind === 'review'
    ? decision.reason
    : [
        decision.proposal.rule,
        ...decision.proposal.shares.map(({ invoiceId, amountMinor }) => `${invoiceId} ${amountMinor}`).sort(),
      ];
