import type { Verb } from './verb.ts';
import { calendar } from './verbs/calendar.ts';
import { showCase } from './verbs/case.ts';
import { createCreditor } from './verbs/creditor-create.ts';
import { exportBooks } from './verbs/export.ts';
import { importFiles } from './verbs/import.ts';
import { createKey } from './verbs/keys-create.ts';
import { addRates, listRates } from './verbs/rates.ts';
import { rollout } from './verbs/rollout.ts';
import { replay } from './verbs/replay.ts';
import { statement } from './verbs/statement.ts';
import { status } from './verbs/status.ts';
import { tasks } from './verbs/tasks.ts';
import { verify } from './verbs/verify.ts';

/** In the order in which help lists them. */
export const VERBS: readonly Verb[] = [
  importFiles,
  statement,
  status,
  tasks,
  showCase,
  calendar,
  rollout,
  verify,
  replay,
  exportBooks,
  listRates,
  addRates,
  createCreditor,
  createKey,
];
