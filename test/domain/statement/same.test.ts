import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sameness, type KnownTransaction } from '../../../domain/statement/same.ts';
import type { SourceKind, Transaction } from '../../../domain/statement/transaction.ts';
import { addDays } from '../../../domain/time/dates.ts';
import { transaction } from './fixtures.ts';

/** One transaction told by several sources is one; each of equal ones is one of them. */

const told = (source: SourceKind, change: Partial<Transaction> = {}): Transaction =>
  transaction({
    source,
    counterparty: { name: 'Maison Exemple', ultimateName: null, account: 'FR7630006000011234567890189' },
    remittance: 'Facture F-2026-0042',
    ...change,
  });

/** An account that keeps what it is told, as `takeIn` does. */
class Account {
  readonly known: KnownTransaction[] = [];
  unclear = 0;

  tell(document: string, transactions: readonly Transaction[]): void {
    for (const one of transactions) {
      const found = sameness(one, document, this.known);
      const sighting = { document, source: one.source };
      if (found.kind === 'same') {
        const twin = this.known.find(({ id }) => id === found.id)!;
        twin.sightings.push(sighting);
        if (found.books) Object.assign(twin, { status: 'booked', bookedOn: one.bookedOn });
        continue;
      }
      if (found.kind === 'unclear') this.unclear += 1;
      this.known.push({
        id: `btx_${this.known.length}`,
        status: one.status,
        bookedOn: one.bookedOn,
        counterpartyName: one.counterparty.name,
        counterpartyAccount: one.counterparty.account,
        remittance: one.remittance,
        bankId: one.bankId,
        endToEndId: one.endToEndId,
        sightings: [sighting],
      });
    }
  }
}

const count = (...tellings: [document: string, transactions: Transaction[]][]): number => {
  const account = new Account();
  for (const [document, transactions] of tellings) account.tell(document, transactions);
  return account.known.length;
};

describe('what two sources tell', () => {
  test.each<[string, Partial<Transaction>, Partial<Transaction>, 'same' | 'new' | 'unclear']>([
    ['the same words', {}, {}, 'same'],
    ['words that one of them prefixes', {}, { remittance: 'VIR RECU Facture F-2026-0042 /REF' }, 'same'],
    ['a number in other words', {}, { remittance: 'paiement F-2026-0042 merci' }, 'same'],
    ['the same payer and no words', { remittance: null }, {}, 'same'],
    ['the bank’s own id and another text', { bankId: 'B1' }, { bankId: 'B1', remittance: 'x' }, 'same'],
    ['one id and another payer', { bankId: 'B1', endToEndId: 'E1' }, { bankId: 'B1', endToEndId: 'E2' }, 'unclear'],
    ['a number that may be cut', {}, { remittance: 'Facture F-2026-004' }, 'unclear'],
    ['a number and its neighbour in other words', {}, { remittance: 'F-2026-0042 12' }, 'same'],
    ['two days apart', {}, { bookedOn: '2026-11-22' }, 'same'],
    ['a week apart', {}, { bookedOn: '2026-11-27' }, 'new'],
    ['other end-to-end ids', { endToEndId: 'E1' }, { endToEndId: 'E2' }, 'new'],
    ['other accounts', {}, { counterparty: { name: 'Maison Exemple', ultimateName: null, account: 'DE89' } }, 'new'],
    [
      'the number that is a part of the IBAN',
      { remittance: null, counterparty: { name: null, ultimateName: null, account: 'DE89370400440532013000' } },
      { remittance: null, counterparty: { name: null, ultimateName: null, account: '0532013000' } },
      'same',
    ],
    ['the same payer, other words', {}, { remittance: 'loyer decembre' }, 'unclear'],
    [
      'other payers and other words',
      { counterparty: { name: 'A', ultimateName: null, account: null } },
      { counterparty: { name: 'B', ultimateName: null, account: null }, remittance: 'loyer' },
      'new',
    ],
  ])('%s', (_, one, other, expected) => {
    const account = new Account();
    account.tell('a', [told('camt.052', one)]);
    expect(sameness(told('camt.053', other), 'b', account.known).kind).toBe(expected);
  });

  test('one source dates a transaction as before, so another day is another one', () => {
    const next = { bookedOn: addDays('2026-11-20', 1) };
    expect(count(['a', [told('camt.053')]], ['b', [told('camt.053', next)]])).toBe(2);
    expect(count(['a', [told('camt.053')]], ['b', [told('camt.053')]])).toBe(1);
  });

  test('other ids of one kind of source are other transactions, whatever they say', () => {
    const ids = (id: string) => [told('camt.053', { bankId: id })];
    expect(count(['a', ids('B1')], ['b', ids('B2')])).toBe(2);
    // A provider's id is none of the bank's.
    expect(count(['a', [told('qonto', { bankId: 'Q-1' })]], ['b', ids('B2')])).toBe(1);
  });

  test('a number is not the one that it begins with, in whatever order they come', () => {
    const [one, twelve] = [{ remittance: 'F-2026-1' }, { remittance: 'F-2026-12' }];
    const account = new Account();
    account.tell('a', [told('standard', one)]);
    account.tell('b', [told('camt.053', twelve), told('camt.053', one)]);
    expect([account.known.length, account.unclear]).toEqual([2, 1]);
    const both = new Account();
    both.tell('a', [told('standard', one), told('standard', twelve)]);
    both.tell('b', [told('camt.053', twelve), told('camt.053', one)]);
    expect([both.known.length, both.unclear]).toEqual([2, 0]);
  });

  test('a booking takes the place of what announced it', () => {
    const account = new Account();
    account.tell('a', [told('camt.052', { status: 'pending' })]);
    expect(sameness(told('camt.052', { bookedOn: '2026-11-21' }), 'b', account.known)).toMatchObject({
      kind: 'same',
      books: true,
    });
  });
});

const ofPayer = (number: number): Partial<Transaction> => ({
  remittance: `Facture F-2026-000${number}`,
  counterparty: { name: `Payer ${number}`, ultimateName: null, account: `FR760000000000${number}` },
});

test('however often and through whatever it is told, an account has the most that any source told', () => {
  const payment = fc.record({ number: fc.integer({ min: 1, max: 4 }), twins: fc.integer({ min: 1, max: 5 }) });
  const source = fc.constantFrom<SourceKind>('camt.052', 'camt.053', 'camt.054', 'mt940');
  fc.assert(
    fc.property(
      fc.uniqueArray(payment, { selector: ({ number }) => number, maxLength: 4 }),
      fc.array(fc.record({ source, seen: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 4, maxLength: 4 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
      (payments, documents) => {
        const account = new Account();
        const most = new Map<number, number>();
        for (const [index, { source: kind, seen }] of documents.entries()) {
          const entries = payments.flatMap(({ number, twins }) => {
            const times = Math.min(twins, seen[number - 1]!);
            most.set(number, Math.max(most.get(number) ?? 0, times));
            return Array.from({ length: times }, () => told(kind, ofPayer(number)));
          });
          account.tell(`document ${index}`, entries);
        }
        expect(account.unclear).toBe(0);
        expect(account.known.length).toBe([...most.values()].reduce((sum, times) => sum + times, 0));
      },
    ),
  );
});
