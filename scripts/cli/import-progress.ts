import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

/** What is counted, and what is said when nothing has begun for a while. */
export interface ProgressWords {
  of: string;
  waiting: string;
}

const READING: ProgressWords = { of: 'rows', waiting: 'taken in; it is read once a worker is free' };

/** How far a long work is: a bar in a terminal, now and then a line elsewhere. */
export interface ImportProgress {
  update(done: number, total: number | null): void;
  stop(): void;
}

export function importProgress(output: Output, name: string, words: ProgressWords = READING): ImportProgress {
  const shown = output.err.isTTY === true ? bar(output, name, words.of) : lines(output, name, words.of);
  const begun = performance.now();
  let waiting = true;
  return {
    update(done, total) {
      if (total === null && waiting && performance.now() - begun > SLOW_START_MS) {
        output.note(`${name}: ${words.waiting}`);
        waiting = false;
      }
      shown.update(done, total);
    },
    stop: () => shown.stop(),
  };
}

/** A worker that has nothing else to do begins well before that. */
const SLOW_START_MS = 5_000;

function bar(output: Output, name: string, of: string): ImportProgress {
  const drawn = new SingleBar(
    {
      format: '{name} {bar} {value} of {total} {of}  {duration_formatted}',
      stream: output.err,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total) {
      if (total === null) return;
      if (!started) drawn.start(total, done, { name, of });
      started = true;
      drawn.setTotal(total);
      drawn.update(done);
    },
    stop() {
      if (started) drawn.stop();
    },
  };
}

const LINE_EVERY_MS = 2_000;

function lines(output: Output, name: string, of: string): ImportProgress {
  let toldAt = performance.now();
  let told = 0;
  return {
    update(done, total) {
      if (total === null || done === told || done === total || performance.now() - toldAt < LINE_EVERY_MS) return;
      toldAt = performance.now();
      told = done;
      output.note(`${name}: ${done} of ${total} ${of}`);
    },
    stop() {
      // Nothing is left to take down.
    },
  };
}
