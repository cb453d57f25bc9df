import { bankAct, type Act } from '../db/act.ts';
import { inTransaction } from '../db/database.ts';
import {
  dueFetches,
  fetchesLeft,
  keepFetched,
  keepUnfetchable,
  postponeFetches,
  type Fetched,
  type FetchRow,
} from '../db/repositories/feed-fetches.ts';
import { findFeed, type FeedRow } from '../db/repositories/feeds.ts';
import { DomainError } from '../domain/errors.ts';
import type { ActivityDeps } from './deps.ts';
import { AskError } from './feeds/ask.ts';
import { providerOf, type Provider } from './feeds/provider.ts';

export interface FetchResult {
  /** Messages that are done with. */
  fetched: number;
  /** Transactions among what came that are to be applied. */
  taken: number;
  toFetch: number;
  /** Real milliseconds until the provider may be asked again; null where nothing is left to fetch. */
  waitMs: number | null;
}

/** Messages looked at by one call; the workflow calls again while some are due. */
const BATCH = 100;
/** Real time after which a call begins no further question. */
const MOST_MS = 120_000;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Tries after which a person hears of it: half an hour of silence. */
const ASK_PERSON_AFTER = 6;

/**
 * Asks a feed's provider for what its messages only point at, outside of any transaction, and keeps each answer in one. A
 * provider that does not answer is asked again after pauses that grow; one that refuses the credentials is a task at once.
 */
export function createFetchForFeed(deps: ActivityDeps) {
  return async function fetchForFeed({ feedId }: { feedId: string }): Promise<FetchResult> {
    const { db } = deps;
    const feed = await findFeed(db, feedId);
    const done = { fetched: 0, taken: 0 };
    if (!feed) return { ...done, toFetch: 0, waitMs: null };
    const rows = await dueFetches(db, feedId, BATCH);
    if (rows.length > 0) await askFor(deps, feed, rows, done);
    return { ...done, ...(await fetchesLeft(db, feedId)) };
  };
}

async function askFor(
  deps: ActivityDeps,
  feed: FeedRow,
  rows: FetchRow[],
  done: { fetched: number; taken: number },
): Promise<void> {
  const act = bankAct(deps.clock.now());
  const provider = providerOf(feed, deps.feeds);
  if (provider === null) return postpone(deps, act, feed, rows, new AskError(feed.kind, 'unauthorized'));
  const begun = Date.now();
  for (const asked of provider.questions(rows)) {
    if (Date.now() - begun > MOST_MS) return;
    const answer = await answerOf(provider, asked);
    if (answer.kind === 'silent') return postpone(deps, act, feed, asked, answer.error);
    if (answer.kind === 'told') {
      done.taken += await inTransaction(deps.db, (tx) => keepFetched(tx, act, feed, answer.fetched));
    } else {
      for (const row of asked) await inTransaction(deps.db, (tx) => keepUnfetchable(tx, act, row, answer.code));
    }
    done.fetched += asked.length;
  }
}

type Answer =
  | { kind: 'told'; fetched: Fetched }
  /** It has nothing for this message and never will. */
  | { kind: 'never'; code: string }
  | { kind: 'silent'; error: AskError };

async function answerOf(provider: Provider, asked: readonly FetchRow[]): Promise<Answer> {
  try {
    return { kind: 'told', fetched: await provider.ask(asked) };
  } catch (error) {
    if (error instanceof DomainError) return { kind: 'never', code: error.code };
    if (!(error instanceof AskError)) throw error;
    if (provider.asksSingly && (error.code === 'notFound' || error.code === 'refused')) {
      return { kind: 'never', code: error.code };
    }
    return { kind: 'silent', error };
  }
}

/** What a pause heals is asked again soon, what a person must put right seldom and with a task at once. */
async function postpone(
  deps: ActivityDeps,
  act: Act,
  feed: FeedRow,
  rows: readonly FetchRow[],
  error: AskError,
): Promise<void> {
  const attempts = 1 + Math.max(0, ...rows.map((row) => row.attempts));
  const heals = error.temporary || error.code === 'unreadable';
  const first = deps.feeds.firstPauseMs ?? FIRST_PAUSE_MS;
  const growing = Math.min(first * 2 ** Math.min(attempts - 1, 20), LONGEST_PAUSE_MS);
  const pauseMs = heals ? Math.max(growing, error.afterMs ?? 0) : LONGEST_PAUSE_MS;
  const code = feed.credentials === null ? 'noCredentials' : error.code;
  const askPerson = !heals || attempts >= ASK_PERSON_AFTER;
  deps.log.warn({ feed: feed.id, code, attempts }, 'a payment provider gives no answer');
  await inTransaction(deps.db, (tx) => postponeFetches(tx, act, feed, rows, { code, pauseMs, askPerson }));
}
