import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/**
 * The one timer of a workflow. It is armed again only when the date moves, since every timer costs events: a message
 * that leaves the next date where it was leaves the timer alone.
 */
export class WakeTimer {
  /** The business instant (ISO 8601) it stands for; null while none is armed. */
  armedFor: string | null = null;
  /** Set when it went off; whoever takes the turn clears it. */
  fired: string | null = null;
  #scope: CancellationScope | null = null;

  /** Moves the timer to `at`, `delayMs` of real time from now. Null disarms it. */
  arm(at: string | null, delayMs: number, summary: string): void {
    if (at === this.armedFor) return;
    this.#scope?.cancel();
    this.#scope = null;
    this.armedFor = at;
    if (at === null) return;
    const scope = new CancellationScope();
    this.#scope = scope;
    // A wait of nothing would be a patch marker's cost for no gain: the shortest timer is a millisecond.
    void scope
      .run(async () => {
        await sleep(Math.max(1, Math.ceil(delayMs)), { summary });
        if (this.#scope !== scope) return;
        this.#scope = null;
        this.armedFor = null;
        this.fired = at;
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }
}
