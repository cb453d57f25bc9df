/** OpenAPI drift: the committed description of the API must be the one that the routes give. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { CheckPart } from './part.ts';

const FILE = 'docs/openapi.json';

export const openapi: CheckPart = {
  name: 'openapi',
  run: async (root) => {
    const { openapiDocument } = await import('../write-openapi.ts');
    // Through JSON, since that drops what a file cannot hold (undefined members).
    const wanted: unknown = JSON.parse(JSON.stringify(await openapiDocument()));
    const found: unknown = JSON.parse(await readFile(join(root, FILE), 'utf8'));
    const faults = differences(found, wanted);
    return faults.length === 0 ? [] : [`${FILE} is not current, run "npm run openapi":\n${faults.join('\n')}`];
  },
};

const SHOWN = 10;

/** The first places where two JSON values differ, as JSON pointers with what is wrong there. */
export function differences(found: unknown, wanted: unknown): string[] {
  const list: string[] = [];
  compare(found, wanted, '', list);
  return list.length > SHOWN ? [...list.slice(0, SHOWN), `… and ${list.length - SHOWN} more`] : list;
}

function compare(found: unknown, wanted: unknown, pointer: string, list: string[]): void {
  if (isNode(found) && isNode(wanted) && Array.isArray(found) === Array.isArray(wanted)) {
    for (const key of new Set([...Object.keys(found), ...Object.keys(wanted)])) {
      const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (!(key in found)) list.push(`${at} is missing`);
      else if (!(key in wanted)) list.push(`${at} is no longer there`);
      else compare(found[key], wanted[key], at, list);
    }
  } else if (!Object.is(found, wanted)) {
    list.push(`${pointer || '/'} differs`);
  }
}

function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
