import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { instant, type Db } from '../../db/database.ts';
import { ALL_AUTOMATIC } from '../../domain/matching/settings.ts';
import { PRESETS } from '../../domain/policy/presets.ts';
import { businessNow, type ClockSetting } from '../../domain/time/business-clock.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import { instantAt, localDate, type Instant } from '../../domain/time/zones.ts';
import type { Client } from '../demo/client.ts';
import { inParallel } from '../demo/deeds.ts';
import type { Progress } from '../demo/progress.ts';
import type { WithId } from '../demo/stage.ts';
import { ZONE } from '../demo/words.ts';
import type { MatchingRules } from '../start/options.ts';
import type { BookYear, YearInvoice, YearPayment } from './year.ts';

/** Days that the book goes on after its last payment, so that what that leads to has come about. */
export const DAYS_AFTER = 5;
const STEP_MS = 50;
const LOOK_MS = 500;
/** What is still under way at the end is waited for that long, by the real clock. */
const PATIENCE_MS = 600_000;
/** A case that should have woken that long ago, by the business clock, has not been got to. */
const LATE_MS = 2 * 86_400_000;

/** A few cents are deducted by banks on the way; where the unit of a currency is small, in proportion. */
const TOLERANCE = {
  EUR: '0.11',
  USD: '0.11',
  GBP: '0.11',
  CHF: '0.11',
  AUD: '0.11',
  NZD: '0.11',
  SEK: '0.11',
  JPY: '200',
  KRW: '200',
};

const { business } = PRESETS;

/** The preset's reminders by e-mail without interest, approvals and what comes after the ladder: nobody sits at the desk. */
export const BOOK_POLICY = {
  ...business,
  name: 'book',
  steps: business.steps.filter(({ channel }) => channel === 'email'),
  interest: null,
  formalNotice: null,
  placement: null,
  writeOff: null,
  approvalAbove: null,
  minimumAmount: {},
  tolerance: TOLERANCE,
  // A customer has a dozen invoices here, each with dates of its own.
  contact: { ...business.contact, maximumPer30Days: 10 },
};

export interface BookPlay {
  readonly book: BookYear;
  readonly rules: MatchingRules;
  readonly db: Db;
  readonly client: Client;
  readonly clock: ClockSetting;
  /** What has been done, kept with the data. */
  readonly progress: Progress;
  readonly onProgress: (far: HowFar) => void;
  readonly stopped: AbortSignal;
}

export interface HowFar {
  readonly today: LocalDate;
  readonly opened: number;
  readonly settled: number;
  readonly sent: number;
  readonly payments: number;
  readonly contacts: number;
}

interface Act {
  readonly key: string;
  readonly at: Instant;
  run(): Promise<void>;
}

/**
 * Opens the cases of the year on their dates and has the bank tell of its payments on theirs, to the end of the year's
 * payments or on from where it was when everything was killed. Rejects when `stopped` is aborted.
 */
export async function playBook(play: BookPlay): Promise<void> {
  const { book, clock, progress, stopped } = play;
  const now = (): Instant => businessNow(clock, Date.now());
  await setUp(play);
  const acts = [...openings(play), ...bookings(play)].toSorted((a, b) => a.at - b.at);
  const end = instantAt(addDays(book.to, DAYS_AFTER), '23:00', ZONE);
  let lookedAt = 0;
  for (;;) {
    stopped.throwIfAborted();
    for (const act of acts) {
      if (act.at > now()) break;
      if (progress.has(act.key)) continue;
      await act.run();
      progress.add(act.key, null);
    }
    if (Date.now() - lookedAt >= LOOK_MS) {
      lookedAt = Date.now();
      play.onProgress(await howFar(play, now()));
    }
    if (now() >= end && acts.every(({ key }) => progress.has(key))) break;
    await sleep(STEP_MS, undefined, { signal: stopped });
  }
  await comeToRest(play);
}

