/**
 * Writes what documents the API from its code: docs/openapi.json and docs/errors.md. `npm run check` compares the former
 * with what `openapiDocument` gives.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { printBatch } from '../activities/letters/index.ts';
import { renderAgain } from '../activities/render-again.ts';
import { createTemplateTexts } from '../activities/template-texts.ts';
import { buildApp } from '../api/app.ts';
import { errorsMarkdown } from '../api/problem.ts';
import { createDatabase } from '../db/database.ts';

/** The OpenAPI document as the running API gives it at /openapi.json. Nothing is connected to. */
export async function openapiDocument(): Promise<unknown> {
  const nowhere = createDatabase('postgresql://nobody@localhost/nowhere');
  const app = await buildApp({
    db: nowhere,
    clock: { now: () => 0, dayMs: 86_400_000 },
    commands: {
      execute: () => Promise.reject(new Error('there are no cases here')),
      isUp: () => Promise.resolve(false),
    },
    intake: { write: () => Promise.reject(new Error('there is no inbox here')), drained: () => Promise.resolve() },
    holidays: () => [],
    texts: createTemplateTexts(null),
    printer: printBatch,
    renderMessage: renderAgain,
    logger: false,
    config: {
      secretKey: Buffer.alloc(32),
      rateLimitPerMinute: 1,
      trustProxy: false,
      metricsPublic: false,
      publicUrl: null,
    },
  });
  try {
    await app.ready();
    return app.swagger();
  } finally {
    await app.close();
    await nowhere.destroy();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const docs = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs');
  await mkdir(docs, { recursive: true });
  await writeFile(join(docs, 'openapi.json'), `${JSON.stringify(await openapiDocument(), null, 2)}\n`);
  await writeFile(join(docs, 'errors.md'), errorsMarkdown());
  console.log('docs/openapi.json and docs/errors.md are written.');
}
