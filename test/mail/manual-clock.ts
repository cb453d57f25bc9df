import type { Clock } from '../../scripts/mail-server/clock.ts';

/** A clock that stands still until it is told to move, and then runs what has come due, in order. */
export class ManualClock implements Clock {
  #now: number;
  #tasks: { at: number; run: () => void }[] = [];

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): { cancel(): void } {
    const task = { at: this.#now + Math.max(ms, 0), run };
    this.#tasks.push(task);
    return { cancel: () => void (this.#tasks = this.#tasks.filter((one) => one !== task)) };
  }

  /** How many milliseconds until the next task; null when none waits. */
  nextIn(): number | null {
    return this.#tasks.length === 0 ? null : Math.min(...this.#tasks.map((task) => task.at)) - this.#now;
  }

  /** How many tasks wait. */
  pending(): number {
    return this.#tasks.length;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#tasks.filter((task) => task.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#tasks = this.#tasks.filter((task) => task !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}
