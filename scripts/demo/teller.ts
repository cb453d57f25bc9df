import type { Instant } from '../../domain/time/zones.ts';
import { storyLine } from './words.ts';

/** Prints the story in the order in which it happened: lines are held back for a moment, since they are learnt of late. */
export class Teller {
  readonly #print: (line: string) => void;
  readonly #from: Instant;
  #waiting: { at: Instant; text: string }[] = [];

  /** @param from what happened until then was told before */
  constructor(print: (line: string) => void, from: Instant) {
    this.#print = print;
    this.#from = from;
  }

  tell(at: Instant, text: string): void {
    if (at > this.#from) this.#waiting.push({ at, text });
  }

  /** Prints all that happened until then. */
  printUntil(at: Instant): void {
    const due = this.#waiting.filter((line) => line.at <= at).toSorted((a, b) => a.at - b.at);
    this.#waiting = this.#waiting.filter((line) => line.at > at);
    for (const line of due) this.#print(storyLine(line.at, line.text));
  }
}
