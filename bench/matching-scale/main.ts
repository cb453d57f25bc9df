import { performance } from 'node:perf_hooks';
import { sql } from 'kysely';
import { createDatabase, type Db } from '../../db/database.ts';
import { matchPayment } from '../../db/repositories/matching-book.ts';
import { ALL_AUTOMATIC } from '../../domain/matching/settings.ts';
import type { Decision, Payment } from '../../domain/matching/types.ts';
import type { Benchmark } from '../main.ts';
import { bound, print, spread, table } from '../support/report.ts';
import { withServers } from '../support/servers.ts';
import { amountOf, BOOKED_ON, customerOf, nameOf, numberOf, PER_CUSTOMER, seed } from './book.ts';

const MOST_TIMES = 1.3;

/** A book and its first `reach` invoices, which payments are made for. */
interface Book {
  prefix: string;
  creditorId: string;
  count: number;
}

type Maker = (book: Book, n: number) => Payment;

const payment = (change: Partial<Payment>): Payment => ({
  amountMinor: 0n,
  currency: 'EUR',
  bookedOn: BOOKED_ON,
  payerName: null,
  ultimateName: null,
  payerAccount: null,
  remittance: null,
  endToEndId: null,
  structuredReferences: [],
  feesMinor: null,
  ...change,
});

/** Lines of every kind that matching knows, each needing more than the one before it. */
const LINES: Readonly<Record<string, Maker>> = {
  'number, equal amount': (_, n) => payment({ amountMinor: amountOf(n), remittance: `facture ${numberOf(n)} merci` }),
  'number, part of it': (_, n) => payment({ amountMinor: 500n, remittance: numberOf(n), payerName: nameOf(n) }),
  'three numbers': (_, n) =>
    payment({
      amountMinor: amountOf(n) + amountOf(n + 1) + amountOf(n + 2),
      remittance: [n, n + 1, n + 2].map(numberOf).join(', '),
      payerName: nameOf(n),
    }),
  'known account, one amount': ({ prefix }, n) =>
    payment({
      amountMinor: amountOf(n),
      remittance: 'virement',
      payerAccount: `FR76${prefix}${Math.floor(n / PER_CUSTOMER)}`,
    }),
  'number with a slip': (_, n) =>
    payment({
      amountMinor: amountOf(n),
      remittance: `FA 2026 ${String(n).padStart(7, '0')}9`,
      payerName: nameOf(n),
    }),
  'two that nobody named': (_, n) =>
    payment({ amountMinor: amountOf(n) + amountOf(n + 1), remittance: 'solde', payerName: nameOf(n) }),
  'nothing known': (_, n) => payment({ amountMinor: amountOf(n) + 1n, remittance: `merci ${n}`, payerName: 'Inconnu' }),
};

export const benchmark: Benchmark = {
  about: 'matching one line among ten thousand and among a million open invoices',
  options: { small: 10_000, large: 1_000_000, lines: 210, rounds: 7 },
  run: async ({ small = 10_000, large = 1_000_000, lines = 210, rounds = 7 }) =>
    withServers({ temporal: false }, async ({ databaseUrl }) => {
      const db = createDatabase(databaseUrl, { max: 2, applicationName: 'bench' });
      try {
        const books: Book[] = [];
        for (const [prefix, count] of [
          ['s', small],
          ['l', large],
          ['c', small],
        ] as const) {
          const begin = performance.now();
          books.push({ prefix, count, creditorId: await seed(db, prefix, count) });
          print(
            `  ${count.toLocaleString('en')} open invoices in ${((performance.now() - begin) / 1000).toFixed(0)} s`,
          );
        }
        await sql`vacuum (analyze)`.execute(db);
        return await measure(db, books, lines, rounds);
      } finally {
        await db.destroy();
      }
    }),
};

async function measure(db: Db, books: readonly Book[], lines: number, rounds: number): Promise<boolean> {
  const [small, large, control] = books.map(() => [] as number[]) as [number[], number[], number[]];
  const rows: string[][] = [];
  for (const [kind, make] of Object.entries(LINES)) {
    const times = books.map(() => [] as number[]);
    const found = new Set<string>();
    for (let round = -1; round < rounds; round += 1) {
      for (const [index, book] of books.entries()) {
        const { ms, outcomes } = await run(db, book, make, Math.ceil(lines / Object.keys(LINES).length), round);
        for (const outcome of outcomes) found.add(outcome);
        // The first round warms the buffers.
        if (round >= 0) times[index]!.push(ms);
      }
    }
    const [s, l, c] = times.map((series) => spread(series).median) as [number, number, number];
    small.push(s);
    large.push(l);
    control.push(c);
    rows.push([kind, s.toFixed(2), l.toFixed(2), (l / s).toFixed(2), (c / s).toFixed(2), [...found].join(' ')]);
  }
  print();
  print('one line, milliseconds');
  table(['line', 'small', 'large', 'large/small', 'control', 'outcome'], rows);
  const sum = (series: readonly number[]): number => series.reduce((total, value) => total + value, 0);
  const times = sum(large) / sum(small);
  const same = sum(control) / sum(small);
  print(`all kinds together: ${times.toFixed(2)} times (control ${same.toFixed(2)})`);
  return bound(
    `a line among the large book costs ${times.toFixed(2)} times (bound ${MOST_TIMES})`,
    times <= MOST_TIMES,
  );
}

async function run(db: Db, book: Book, make: Maker, lines: number, round: number) {
  const outcomes: string[] = [];
  const begin = performance.now();
  for (let line = 0; line < lines; line += 1) {
    // Spread over the whole book, the account's customers first among theirs, another place each round.
    const customers = Math.floor(book.count / PER_CUSTOMER / 10) - 1;
    const n = ((line * 7_919 + (round + 1) * 104_729) % customers) * PER_CUSTOMER * 10 + 3;
    const decision: Decision = await matchPayment(db, book.creditorId, make(book, n), {
      modes: ALL_AUTOMATIC,
      feesMinor: 0n,
    });
    outcomes.push(decision.kind === 'apply' ? decision.proposal.rule : decision.reason);
    if (
      decision.kind === 'apply' &&
      decision.proposal.shares.some(({ customerId }) => customerId !== customerOf(book.prefix, n))
    ) {
      throw new Error(`The line for ${numberOf(n)} went to another customer.`);
    }
  }
  return { ms: (performance.now() - begin) / lines, outcomes };
}
