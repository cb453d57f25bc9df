import { describe, expect, test } from 'vitest';

import { layerFaults, layers } from '../../scripts/check/layers.ts';

const faultsOf = (files: Record<string, string>): string[] => layerFaults(new Map(Object.entries(files)));

describe('the layer rule', () => {
  test.each([
    ['domain/a.ts', `import { b } from '../db/b.ts';`, 'domain may not import db'],
    ['domain/a.ts', `import type { B } from '../activities/b.ts';`, 'domain may not import activities'],
    ['domain/a.ts', `import { readFile } from 'node:fs/promises';`, 'no I/O, clock or chance'],
    ['domain/a.ts', `import { createHash } from 'crypto';`, 'no I/O, clock or chance'],
    ['domain/a.ts', `import { Temporal } from 'temporal-polyfill';`, 'may not import the package temporal-polyfill'],
    ['domain/a.ts', `import Holidays from 'date-holidays';`, 'may not import the package date-holidays'],
    ['domain/a.ts', `export const today = new Date();`, 'domain has no clock'],
    ['domain/a.ts', `export * from '../vitest.config.ts';`, 'which is in no layer'],
    ['workflows/a.ts', `import { act } from '../activities/b.ts';`, 'only types of activities'],
    ['workflows/a.ts', `import type { Database } from '../db/b.ts';`, 'workflows may not import db'],
    ['workflows/a.ts', `import { Client } from '@temporalio/client';`, 'may not import the package @temporalio/client'],
    ['workflows/a.ts', `import fs from 'node:fs';`, 'no I/O, clock or chance'],
    ['activities/a.ts', `import { caseId } from '../workflows/ids.ts';`, 'activities may not import workflows'],
    ['activities/a.ts', `import { app } from '../api/app.ts';`, 'activities may not import api'],
    ['activities/a.ts', `import { sql } from 'kysely';`, 'only db knows SQL'],
    ['db/a.ts', `import { app } from '../api/app.ts';`, 'db may not import api'],
    ['api/a.ts', `import { Pool } from 'pg';`, 'only db knows SQL'],
    ['api/a.ts', `import { invoiceCase } from '../workflows/invoice-case.ts';`, 'api may not import workflows'],
    ['api/a.ts', `import { send } from '../activities/send.ts';`, 'only types of activities'],
    ['api/a.ts', `const m = await import('../worker/main.ts');`, 'api may not import worker'],
    ['web/a.tsx', `import { list } from '../db/list.ts';`, 'web may not import db'],
    ['activities/a.ts', `import { readSettings } from '../config.ts';`, 'which is in no layer'],
    ['config.ts', `import { open } from './db/open.ts';`, 'the settings may not import ./db/open.ts'],
    ['worker/a.ts', `import { start } from '../scripts/stack/start.ts';`, 'worker may not import scripts'],
    ['worker/a.ts', `import { fake } from '../test/support/fake.ts';`, 'worker may not import test'],
  ])('%s must not say %s', (path, source, expected) => {
    const faults = faultsOf({ [path]: `// first line\n${source}\n` });
    expect(faults[0]).toContain(`${path}:2: `);
    expect(faults[0]).toContain(expected);
  });

  test('lets through what the shape allows', () => {
    expect(
      faultsOf({
        'domain/a.ts': `import { b } from './money/b.ts'; import { Temporal } from 'temporal-polyfill/implementation';`,
        'domain/money/b.ts': `export const b = 1;`,
        'workflows/ids.ts': `import { b } from '../domain/money/b.ts';`,
        'workflows/case.ts': `import type { Activities } from '../activities/a.ts'; import { sleep } from '@temporalio/workflow';`,
        'activities/a.ts': `import { b } from '../domain/money/b.ts'; import { open } from '../db/open.ts'; import 'node:fs';`,
        'db/open.ts': `import { Pool } from 'pg'; import { b } from '../domain/money/b.ts';`,
        'api/app.ts': `import { b } from '../workflows/ids.ts'; import type { A } from '../activities/a.ts'; import { z } from 'zod';`,
        'web/page.tsx': `import { b } from '../domain/money/b.ts';`,
        'worker/main.ts': `import { create } from '../activities/a.ts'; import '../workflows/case.ts'; import '../api/app.ts'; import '../config.ts';`,
        'scripts/start.ts': `import '../worker/main.ts'; import { Client } from 'pg';`,
        'test/a.test.ts': `import '../scripts/start.ts'; import '../db/open.ts';`,
        'bench/main.ts': `import '../test/a.test.ts';`,
        'vitest.config.ts': `import { defineConfig } from 'vitest/config';`,
      }),
    ).toEqual([]);
  });

  test('follows imports from the workflows to zod, and names the way', () => {
    const faults = faultsOf({
      'workflows/index.ts': `export * from './case.ts';`,
      'workflows/case.ts': `import { parse } from '../domain/policy/parse.ts';`,
      'domain/policy/parse.ts': `import { schema } from './schema.ts';`,
      'domain/policy/schema.ts': `import { z } from 'zod';`,
    });
    expect(faults).toEqual([
      'domain/policy/schema.ts:1: zod is reachable from workflows: ' +
        'workflows/case.ts -> domain/policy/parse.ts -> domain/policy/schema.ts -> zod',
    ]);
  });

  test('does not follow types, nor mind zod where no workflow reaches it', () => {
    expect(
      faultsOf({
        'workflows/case.ts': `import type { Policy } from '../domain/policy/schema.ts';`,
        'domain/policy/schema.ts': `import { z } from 'zod';`,
      }),
    ).toEqual([]);
  });

  test('holds in this project', async () => {
    expect(await layers.run(process.cwd(), { write: false })).toEqual([]);
  });
});
