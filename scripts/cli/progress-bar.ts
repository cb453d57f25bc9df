import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

/** How far something is: a bar in a terminal, now and then a line elsewhere. */
export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

const LINE_EVERY_MS = 2_000;

/** `what`: the counted things, such as "cases". Nothing is shown that is over at once. */
export function progressBar(output: Output, name: string, what: string): Progress {
  return output.err.isTTY === true ? bar(output, name, what) : lines(output, name, what);
}

function bar(output: Output, name: string, what: string): Progress {
  const drawn = new SingleBar(
    {
      format: `{name} {bar} {value} of {total} ${what}  {duration_formatted}`,
      stream: output.err,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total) {
      if (!started) drawn.start(total, done, { name });
      started = true;
      drawn.setTotal(total);
      drawn.update(Math.min(done, total));
    },
    stop() {
      if (started) drawn.stop();
    },
  };
}

function lines(output: Output, name: string, what: string): Progress {
  let toldAt = performance.now();
  return {
    update(done, total) {
      if (done >= total || performance.now() - toldAt < LINE_EVERY_MS) return;
      toldAt = performance.now();
      output.note(`${name}: ${done} of ${total} ${what}`);
    },
    stop() {
      // Nothing is left to take down.
    },
  };
}
