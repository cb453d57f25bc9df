import { setTimeout as sleep } from 'node:timers/promises';
import { businessNow, type ClockSetting } from '../../domain/time/business-clock.ts';
import { instantAt, type Instant } from '../../domain/time/zones.ts';
import { CUSTOMERS, dayOf, INVOICES, LAST_DAY } from './book.ts';
import { Client, Refusal } from './client.ts';
import { carryOut, inParallel, keptAs, register, setUp } from './deeds.ts';
import { Progress } from './progress.ts';
import type { Stage } from './stage.ts';
import { STORY } from './story.ts';
import { Teller } from './teller.ts';
import { Watcher } from './watch.ts';
import { money, ZONE } from './words.ts';

const LOOK_MS = 600;
const STEP_MS = 120;
/** A scene that waits for Relance to do something first waits no longer than this, by the business clock. */
const PATIENCE_MS = 14 * 86_400_000;
/** Nor one that must be played than this, by the real clock: then what it should lead to is missed, and said to be. */
const LONG_PATIENCE_MS = 180_000;
const HOUR_MS = 3_600_000;

export interface Play {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly creditorId: string;
  readonly dataDir: string;
  readonly clock: ClockSetting;
  readonly print: (line: string) => void;
  readonly stopped: AbortSignal;
}

interface Act {
  readonly key: string;
  readonly at: Instant;
  readonly must: boolean;
  /** False: not yet. */
  run(): Promise<boolean>;
}

/**
 * Plays the story to its end, or on from where it was when everything was killed; what fell due meanwhile is done late.
 * Rejects when `stopped` is aborted.
 */
export async function play(options: Play): Promise<void> {
  const { clock, print, stopped, dataDir } = options;
  const now = (): Instant => businessNow(clock, Date.now());
  const client = new Client(options.apiUrl, options.apiKey, stopped);
  const progress = new Progress(dataDir);
  const teller = new Teller(print, progress.toldUntil);
  const stage: Stage = { client, progress, creditorId: options.creditorId };
  await setUp(stage);
  const acts = [...registrations(stage, teller, now), ...scenes(stage, teller, now)].toSorted((a, b) => a.at - b.at);
  const watcher = new Watcher(client, progress, teller);
  const end = instantAt(dayOf(LAST_DAY), '23:59', ZONE);

  /** Since when scenes have been waiting for Relance. */
  const waiting = new Map<string, { business: Instant; real: number }>();
  let lookedAt = 0;
  let tellUntil = progress.toldUntil;
  for (;;) {
    stopped.throwIfAborted();
    for (const act of acts) {
      if (act.at > now()) break;
      if (progress.has(act.key)) continue;
      if (await act.run()) continue;
      const since = waiting.get(act.key) ?? { business: now(), real: Date.now() };
      waiting.set(act.key, since);
      const tooLong = act.must ? Date.now() - since.real > LONG_PATIENCE_MS : now() - since.business > PATIENCE_MS;
      if (tooLong) progress.add(act.key, null);
    }
    if (Date.now() - lookedAt >= LOOK_MS) {
      lookedAt = Date.now();
      const seenUntil = now();
      await watcher.look();
      // What happened before the look before this one has been heard of by now.
      teller.printUntil(tellUntil);
      progress.told(tellUntil);
      tellUntil = seenUntil - HOUR_MS;
    }
    if (now() >= end && acts.every(({ key }) => progress.has(key))) break;
    await sleep(STEP_MS, undefined, { signal: stopped });
  }
  await watcher.look();
  teller.printUntil(Number.MAX_SAFE_INTEGER);
  progress.told(now());
}

/** Invoices reach Relance on the day they are issued; those of before the story all at once, on its eve. */
function registrations(stage: Stage, teller: Teller, now: () => Instant): Act[] {
  const acts = INVOICES.filter((invoice) => invoice.issued > 0).map((invoice) => ({
    key: `invoice:${invoice.number}`,
    at: instantAt(dayOf(invoice.issued), '08:00', ZONE),
    must: true,
    run: async () => {
      const at = now();
      stage.progress.add(`invoice:${invoice.number}`, await register(stage, invoice));
      const sum = money(invoice.amount, invoice.currency);
      teller.tell(at, `${invoice.number} is issued to ${CUSTOMERS[invoice.customer].name}: ${sum}`);
      return true;
    },
  }));
  return [opening(stage, teller, now), ...acts];
}

function opening(stage: Stage, teller: Teller, now: () => Instant): Act {
  const invoices = INVOICES.filter((invoice) => invoice.issued <= 0);
  return {
    key: 'opening',
    at: 0,
    must: true,
    run: async () => {
      const at = now();
      await inParallel(invoices, async (invoice) => {
        const key = `invoice:${invoice.number}`;
        if (!stage.progress.has(key)) stage.progress.add(key, await register(stage, invoice));
      });
      stage.progress.add('opening', null);
      teller.tell(at, `the billing system hands over ${invoices.length} open invoices`);
      return true;
    },
  };
}

function scenes(stage: Stage, teller: Teller, now: () => Instant): Act[] {
  return STORY.map(({ day, hour, deed, must = false }, index) => {
    const key = keptAs(deed) ?? `scene:${index}`;
    const at = instantAt(dayOf(day), `${String(hour).padStart(2, '0')}:00`, ZONE);
    return {
      key,
      at,
      must,
      run: async () => {
        const began = now();
        try {
          const outcome = await carryOut(stage, key, day, deed);
          if (outcome === 'notYet') return false;
          stage.progress.add(key, outcome.keep ?? null);
          if (outcome.tell !== null) teller.tell(began, outcome.tell);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          // A story that was held up by an outage may come too late with a promise: people hear that too.
          stage.progress.add(key, null);
          teller.tell(began, `(refused: ${deed.do}: ${error.message})`);
        }
        return true;
      },
    };
  });
}
