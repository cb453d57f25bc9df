import { describe, expect, onTestFinished, test } from 'vitest';
import { newKey } from '../../db/repositories/keys.ts';
import { ALL_AUTOMATIC } from '../../domain/matching/settings.ts';
import { bookFigures, figureLines } from '../../scripts/book/figures.ts';
import { playBook, type HowFar } from '../../scripts/book/play.ts';
import { readYear } from '../../scripts/book/year.ts';
import { Client } from '../../scripts/demo/client.ts';
import { Progress } from '../../scripts/demo/progress.ts';
import { ensureCreditor } from '../../scripts/start/creditor.ts';
import type { MatchingRules } from '../../scripts/start/options.ts';
import { startApi } from '../api/harness.ts';
import { dataFolder } from '../stack/folders.ts';
import { startTestService, until } from '../support/service.ts';
import { writeSmallTable } from './small-table.ts';

const DAY_MS = 500;

/** The service and its API in this process, and the year 2017 of the small table played against them. */
async function played(rules: MatchingRules) {
  const dataDir = dataFolder();
  const book = readYear(writeSmallTable(dataDir), 2017);
  const begun = Date.now();
  const service = await startTestService({ now: '2017-09-19T22:30:00Z', dayMs: DAY_MS });
  const api = await startApi({}, 8, service.url);
  const ticking = setInterval(() => api.setNow(service.clock.now()), 10);
  onTestFinished(async () => {
    clearInterval(ticking);
    await api.stop();
    await service.stop();
  });
  const apiKey = newKey();
  await ensureCreditor(service.db, service.clock.now(), apiKey);
  const apiUrl = await api.app.listen({ port: 0, host: '127.0.0.1' });
  const seen: HowFar[] = [];
  const play = {
    book,
    rules,
    db: service.db,
    client: new Client(apiUrl, apiKey, new AbortController().signal),
    // The service's own began a moment later: nothing is told before its date.
    clock: { anchorReal: begun + 5_000, anchorBusiness: Date.parse('2017-09-19T22:30:00Z'), dayMs: DAY_MS },
    progress: new Progress(dataDir, 'book.json'),
    onProgress: (far: HowFar) => void seen.push(far),
    stopped: new AbortController().signal,
  };
  await playBook(play);
  await until('an empty outbox', async () => {
    const row = await service.db.selectFrom('outbox').select('id').limit(1).executeTakeFirst();
    return row === undefined;
  });
  return { book, db: service.db, mails: service.mails, seen, play };
}

describe('a year of a table', { timeout: 240_000 }, () => {
  test('is played from its invoices to their settlement, without a contact after payment', async () => {
    const { book, db, mails, seen, play } = await played('default');
    const figures = await bookFigures(db, book);
    expect(figures).toMatchObject({
      // Open are what nobody can tell the payment of, and what nobody paid.
      cases: { opened: 12, settled: 8, waiting: 1, unpaid: 3 },
      contacts: { afterPayment: 0 },
      payments: { received: 9, asMeant: 8, otherwise: [] },
      bookProblems: [],
    });
    expect(figures.unapplied).toEqual([
      { currency: 'EUR', reason: 'nothingQuoted', rule: null, count: 1, minor: 81_111n },
    ]);
    expect(figures.days).toHaveLength(8);
    expect(figures.days[0]).toBeGreaterThanOrEqual(0);
    expect(figures.contacts.sent).toBeGreaterThan(0);
    // The clock goes on: more may have left since.
    expect(mails.length).toBeGreaterThanOrEqual(figures.contacts.sent);
    expect(seen.at(-1)).toMatchObject({ opened: 12, sent: 9, payments: 9 });
    const lines = figureLines(book, figures).join('\n');
    expect(lines).toMatch(/contacts after payment\s+0\n/);
    expect(lines).toMatch(/left out\s+1 invoices and 1 payments/);
    expect(lines).toMatch(/books balanced\s+yes/);

    // Started again when it is over, it does nothing twice.
    await playBook(play);
    expect(await bookFigures(db, book)).toMatchObject({ payments: { received: 9 }, cases: { opened: 12 } });
  });

  test('is matched by all rules where it shall be', async () => {
    const { book, db, play } = await played('all');
    const figures = await bookFigures(db, book);
    expect(figures).toMatchObject({
      cases: { settled: 8, waiting: 1 },
      contacts: { afterPayment: 0 },
      payments: { asMeant: 8, otherwise: [] },
      bookProblems: [],
    });
    expect(await play.client.get('/v1/matching')).toMatchObject({ modes: ALL_AUTOMATIC });
  });
});
