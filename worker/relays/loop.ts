import type { Logger } from 'pino';

/** Something that works off rows as they come, until it is stopped. */
export interface Relay {
  /** Look now: somebody rang. */
  ring(): void;
  /** Ends after the round under way. */
  stop(): Promise<void>;
}

const FAILURE_PAUSE_MS = 1_000;

/**
 * Runs `round` again and again: at once while it reports work, else when rung or after the pause it returns (real
 * milliseconds). A round that throws is logged and tried again: nothing here may end a relay but `stop`.
 */
export function startRelay(
  name: string,
  log: Pick<Logger, 'error'>,
  round: () => Promise<{ worked: boolean; pauseMs: number }>,
): Relay {
  let stopping = false;
  let rung = false;
  let wake: (() => void) | null = null;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        wake = null;
        resolve();
      }
      wake = done;
      if (rung || stopping) done();
    });

  const running = (async () => {
    while (!stopping) {
      rung = false;
      try {
        const { worked, pauseMs } = await round();
        if (!worked) await pause(pauseMs);
      } catch (error) {
        log.error({ relay: name, err: error }, 'a round of the relay failed; it is tried again');
        await pause(FAILURE_PAUSE_MS);
      }
    }
  })();

  return {
    ring() {
      rung = true;
      wake?.();
    },
    async stop() {
      stopping = true;
      wake?.();
      await running;
    },
  };
}
