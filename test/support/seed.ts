import fc from 'fast-check';

/** Any will do; a fixed one so that a change is judged by the same examples as the one before it. */
const USUAL_SEED = 20_260_904;

/**
 * The seed of every property test: the usual one, the integer in `FC_SEED`, or with `FC_SEED=random` another in each run
 * (for the nightly size, with `CASE_RUNS`). A failure prints its seed. Throws when `FC_SEED` is neither.
 */
function seedOfThisRun(): number | undefined {
  const asked = process.env['FC_SEED'] ?? '';
  if (asked === 'random') return undefined;
  if (asked === '') return USUAL_SEED;
  if (!/^-?\d+$/.test(asked)) throw new Error(`FC_SEED is "${asked}"; it is an integer or "random".`);
  return Number(asked);
}

const seed = seedOfThisRun();
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
