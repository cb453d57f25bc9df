import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Benchmark } from '../main.ts';
import { bound, controlHolds, print, show, spread, table, type Spread } from '../support/report.ts';
import { writeStatement } from './file.ts';
import { READERS, type Reader } from './readers.ts';

const LEAST_TIMES = 8;
const MOST_MEMORY = 1.2;

export const benchmark: Benchmark = {
  about: 'a camt.053 read by our reader against a DOM parse of it, and its memory as the file grows',
  options: { megabytes: 30, times: 10, rounds: 8 },
  run: async (options) => {
    const folder = await mkdtemp(join(tmpdir(), 'relance-bench-'));
    try {
      return await measure(folder, options['megabytes']!, options['times']!, options['rounds']!);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function measure(folder: string, megabytes: number, times: number, rounds: number): Promise<boolean> {
  const small = join(folder, 'small.xml');
  const large = join(folder, 'large.xml');
  const entries = await writeStatement(small, megabytes);
  const many = await writeStatement(large, megabytes * times);
  print(`${megabytes} MB: ${entries} entries; ${megabytes * times} MB: ${many} entries`);

  const speed = await race(small, entries, rounds);
  const memory = {
    small: await memoryOfReading('ours', small),
    large: await memoryOfReading('ours', large),
    dom: await memoryOfReading('dom', small),
  };
  print();
  table(
    ['memory at most', 'MB'],
    [
      [`our reader, ${megabytes} MB`, memory.small.toFixed(0)],
      [`our reader, ${megabytes * times} MB`, memory.large.toFixed(0)],
      [`DOM, ${megabytes} MB`, memory.dom.toFixed(0)],
    ],
  );
  print();
  const growth = memory.large / memory.small;
  return [
    bound(`the control is ${show(speed.control)}`, controlHolds(speed.control)),
    bound(
      `our reader is ${show(speed.ratio)} times as fast (at least ${LEAST_TIMES})`,
      speed.ratio.median >= LEAST_TIMES,
    ),
    bound(
      `a file ${times} times as large takes ${growth.toFixed(2)} times the memory (at most ${MOST_MEMORY})`,
      growth <= MOST_MEMORY,
    ),
  ].every(Boolean);
}

/** Before and behind the DOM, whose rubbish is cleared away while the next one runs: each gets its share of that. */
const TURNS = [
  ['ours', 'dom', 'control'],
  ['control', 'dom', 'ours'],
] as const;

/** Both readers in turns, ours a second time as the control. */
async function race(path: string, entries: number, rounds: number): Promise<{ ratio: Spread; control: Spread }> {
  const ms = { ours: [] as number[], dom: [] as number[], control: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    for (const what of TURNS[Math.abs(round) % 2]!) {
      const time = await timed(READERS[what === 'dom' ? 'dom' : 'ours'], path, entries);
      // The first round warms everything up.
      if (round >= 0) ms[what].push(time);
    }
  }
  print();
  table(
    ['entries a second', 'median', 'low quartile', 'high quartile'],
    (['ours', 'dom'] as const).map((what) => {
      const { low, median, high } = spread(ms[what].map((time) => (1_000 * entries) / time));
      return [what === 'ours' ? 'our reader' : 'DOM', median.toFixed(0), low.toFixed(0), high.toFixed(0)];
    }),
  );
  return {
    ratio: spread(ms.dom.map((time, n) => time / ms.ours[n]!)),
    control: spread(ms.control.map((time, n) => time / ms.ours[n]!)),
  };
}

async function timed(reader: Reader, path: string, entries: number): Promise<number> {
  const begin = performance.now();
  const found = await reader(path);
  const time = performance.now() - begin;
  if (found !== entries) throw new Error(`${found} of ${entries} entries were found.`);
  return time;
}

/**
 * V8 lets its young generation grow with the time a process runs, up to a fixed size. It has that size from the start, so
 * that what grows is what the reader holds.
 */
const YOUNG = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

/** MB at most of a process that reads the file and does nothing else. */
async function memoryOfReading(reader: keyof typeof READERS, path: string): Promise<number> {
  const child = fileURLToPath(new URL('child.ts', import.meta.url));
  const args = [...YOUNG, '--import', import.meta.resolve('tsx'), child, reader, path];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}