/** The policy, the customers, the bank's feed, and what matching may do by itself. */
async function setUp({ book, client, progress, rules }: BookPlay): Promise<void> {
  if (!progress.has('policy'))
    progress.add('policy', await client.put(`/v1/policies/${BOOK_POLICY.name}`, BOOK_POLICY));
  if (!progress.has('customers')) {
    await inParallel(book.customers, async ({ reference, name, country, locale, email }) => {
      const contacts = [{ role: 'billing', email }];
      const customer = { reference, name, kind: 'business', country, locale, contacts, policy: BOOK_POLICY.name };
      await client.post('/v1/customers', `customer:${reference}`, customer);
    });
    progress.add('customers', null);
  }
  if (!progress.has('feed')) {
    const { id, secret } = await client.post<{ id: string; secret: string }>('/v1/feeds', 'feed', {
      kind: 'standard',
      name: 'Current account',
    });
    progress.add('feed', { id, secret });
  }
  if (rules === 'all' && !progress.has('matching')) {
    await client.put('/v1/matching', { modes: ALL_AUTOMATIC, bankFees: {} });
    progress.add('matching', null);
  }
}

/** The billing system hands the invoices of a day over when that day begins. */
function openings({ book, client }: BookPlay): Act[] {
  const days = new Map<LocalDate, YearInvoice[]>();
  for (const invoice of book.invoices) days.set(invoice.issuedOn, [...(days.get(invoice.issuedOn) ?? []), invoice]);
  return [...days].map(([day, invoices]) => ({
    key: `opened:${day}`,
    at: instantAt(day, '00:00', ZONE),
    run: () =>
      inParallel(invoices, async ({ number, reference, customer, issuedOn, dueOn, amount, currency }) => {
        await client.post<WithId>('/v1/invoices', `invoice:${number}`, {
          number,
          customer: { reference: customer },
          issuedOn,
          dueOn,
          amount,
          currency,
          references: [reference],
        });
      }),
  }));
}

/** The bank tells of a payment on the morning of its posting date. */
function bookings({ book, client, progress }: BookPlay): Act[] {
  return book.payments.map((payment) => ({
    key: `paid:${payment.id}`,
    at: instantAt(payment.bookedOn, '07:00', ZONE),
    run: () => client.webhook(progress.of('feed'), `msg-${payment.id}`, bankMessage(payment)),
  }));
}

/** A payment as the generic webhook of a bank. */
export const bankMessage = (payment: YearPayment) => ({
  type: 'transaction.booked',
  timestamp: `${payment.bookedOn}T05:00:00Z`,
  data: {
    id: payment.id,
    bookedOn: payment.bookedOn,
    amount: payment.amount,
    currency: payment.currency,
    direction: 'credit',
    counterparty: { name: payment.payerName, iban: payment.payerAccount },
    remittance: payment.memo,
  },
});

async function howFar({ db, book, progress }: BookPlay, at: Instant): Promise<HowFar> {
  const { rows } = await sql<{ opened: number; settled: number; contacts: number }>`
    select (select count(*) from invoices)::int as opened,
      (select count(*) from invoices where stage = 'settled')::int as settled,
      (select count(*) from contacts where sending_real is not null)::int as contacts`.execute(db);
  return {
    today: localDate(at, ZONE),
    ...rows[0]!,
    sent: book.payments.filter(({ id }) => progress.has(`paid:${id}`)).length,
    payments: book.payments.length,
  };
}

/**
 * Until what the machine could not keep up with is done: the bank's messages are handled, the cases that are paid have
 * closed, those that were to wake have, and nothing stays in the outbox.
 */
async function comeToRest(play: BookPlay): Promise<void> {
  const { db, clock, stopped } = play;
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const now = businessNow(clock, Date.now());
    const { rows } = await sql<{ busy: boolean }>`
      select exists (select 1 from inbox where status = 'pending')
        or exists (select 1 from outbox where recorded_at < clock_timestamp() - interval '3 seconds')
        or exists (select 1 from invoices where stage not in ('settled', 'cancelled', 'writtenOff')
          and (balance_minor = 0 or wake_at < ${instant(now - LATE_MS)})) as busy`.execute(db);
    if (rows[0]?.busy !== true || Date.now() > deadline) return;
    play.onProgress(await howFar(play, now));
    await sleep(500, undefined, { signal: stopped });
  }
}
