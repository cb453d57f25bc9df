import type { Db } from '../../db/database.ts';
import { anchorClock, loadClock, touchClock, type ClockWish } from '../../db/repositories/clock.ts';
import { DomainError } from '../../domain/errors.ts';
import { businessNow, REAL_TIME, type ClockSetting } from '../../domain/time/business-clock.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { StackError } from '../stack/errors.ts';

export interface ClockOptions {
  /** What was asked for on the command line; refused when the data is kept otherwise. */
  readonly dayMs: number | undefined;
  readonly now: Instant | undefined;
  /** What holds where nothing is kept and nothing was asked for. */
  readonly defaults: { readonly dayMs?: number; readonly now?: Instant };
  /** How long compressed time stands still from now on, in real milliseconds, while the rest of the stack comes up. */
  readonly standStillMs: number;
}

/**
 * Sets the business clock of the data going (design rule 8). Compressed time begins only once the rest of the stack
 * has had time to come up: at two seconds a day a start would otherwise cost half a week.
 * @throws StackError when another clock was asked for than the data is kept under
 */
export async function startClock(db: Db, options: ClockOptions): Promise<ClockSetting> {
  const kept = await loadClock(db);
  const isNew = kept === REAL_TIME;
  const dayMs = options.dayMs ?? (isNew ? options.defaults.dayMs : undefined);
  const now = options.now ?? (isNew ? options.defaults.now : undefined);
  const compressed = !isNew || dayMs !== undefined || now !== undefined;
  const wish: ClockWish = { dayMs, now, realNow: Date.now() + (compressed ? options.standStillMs : 0) };
  try {
    return await anchorClock(db, wish);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'clockDiffers') {
      throw new StackError(`${error.message} Leave --day and --now out to go on, or wipe it with --fresh.`);
    }
    throw error;
  }
}

/** Notes where the clock stands, so that after a stop it goes on from there. */
export async function noteClock(db: Db, setting: ClockSetting): Promise<void> {
  if (setting !== REAL_TIME) await touchClock(db, businessNow(setting, Date.now()));
}
