import { join } from 'node:path';
import type { Instant } from '../../domain/time/zones.ts';
import { readRecord, writeAtomically } from '../stack/files.ts';

/**
 * How far the demo has come, kept in its data folder: what has been done with the ids that came of it, and until when
 * the story has been told. What was under way when everything was killed is done again with the same key.
 */
export class Progress {
  readonly #path: string;
  readonly #done: Record<string, unknown>;
  #toldUntil: Instant;

  constructor(dataDir: string, file = 'demo.json') {
    this.#path = join(dataDir, file);
    const kept = readRecord(this.#path) ?? {};
    this.#done = (kept['done'] as Record<string, unknown> | undefined) ?? {};
    this.#toldUntil = typeof kept['toldUntil'] === 'number' ? kept['toldUntil'] : 0;
  }

  get toldUntil(): Instant {
    return this.#toldUntil;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#done, key);
  }

  /** What came of something done earlier. Throws when it was not done: the story is in the wrong order. */
  of<T>(key: string): T {
    if (!this.has(key)) throw new Error(`The demo has not done ${key} yet.`);
    return this.#done[key] as T;
  }

  add(key: string, result: unknown): void {
    this.#done[key] = result ?? null;
    this.#write();
  }

  told(until: Instant): void {
    if (until <= this.#toldUntil) return;
    this.#toldUntil = until;
    this.#write();
  }

  #write(): void {
    writeAtomically(this.#path, JSON.stringify({ toldUntil: this.#toldUntil, done: this.#done }));
  }
}
