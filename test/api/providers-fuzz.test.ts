/**
 * Webhook bodies that were damaged or made up: whatever comes, a reader returns or throws a `DomainError`, and nothing
 * that was altered proves its sender. `FUZZ_RUNS` sets the number of bodies; `FC_SEED=random` looks elsewhere.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifyAndSplit } from '../../api/webhooks/providers.ts';
import { DomainError } from '../../domain/errors.ts';
import { isCurrency } from '../../domain/money.ts';
import type { BankMessage } from '../../domain/statement/bank-message.ts';
import { transactionOfBridge } from '../../domain/statement/providers/bridge.ts';
import { transactionOfPayment, transactionOfRefund } from '../../domain/statement/providers/gocardless.ts';
import { readProvider, type ProviderKind } from '../../domain/statement/providers/read.ts';
import { isLocalDate } from '../../domain/time/dates.ts';
import {
  ALL_BODIES,
  bridgeTransaction,
  bytes,
  gocardlessEvent,
  gocardlessPayment,
  gocardlessRefund,
} from '../support/webhook-bodies.ts';
import {
  signBridge,
  signGoCardless,
  signQonto,
  signStandard,
  signStripe,
  type Signer,
} from '../support/webhook-signing.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2_000);
const NOW = Date.parse('2026-11-20T09:00:00Z');
const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, yes').toString('base64')}`;

const SIGNERS: Readonly<Record<ProviderKind, Signer>> = {
  standard: signStandard,
  qonto: signQonto,
  bridge: signBridge,
  stripe: signStripe,
  gocardless: signGoCardless,
};

const someBody = fc.constantFrom(...ALL_BODIES);

/** Values that break what is careless with them. */
const oddValue = fc.oneof(
  fc.constantFrom<unknown[]>(
    null,
    true,
    '',
    '\0',
    'a\0b',
    '\ud800',
    'x'.repeat(5_000),
    '2026-02-30',
    '9999-12-31T23:59:59Z',
    '0000-01-01',
    'eur',
    'JPY',
    'XXX',
    '-1.00',
    '1e5',
    0,
    -0,
    -1,
    0.005,
    1e-7,
    1e21,
    2 ** 53,
    Number.MAX_VALUE,
    [],
    {},
    [[]],
    { id: 1 },
  ),
  fc.string({ maxLength: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.jsonValue({ maxDepth: 2 }),
);

type Mutation = { at: number; value: unknown; what: 'replace' | 'remove' | 'add' };
const mutations = fc.array(
  fc.record<Mutation>({ at: fc.nat(), value: oddValue, what: fc.constantFrom('replace', 'remove', 'add') }),
  { minLength: 1, maxLength: 4 },
);

/** Every place of a value: the object or array, and the key in it. */
function placesIn(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key): [Record<string, unknown>, string][] => [
    [holder, key],
    ...placesIn(holder[key]),
  ]);
}

function mutated(value: unknown, changes: readonly Mutation[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const change of changes) {
    const places = placesIn(copy);
    const value: unknown = structuredClone(change.value);
    if (places.length === 0) return value;
    const [holder, key] = places[change.at % places.length]!;
    const added = { value, enumerable: true, configurable: true, writable: true };
    if (change.what === 'replace') Object.defineProperty(holder, key, added);
    else if (change.what === 'remove') delete holder[key];
    else Object.defineProperty(holder, '__proto__', added);
  }
  return copy;
}

/** What the rest of the program relies on, whatever was sent. */
function expectSound(message: BankMessage): void {
  const texts = JSON.stringify(message, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  expect(texts).not.toContain('\\u0000');
  if (message.kind !== 'transaction') return;
  const { amountMinor, currency, bookedOn, valueOn, bankId, feesMinor, returns } = message.transaction;
  expect(amountMinor).not.toBe(0n);
  expect(isCurrency(currency)).toBe(true);
  expect([bookedOn, ...(valueOn === null ? [] : [valueOn])].every(isLocalDate)).toBe(true);
  expect(bankId).toBeTruthy();
  if (feesMinor !== null) expect(typeof feesMinor).toBe('bigint');
  expect(returns?.originalAmountMinor ?? 1n).toBeGreaterThan(0n);
}

function expectReadOrRefused(read: () => BankMessage | BankMessage[]): void {
  let messages: BankMessage[];
  try {
    messages = [read()].flat();
  } catch (error) {
    expect(error).toBeInstanceOf(DomainError);
    return;
  }
  messages.forEach(expectSound);
}

test(`${RUNS} bodies with fields exchanged, removed and added are read or refused`, { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(someBody, mutations, ([kind, body], changes) => {
      const told = bytes(mutated(body, changes) ?? null);
      expectReadOrRefused(() => readProvider(kind, told));
    }),
    { numRuns: RUNS },
  );
});

test('so are answers of the providers', { timeout: 120_000 }, () => {
  const event = gocardlessEvent('confirmed');
  const aboutRefund = { ...gocardlessEvent('paid'), resource_type: 'refunds', links: { refund: 'RF0001' } };
  const answers = fc.constantFrom<[answer: unknown, read: (value: unknown) => BankMessage][]>(
    [bridgeTransaction(), transactionOfBridge],
    [gocardlessPayment(), (value) => transactionOfPayment(event, value)],
    [gocardlessRefund(), (value) => transactionOfRefund(aboutRefund, value)],
  );
  fc.assert(
    fc.property(answers, mutations, ([answer, read], changes) => {
      const told = mutated(answer, changes);
      expectReadOrRefused(() => read(told));
    }),
    { numRuns: Math.ceil(RUNS / 4) },
  );
});

/** Damage to bytes: `at` is a place, wrapped around the length. */
const damages = fc.array(
  fc.record({
    at: fc.nat(),
    what: fc.constantFrom<('flip' | 'cut' | 'insert' | 'double' | 'front')[]>(
      'flip',
      'cut',
      'insert',
      'double',
      'front',
    ),
    byte: fc.integer({ min: 1, max: 255 }),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 3 },
);

test(`${RUNS} bodies with bytes altered prove nothing, and are read or refused`, { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(someBody, damages, ([kind, value], changes) => {
      const original = kind === 'gocardless' ? bytes({ events: [value] }) : bytes(value);
      const headers = SIGNERS[kind](original, SECRET, NOW);
      expect(verifyAndSplit(kind, original, headers, [SECRET], NOW)).toHaveLength(1);
      let body = original;
      for (const { at: anywhere, what, byte, length } of changes) {
        const at = anywhere % Math.max(1, body.length);
        const [before, after] = [body.subarray(0, at), body.subarray(at)];
        if (what === 'flip') body = Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ byte]), after.subarray(1)]);
        else if (what === 'cut') body = Buffer.concat([before, after.subarray(length)]);
        else if (what === 'insert') body = Buffer.concat([before, Buffer.alloc(length, byte), after]);
        else if (what === 'double') body = Buffer.concat([before, after.subarray(0, length), after]);
        else body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]);
      }
      fc.pre(!body.equals(original));
      expect(verifyAndSplit(kind, body, headers, [SECRET], NOW)).toBeNull();
      // Even were the damage signed: it would be kept and read, or refused.
      expectReadOrRefused(() => readProvider(kind, body));
      for (const { webhookId, body: part } of verifyAndSplit(
        kind,
        body,
        SIGNERS[kind](body, SECRET, NOW),
        [SECRET],
        NOW,
      ) ?? []) {
        expect(webhookId).toMatch(/^[\x21-\x7e]{1,256}$/);
        expectReadOrRefused(() => readProvider(kind, part));
      }
    }),
    { numRuns: RUNS },
  );
});
