/** The parts of the check that are programs of others: prettier, oxlint, tsc. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

import type { CheckPart } from './part.ts';

/**
 * A part that runs a program installed by npm. Its faults are what the program printed, one block, when it ended
 * other than with 0.
 */
function tool(name: string, program: string, args: readonly string[], writeArgs?: readonly string[]): CheckPart {
  return {
    name,
    run: async (root, { write }) => {
      const script = join(root, 'node_modules', '.bin', program);
      const { code, output } = await runProgram(script, write && writeArgs ? writeArgs : args, root);
      return code === 0 ? [] : [output.trim() === '' ? `${program} ended with ${code}` : output.trim()];
    },
  };
}

function runProgram(program: string, args: readonly string[], cwd: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    // No terminal colours: the text is shown again at the end of the check and in the log of CI.
    const env = { ...process.env, NO_COLOR: '1' };
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => void (output += chunk.toString('utf8'));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 1, output: signal ? `${output}\nended by ${signal}` : output }),
    );
  });
}

export const format = tool(
  'format',
  'prettier',
  ['--check', '--log-level', 'warn', '.'],
  ['--write', '--log-level', 'warn', '.'],
);
export const lint = tool('lint', 'oxlint', ['--type-aware', '--deny-warnings']);
export const types = tool('types', 'tsc', ['--noEmit', '-p', 'tsconfig.json']);
