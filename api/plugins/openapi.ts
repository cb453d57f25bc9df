import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { TAGS } from '../routing.ts';

const DESCRIPTION = `
Relance looks after every invoice a company has issued until it is settled.

- \`Authorization: Bearer KEY\`. A key belongs to one creditor and has a role; what belongs to another creditor is 404.
- Amounts are decimal strings beside a currency, dates \`YYYY-MM-DD\` in the creditor's time zone, instants ISO 8601 in UTC.
- \`Idempotency-Key\` on any POST: same key and body, same answer. \`Relance-Actor\` names the person behind a key.
- Lists: \`limit\` and \`cursor\`; the answer is \`{data, nextCursor}\`.
- Refusals are \`application/problem+json\` with a stable \`code\` (\`/errors\`).
`.trim();

const transform = createJsonSchemaTransform({ skipList: [] });

/** The description of the API, at /openapi.json and, to read and try, at /docs. */
export async function registerOpenapi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Relance',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS.map((tag) => ({ ...tag })),
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: (document) => (document.schema ? transform(document) : document) as never,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
}
