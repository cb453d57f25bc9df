import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readRecord } from '../../scripts/stack/files.ts';
import { isAlive, parseIdentity } from '../../scripts/stack/identity.ts';
import { removeDistantDatabase } from '../../scripts/stack/postgres-home.ts';
import { nodeCommand } from '../../scripts/stack/supervisor.ts';

const START = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface KillRun {
  /** Decides who is killed when: the same number, the same plan. */
  readonly seed: number;
  readonly kills: number;
  /** Length of a business day, as `--day` takes it. */
  readonly day: string;
  /** An empty folder of the run's own; it is emptied again afterwards. */
  readonly dataDir: string;
  /** How long the whole run may take, in real milliseconds. */
  readonly limitMs: number;
  readonly log: (line: string) => void;
}

export interface KillResult {
  /** Exit status of the last start: 0 when everything that must hold does. */
  readonly status: number | null;
  /** Who was killed, in order; `everything` was the whole stack with its starter. */
  readonly killed: readonly string[];
  /** All that the starts have printed. */
  readonly output: string;
}

const TARGETS = ['worker', 'worker', 'api', 'api', 'temporal', 'postgres', 'mail', 'everything'] as const;

/**
 * Plays the demo with `--once` and sends SIGKILL to parts of it, or to all of it, at moments that the seed decides; what
 * was killed as a whole is started again on the same data. Leaves nothing running.
 */
export async function killRun(options: KillRun): Promise<KillResult> {
  const { dataDir, log } = options;
  const random = generator(options.seed);
  const deadline = Date.now() + options.limitMs;
  const killed: string[] = [];
  let output = '';
  const begin = (more: readonly string[]): Start => {
    const start = startDemo(dataDir, more, (text) => {
      output += text;
    });
    return start;
  };

  let start = begin(['--day', options.day]);
  try {
    for (let n = 0; n < options.kills; n += 1) {
      await isReady(start, dataDir, deadline);
      await sleep(1_000 + random() * 4_000);
      if (start.ended() || Date.now() > deadline) break;
      const target = TARGETS[Math.floor(random() * TARGETS.length)] ?? 'worker';
      if (target === 'everything') {
        await killEverything(start, dataDir);
        start = begin([]);
      } else if (!killOne(dataDir, target)) continue;
      killed.push(target);
      log(`killed ${target}`);
    }
    await Promise.race([start.exit, sleep(Math.max(0, deadline - Date.now()), undefined, { ref: false })]);
    return { status: start.ended() ? await start.exit : null, killed, output };
  } finally {
    await killEverything(start, dataDir);
    await removeDistantDatabase(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Start {
  readonly child: ChildProcess;
  /** Its exit status, null when it was killed. */
  readonly exit: Promise<number | null>;
  ended(): boolean;
}

function startDemo(dataDir: string, more: readonly string[], hear: (text: string) => void): Start {
  const { command, args } = nodeCommand(START, ['--once', '--data', dataDir, ...more]);
  // Servers that were given would be shared with others, and cannot be killed.
  const { DATABASE_URL: _, TEMPORAL_ADDRESS: __, TEMPORAL_NAMESPACE: ___, ...env } = process.env;
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
  let ended = false;
  const exit = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      ended = true;
      resolve(code);
    });
  });
  return { child, exit, ended: () => ended };
}

async function isReady(start: Start, dataDir: string, deadline: number): Promise<void> {
  while (!start.ended() && Date.now() < deadline && !existsSync(join(dataDir, 'ready.json'))) await sleep(100);
}

/** @returns false while it is down anyway */
function killOne(dataDir: string, name: string): boolean {
  const found = parseIdentity(readRecord(join(dataDir, 'run', `${name}.json`)));
  if (found === undefined || !isAlive(found)) return false;
  process.kill(found.pid, 'SIGKILL');
  return true;
}

/** The starter first, so that it restarts nothing; then what it has started, and waits until all of it is gone. */
async function killEverything(start: Start, dataDir: string): Promise<void> {
  start.child.kill('SIGKILL');
  await start.exit;
  rmSync(join(dataDir, 'ready.json'), { force: true });
  const names = existsSync(join(dataDir, 'run')) ? readdirSync(join(dataDir, 'run')) : [];
  for (const file of names.filter((name) => name.endsWith('.json'))) {
    const name = file.slice(0, -'.json'.length);
    const found = parseIdentity(readRecord(join(dataDir, 'run', file)));
    killOne(dataDir, name);
    for (let n = 0; found !== undefined && isAlive(found) && n < 100; n += 1) await sleep(50);
  }
}

/** Mulberry32: numbers from 0 to 1 that look random and are the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
