import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killRun } from './run.ts';

/**
 * The kill run by hand: `npx tsx test/kill/main.ts --seed 1 --rounds 10` plays the demo ten times with the seeds from 1 on
 * and ends 0 when everything held each time. `--kills` a round (default 12), `--day` (default 1500ms), `--verbose`.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    kills: { type: 'string', default: '12' },
    day: { type: 'string', default: '1500ms' },
    verbose: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
let broken = 0;
for (let round = 0; round < Number(values.rounds); round += 1) {
  const seed = Number(values.seed) + round;
  const begun = Date.now();
  const { status, killed, output } = await killRun({
    seed,
    kills: Number(values.kills),
    day: values.day,
    dataDir: realpathSync(mkdtempSync(join(tmpdir(), 'relance-kill-'))),
    limitMs: 15 * 60_000,
    log: values.verbose ? say : () => undefined,
  });
  if (status !== 0) broken += 1;
  if (status !== 0 || values.verbose) say(output);
  const seconds = Math.round((Date.now() - begun) / 1_000);
  say(
    `seed ${seed}: ${status === 0 ? 'everything holds' : 'BROKEN'} after killing ${killed.join(', ')} (${seconds} s)`,
  );
}
process.exitCode = broken === 0 ? 0 : 1;
