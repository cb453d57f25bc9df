import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { buildWorkflowBundle } from '../../scripts/build-bundle.ts';

const HISTORIES = join(import.meta.dirname, 'histories');
const names = readdirSync(HISTORIES).filter((name) => name.endsWith('.json'));

/**
 * Workflows that were begun by code of yesterday go on under code of today. A history that does not replay means: patch
 * (after a release), or record anew with `npx tsx test/replay/record.ts` (before the first one).
 */
describe('histories of running workflows', { timeout: 120_000 }, () => {
  it('are there, varied and small', () => {
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect(statSync(join(HISTORIES, name)).size, name).toBeLessThan(300_000);
  });

  it('replay under the code as it is', async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const folder = mkdtempSync(join(tmpdir(), 'relance-replay-'));
    const { file } = await buildWorkflowBundle(join(folder, 'bundle.js'), {
      cacheDir: join(import.meta.dirname, '../../node_modules/.cache/relance'),
    });
    const workflowBundle = { codePath: file };
    const problems: string[] = [];
    for (const name of names) {
      const history: unknown = JSON.parse(readFileSync(join(HISTORIES, name), 'utf8'));
      await Worker.runReplayHistory({ workflowBundle }, history, idOf(name)).catch((error: unknown) => {
        problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
    rmSync(folder, { recursive: true });
    expect(problems).toEqual([]);
  });

  it('hold nobody’s name, address or mail', () => {
    for (const name of names) {
      const text = readFileSync(join(HISTORIES, name), 'utf8');
      // Payloads are base64 in the JSON of a history.
      const payloads = [...text.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/g)].map((m) =>
        Buffer.from(m[1]!, 'base64').toString(),
      );
      for (const secret of ['Maison Test', 'Atelier Lumen', '.example', tmpdir()]) {
        expect(text, name).not.toContain(secret);
        expect(payloads.join('\n'), name).not.toContain(secret);
      }
    }
  });
});

/** The workflow's id only has to look like one. */
const idOf = (name: string): string => name.replace(/\.json$/, '');
