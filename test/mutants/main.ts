import { join } from 'node:path';
import { MUTANTS } from './mutants.ts';
import { copyTree, plant, runTests } from './plant.ts';

/**
 * The seeded-fault proof: `npx tsx test/mutants/main.ts [NAME…]` puts ten bugs, one by one, into a copy of the working
 * tree and runs there the test files that have to catch it. Ends 0 when every bug is caught, 1 when one survives, 2 when
 * the files are red without any bug or a name is unknown.
 */
const names = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const unknown = names.filter((name) => !MUTANTS.some((m) => m.name === name));
const chosen = MUTANTS.filter((m) => names.length === 0 || names.includes(m.name));

/** Ends the same way a whole run does, so that the copy is always removed. */
async function prove(): Promise<number> {
  if (unknown.length > 0) {
    say(`Unknown: ${unknown.join(', ')}. There are: ${MUTANTS.map((m) => m.name).join(', ')}`);
    return 2;
  }
  const copy = copyTree(join(import.meta.dirname, '..', '..'));
  try {
    const files = [...new Set(chosen.flatMap((m) => m.tests))];
    const sound = await runTests(copy.root, files);
    if (sound.failed.length > 0 || sound.passed === 0) {
      say(`Without any bug ${files.join(', ')} should pass: ${sound.failed.join('; ') || 'no test ran'}`);
      say(sound.output);
      return 2;
    }
    say(`without a bug: ${sound.passed} tests of ${files.length} files pass`);
    let survived = 0;
    say('| bug | caught | by |\n| --- | --- | --- |');
    for (const mutant of chosen) {
      const takeOut = plant(copy.root, mutant);
      const { failed } = await runTests(copy.root, mutant.tests);
      takeOut();
      if (failed.length === 0) survived += 1;
      const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
      say(`| ${mutant.name} | ${failed.length > 0 ? 'caught' : 'SURVIVED'} | ${failed[0] ?? ''}${more} |`);
    }
    say(survived === 0 ? `all ${chosen.length} caught` : `${survived} of ${chosen.length} survived`);
    return survived === 0 ? 0 : 1;
  } finally {
    copy.remove();
  }
}

process.exitCode = await prove();
