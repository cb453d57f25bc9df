import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFetchForFeed } from '../../activities/fetch-feed.ts';
import { changeCredentials } from '../../db/repositories/feeds.ts';
import { inTransaction, json } from '../../db/database.ts';
import { addFeed, NOW, openBook, type Book } from '../db/book.ts';
import { GOCARDLESS_TOKEN, startFakeGoCardless, type FakeGoCardless } from '../support/fakes/gocardless.ts';
import { NO_PROVIDERS } from '../support/no-providers.ts';
import { bytes, gocardlessEvent, gocardlessPayment } from '../support/webhook-bodies.ts';

let book: Book;
let provider: FakeGoCardless;
let fetchForFeed: ReturnType<typeof createFetchForFeed>;
beforeAll(async () => {
  book = await openBook();
  provider = await startFakeGoCardless();
  fetchForFeed = createFetchForFeed({
    db: book.db,
    clock: { now: () => NOW },
    log: pino({ level: 'silent' }),
    feeds: { ...NO_PROVIDERS, urls: { ...NO_PROVIDERS.urls, gocardless: provider.url } },
  } as unknown as Parameters<typeof createFetchForFeed>[0]);
});
afterAll(async () => {
  await provider.stop();
  await book.drop();
});

/** A feed with these messages to fetch. */
async function waiting(...payments: string[]): Promise<string> {
  const feedId = await addFeed(book);
  const credentials = JSON.stringify({ accessToken: GOCARDLESS_TOKEN, environment: 'live' });
  await book.db.updateTable('feeds').set({ kind: 'gocardless', credentials }).where('id', '=', feedId).execute();
  for (const id of payments) {
    await book.db
      .insertInto('inbox')
      .values({
        feed_id: feedId,
        creditor_id: book.creditor.id,
        webhook_id: `EV-${id}`,
        body: bytes(gocardlessEvent('confirmed', { links: { payment: id } })),
        received_at: new Date(NOW),
        status: 'fetch',
        ask: json({ resource: 'payment', id, event: 'payments.confirmed' }),
      })
      .execute();
  }
  return feedId;
}
const rowsOf = (feedId: string) =>
  book.db.selectFrom('inbox').selectAll().where('feed_id', '=', feedId).orderBy('id').execute();
const dueAgain = (feedId: string) =>
  book.db.updateTable('inbox').set({ not_before: null }).where('feed_id', '=', feedId).execute();
const openTasks = () =>
  book.db
    .selectFrom('tasks')
    .select(['kind', 'data'])
    .where('kind', '=', 'feedUnreachable')
    .where('status', '=', 'open')
    .execute();
const down = { kind: 'status', status: 503 } as const;

test('a silent provider is asked after pauses that double, a person hears of it once, and nothing is lost', async () => {
  const feedId = await waiting('PM1', 'PM2');
  for (const id of ['PM1', 'PM2']) provider.payments.set(id, gocardlessPayment({ id }));
  const pauses: number[] = [];
  for (let n = 1; n <= 7; n += 1) {
    provider.failNext(down, down);
    const result = await fetchForFeed({ feedId });
    expect(result).toMatchObject({ fetched: 0, taken: 0, toFetch: 2 });
    pauses.push(Math.round(result.waitMs! / 30_000));
    expect(await openTasks()).toHaveLength(n < 6 ? 0 : 1);
    // Until then nobody is asked, not for the other message either.
    const { length } = provider.requests;
    await fetchForFeed({ feedId });
    expect(provider.requests).toHaveLength(length);
    await dueAgain(feedId);
    await book.db.updateTable('inbox').set({ attempts: n }).where('feed_id', '=', feedId).execute();
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64]);
  expect(await fetchForFeed({ feedId })).toEqual({ fetched: 2, taken: 2, toFetch: 0, waitMs: null });
  expect(await openTasks()).toEqual([]);
  expect((await rowsOf(feedId)).map(({ status, error_code: code }) => [status, code])).toEqual([
    ['applied', null],
    ['applied', null],
  ]);
});

test('a provider that names a moment is not asked before it', async () => {
  const feedId = await waiting('PM3');
  provider.failNext({ kind: 'status', status: 429, headers: { 'retry-after': '600' } });
  const { waitMs } = await fetchForFeed({ feedId });
  expect(Math.round(waitMs! / 1000)).toBeCloseTo(600, -1);
  expect((await rowsOf(feedId))[0]).toMatchObject({ status: 'fetch', attempts: 1, error_code: 'throttled' });
});

test('without credentials a person is asked at once, and theirs are tried at once', async () => {
  const feedId = await waiting('PM4');
  provider.payments.set('PM4', gocardlessPayment({ id: 'PM4' }));
  const { credentials } = await book.db
    .selectFrom('feeds')
    .select('credentials')
    .where('id', '=', feedId)
    .executeTakeFirstOrThrow();
  await book.db.updateTable('feeds').set({ credentials: null }).where('id', '=', feedId).execute();
  expect((await fetchForFeed({ feedId })).waitMs).toBeGreaterThan(3_500_000);
  expect(await openTasks()).toMatchObject([{ data: { code: 'noCredentials' } }]);
  await inTransaction(book.db, (tx) => changeCredentials(tx, feedId, credentials!, false));
  expect(await fetchForFeed({ feedId })).toMatchObject({ fetched: 1, toFetch: 0 });
  expect(await openTasks()).toEqual([]);
});

test('two calls at once keep an answer once; a feed that was ended is not asked', async () => {
  const feedId = await waiting('PM5');
  provider.payments.set('PM5', gocardlessPayment({ id: 'PM5' }));
  const results = await Promise.all([fetchForFeed({ feedId }), fetchForFeed({ feedId })]);
  expect(results.reduce((sum, { taken }) => sum + taken, 0)).toBe(1);
  const ended = await waiting('PM6');
  await book.db
    .updateTable('feeds')
    .set({ deleted_at: new Date(NOW) })
    .where('id', '=', ended)
    .execute();
  const { length } = provider.requests;
  expect(await fetchForFeed({ feedId: ended })).toEqual({ fetched: 0, taken: 0, toFetch: 0, waitMs: null });
  expect(provider.requests).toHaveLength(length);
});
