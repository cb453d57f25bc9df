import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive, ownIdentity, startTimeOf } from '../../scripts/stack/identity.ts';
import { tryLock, waitForLock } from '../../scripts/stack/lock.ts';
import { logSince, maxLogBytes, openLog, rotateLiveLog, sizeOf } from '../../scripts/stack/logs.ts';
import { endServerOf } from '../../scripts/stack/postgres-leftovers.ts';
import { endLeftovers } from '../../scripts/stack/processes.ts';
import { closeSync } from 'node:fs';
import { dataFolder } from './folders.ts';

test('a process is told apart from a later one with its pid', () => {
  const self = ownIdentity();
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTime: 'another' })).toBe(false);
  expect(startTimeOf(-1)).toBeUndefined();
  expect(startTimeOf(Number.NaN)).toBeUndefined();
});

test('a lock is held by one, and one whose holder is gone is taken over', async () => {
  const path = join(dataFolder(), 'lock');
  const lock = await tryLock(path);
  expect(lock).toHaveProperty('release');
  expect(await tryLock(path)).toEqual(ownIdentity());
  if ('release' in lock) lock.release();
  expect(existsSync(path)).toBe(false);

  for (const stale of [
    { pid: process.pid, startTime: 'of an earlier process' },
    { pid: 2 ** 22 + 1, startTime: 'x' },
  ]) {
    writeFileSync(path, JSON.stringify(stale));
    const taken = await tryLock(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(ownIdentity());
    if ('release' in taken) taken.release();
  }
  writeFileSync(path, 'torn by a crash');
  expect(await tryLock(path)).toHaveProperty('release');
});

test('of many that want a lock at once one has it at a time', async () => {
  const path = join(dataFolder(), 'lock');
  writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 'stale' }));
  let [inside, most] = [0, 0];
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const lock = await waitForLock(path, 20_000, () => undefined);
      most = Math.max(most, (inside += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
      lock.release();
    }),
  );
  expect(most).toBe(1);
});

test('a recorded process is ended, one that merely got its pid is not', async () => {
  const dataDir = dataFolder();
  mkdirSync(join(dataDir, 'run'));
  const [ours, stranger] = [spawn('sleep', ['60']), spawn('sleep', ['60'])];
  const starter = { pid: process.pid, startTime: 'of a starter that is gone' };
  const record = (name: string, pid: number | undefined, startTime: string | undefined): void =>
    writeFileSync(join(dataDir, 'run', `${name}.json`), JSON.stringify({ pid, startTime, starter }));
  record('ours', ours.pid, startTimeOf(ours.pid ?? 0));
  record('stranger', stranger.pid, 'of the process that had this pid before');
  const ended = once(ours, 'exit');
  expect(await endLeftovers(dataDir)).toEqual(['ours']);
  expect(await ended).toEqual([null, 'SIGTERM']);
  expect(startTimeOf(stranger.pid ?? 0)).toBeDefined();
  expect(existsSync(join(dataDir, 'run', 'stranger.json'))).toBe(false);
  stranger.kill('SIGKILL');
});

test('a postmaster.pid whose pid now belongs to another program is removed and that program left alone', async () => {
  const cluster = dataFolder();
  const stranger = spawn('sleep', ['60']);
  writeFileSync(join(cluster, 'postmaster.pid'), `${stranger.pid}\n${cluster}\n`);
  expect(await endServerOf(cluster)).toBe(false);
  expect(existsSync(join(cluster, 'postmaster.pid'))).toBe(false);
  expect(startTimeOf(stranger.pid ?? 0)).toBeDefined();
  stranger.kill('SIGKILL');
});

test('logs are rotated at their size, also while a process writes to them', () => {
  const path = join(dataFolder(), 'a.log');
  writeFileSync(path, Buffer.alloc(maxLogBytes + 1, 'x'));
  rotateLiveLog(path);
  expect([sizeOf(path), sizeOf(`${path}.1`)]).toEqual([0, maxLogBytes + 1]);
  writeFileSync(path, Buffer.alloc(maxLogBytes + 2, 'y'));
  closeSync(openLog(path));
  expect([sizeOf(path), sizeOf(`${path}.1`)]).toEqual([0, maxLogBytes + 2]);
  writeFileSync(path, 'before, after');
  expect(logSince(path, 8)).toBe('after');
});
