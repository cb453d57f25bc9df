/** Real time, or a test's: everything in this server that waits or ages asks here. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `task` once, `ms` milliseconds from now, unless cancelled before. */
  after(ms: number, task: () => void): { cancel(): void };
}

/** Node fires timers above this at once (a signed 32-bit number of milliseconds, about 24.8 days). */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      timer = setTimeout(
        () => (left > LONGEST_TIMER_MS ? arm(left - LONGEST_TIMER_MS) : task()),
        Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
      );
    };
    arm(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
