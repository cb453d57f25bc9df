import { Presets, SingleBar } from 'cli-progress';
import { weekday, type LocalDate } from '../../domain/time/dates.ts';
import { shortDate } from '../demo/words.ts';
import type { HowFar } from './play.ts';

export interface ShownProgress {
  show(far: HowFar): void;
  stop(): void;
}

/** How far a book is: a bar in a terminal, elsewhere a line for each week of the business clock. */
export function bookProgress(stream: NodeJS.WriteStream, print: (line: string) => void): ShownProgress {
  return stream.isTTY ? bar(stream) : lines(print);
}

const textOf = ({ today, opened, settled, contacts }: HowFar): string =>
  `${shortDate(today)}: ${settled} of ${opened} cases settled, ${contacts} contacts sent`;

function bar(stream: NodeJS.WriteStream): ShownProgress {
  const format = '{bar} {value} of {total} payments  {text}  {duration_formatted}';
  const drawn = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  let started = false;
  return {
    show(far) {
      if (!started) drawn.start(far.payments, far.sent, { text: textOf(far) });
      started = true;
      drawn.update(far.sent, { text: textOf(far) });
    },
    stop() {
      if (started) drawn.stop();
    },
  };
}

function lines(print: (line: string) => void): ShownProgress {
  let told: LocalDate | null = null;
  return {
    show(far) {
      if (told !== null && (far.today === told || weekday(far.today) !== 1)) return;
      told = far.today;
      print(`${textOf(far)}, ${far.sent} of ${far.payments} payments`);
    },
    stop() {
      // Nothing is left to take down.
    },
  };
}
