import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killRun } from './run.ts';

const LIMIT_MS = 240_000;

/** One round with few kills; ten seeds by hand: `npx tsx test/kill/main.ts --rounds 10`. */
test(
  'the demo comes to its end, and everything holds, though parts of it and all of it are killed',
  { timeout: LIMIT_MS + 30_000 },
  async () => {
    const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'relance-kill-')));
    const result = await killRun({ seed: 4, kills: 6, day: '700ms', dataDir, limitMs: LIMIT_MS, log: () => undefined });
    expect(result.status, result.output).toBe(0);
    expect(result.killed.length).toBeGreaterThanOrEqual(4);
    expect(new Set(result.killed).size).toBeGreaterThanOrEqual(3);
    const verdicts = result.output.split('\n').filter((line) => /^(holds|BROKEN) /.test(line));
    expect(verdicts.length).toBe(14);
    expect(verdicts.filter((line) => !line.startsWith('holds'))).toEqual([]);
    expect(result.output).toMatch(/^holds {3}every ending is reached: settled; .*; insolvent$/m);
    expect(result.output).toMatch(/every payment is one receipt: [1-9]\d* messages and [1-9]\d* statements /);
    expect(result.output).toMatch(/no contact after payment: [1-9]\d* mails .*counter 0/);
    expect(result.output).toMatch(/none twice: [1-9]\d* mails, .*counter 0/);
  },
);
