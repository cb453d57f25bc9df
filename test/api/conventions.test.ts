import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../api/problem.ts';
import { invoiceBody, newInvoice, startApi, type Harness, type Reply, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const faults = (reply: Reply): [string, string][] =>
  reply.body.errors.map((e: { pointer: string; code: string }) => [e.pointer, e.code]);

describe('bad input', () => {
  const post = (body: unknown) => h.call(c.operator, 'POST', '/v1/invoices', body);
  const count = async () => (await h.db.selectFrom('invoices').select('id').execute()).length;

  test.each([
    ['an unknown field', { colour: 'red' }, [['/colour', 'unknownField']]],
    [
      'an unknown field within',
      { customer: { reference: 'X', name: 'X', vip: true } },
      [['/customer/vip', 'unknownField']],
    ],
    ['too many decimals', { amount: '1.234' }, [['/amount', 'tooManyDecimals']]],
    ['decimals of a yen', { amount: '1.5', currency: 'JPY' }, [['/amount', 'tooManyDecimals']]],
    ['a sign', { amount: '-1.00' }, [['/amount', 'invalidFormat']]],
    ['a plus', { amount: '+1.00' }, [['/amount', 'invalidFormat']]],
    ['an exponent', { amount: '1e3' }, [['/amount', 'invalidFormat']]],
    ['nothing owed', { amount: '0.00' }, [['/amount', 'amountInvalid']]],
    ['a number where a text belongs', { amount: 1200 }, [['/amount', 'wrongType']]],
    ['an amount no bank has', { amount: '9999999999999999.00' }, [['/amount', 'amountInvalid']]],
    ['an unknown currency', { currency: 'EUX' }, [['/currency', 'unknownCurrency']]],
    ['due before issued', { issuedOn: '2026-11-20', dueOn: '2026-11-19' }, [['/dueOn', 'dueBeforeIssue']]],
    ['a day that does not exist', { dueOn: '2026-02-30' }, [['/dueOn', 'dateInvalid']]],
    ['both customer and id', { customerId: 'cus_01jd3k8x7v5r2m9t4w6y0b1c2d' }, [['/customerId', 'required']]],
    ['a NUL', { number: 'A\0B' }, [['/number', 'invalid']]],
    ['half a surrogate pair', { number: 'A\ud800' }, [['/number', 'invalid']]],
    ['an unknown step', { lastStepSent: 'step-of-nowhere' }, [['/lastStepSent', 'unknownStep']]],
    [
      'an id of another kind',
      { customer: undefined, customerId: 'inv_01jd3k8x7v5r2m9t4w6y0b1c2d' },
      [['/customerId', 'invalidFormat']],
    ],
  ])('%s', async (_, change, expected) => {
    const before = await count();
    const reply = await post(invoiceBody(change));
    expect(reply.status).toBe(422);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.body).toMatchObject({
      status: 422,
      title: expect.any(String),
      type: expect.stringContaining('/errors#'),
    });
    expect(faults(reply)).toEqual(expected);
    expect(await count()).toBe(before);
  });

  test('all faults at once', async () => {
    const reply = await post({
      ...invoiceBody({ amount: '1.234', currency: 'EUR', dueOn: '2020-01-01' }),
      x: 1,
      number: '',
    });
    expect(
      faults(reply)
        .map(([pointer]) => pointer)
        .sort(),
    ).toEqual(['/amount', '/dueOn', '/number', '/x']);
    expect(faults(await post({})).map(([, code]) => code)).toEqual(
      expect.arrayContaining(['required', 'required', 'required', 'required']),
    );
  });

  const raw = (payload: string | Buffer, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    h.app.inject({
      method: 'POST',
      url: '/v1/invoices',
      payload,
      headers: { authorization: `Bearer ${c.operator}`, ...headers },
    });

  test.each([
    ['no JSON', '{"a":', 400, 'malformedJson'],
    ['a poisoned prototype', '{"__proto__":{"a":1}}', 400, 'malformedJson'],
    [
      'broken UTF-8',
      Buffer.concat([Buffer.from('{"number":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
      400,
      'invalidUtf8',
    ],
    ['10 MB', Buffer.alloc(10_000_000, 0x20), 413, 'payloadTooLarge'],
    ['a list', '[]', 422, 'validationFailed'],
    ['no body', '', 422, 'validationFailed'],
  ])('%s', async (_, payload, status, code) => {
    const reply = await raw(payload);
    expect([reply.statusCode, reply.json().code]).toEqual([status, code]);
  });

  test('a content type nobody takes, a method nobody has, a place that is none', async () => {
    expect((await raw('<a/>', { 'content-type': 'application/xml' })).json().code).toBe('unsupportedMediaType');
    expect((await raw('x', { 'content-type': 'text/plain' })).statusCode).toBe(415);
    const put = await h.call(c.operator, 'PUT', '/v1/invoices', {});
    expect([put.status, put.body.code, put.headers['allow']]).toEqual([405, 'methodNotAllowed', 'GET, POST']);
    expect((await h.call(c.operator, 'GET', '/v1/nothing')).status).toBe(404);
    for (const id of ['inv_1', '..%2F..', '%00', 'x'.repeat(90), 'inv_01jd3k8x7v5r2m9t4w6y0b1c2d']) {
      expect((await h.call(c.operator, 'GET', `/v1/invoices/${id}`)).status).toBe(404);
    }
    expect((await h.call(c.operator, 'GET', '/v1/invoices/%E0%A4%A')).status).toBe(400);
  });

  test('queries are judged like bodies', async () => {
    const reply = await h.call(c.operator, 'GET', '/v1/invoices?limit=0&stage=lost&colour=red');
    expect(faults(reply)).toEqual([
      ['/limit', 'tooSmall'],
      ['/stage', 'notAllowed'],
      ['/colour', 'unknownField'],
    ]);
    for (const cursor of ['x', 'aW52b2ljZXM6MQ==', Buffer.from('tasks:1').toString('base64url'), 'y'.repeat(300)]) {
      const wrong = await h.call(c.operator, 'GET', `/v1/invoices?cursor=${cursor}`);
      expect([wrong.status, wrong.body.code]).toEqual([422, 'cursorInvalid']);
    }
  });

  test('a person behind a key is a line of at most 80 characters', async () => {
    for (const actor of ['a'.repeat(81), 'a\tb\u0001', ' ']) {
      const reply = await h.call(c.operator, 'GET', '/v1/clock', undefined, { 'relance-actor': actor });
      expect([reply.status, reply.body.code]).toEqual([422, 'actorInvalid']);
    }
  });

  test('text is text: SQL and HTML come back as they went in', async () => {
    const name = `'; drop table invoices; -- <img src=x onerror=alert(1)> \u202e`;
    const invoice = await newInvoice(h, c.operator, { customer: { reference: `'"<>`, name, country: 'FR' } });
    const customer = await h.call(c.operator, 'GET', `/v1/customers/${invoice.customerId}`);
    expect(customer.body).toMatchObject({ name, reference: `'"<>` });
  });

  test('whatever JSON comes, nothing breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.constantFrom('/v1/invoices', '/v1/customers', '/v1/feeds'),
        async (body, url) => {
          const reply = await raw2(url, JSON.stringify(body));
          // 400 for a poisoned prototype, which is refused before anything looks at the rest.
          expect([400, 422]).toContain(reply.statusCode);
          expect(['malformedJson', 'validationFailed']).toContain(reply.json().code);
        },
      ),
      { numRuns: 60 },
    );
  });

  const raw2 = (url: string, payload: string) =>
    h.app.inject({
      method: 'POST',
      url,
      payload,
      headers: { authorization: `Bearer ${c.approver}`, 'content-type': 'application/json' },
    });
});

describe('idempotency', () => {
  const post = (key: string, body: unknown, url = '/v1/invoices') =>
    h.call(c.operator, 'POST', url, body, { 'idempotency-key': key });

  test('the same request twice is done once and answered the same', async () => {
    const invoice = await newInvoice(h, c.operator);
    const pay = { amount: '10.00', currency: 'EUR', receivedOn: '2026-11-20' };
    const url = `/v1/invoices/${invoice.id}/payments`;
    const first = await post('pay-1', pay, url);
    const second = await post('pay-1', { receivedOn: '2026-11-20', currency: 'EUR', amount: '10.00' }, url);
    expect(first.status).toBe(201);
    expect([second.status, second.body]).toEqual([201, first.body]);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('1190.00');
    const other = await post('pay-1', { ...pay, amount: '11.00' }, url);
    expect([other.status, other.body.code]).toEqual([422, 'idempotencyKeyReused']);
  });

  test('a refusal is an answer too; keys are each creditor’s own', async () => {
    const invoice = await newInvoice(h, c.operator);
    const url = `/v1/invoices/${invoice.id}/disputes`;
    const refused = await post('dis-1', { amount: '5000.00', category: 'price' }, url);
    expect(refused.status).toBe(422);
    const again = await post('dis-1', { amount: '5000.00', category: 'price' }, url);
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([422, refused.body, 'true']);
    const other = await h.creditor();
    const theirs = await h.call(other.operator, 'POST', '/v1/invoices', invoiceBody(), { 'idempotency-key': 'dis-1' });
    expect(theirs.status).toBe(201);
  });

  test('twenty at once: one is carried out, the others wait their turn or read its answer', async () => {
    const invoice = await newInvoice(h, c.operator);
    const pay = { amount: '1.00', currency: 'EUR', receivedOn: '2026-11-20' };
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => post('race', pay, `/v1/invoices/${invoice.id}/payments`)),
    );
    const statuses = new Set(replies.map((reply) => reply.status));
    expect([...statuses].every((status) => status === 201 || status === 409)).toBe(true);
    expect(replies.filter((reply) => reply.status === 409).every((reply) => reply.body.code === 'requestRunning')).toBe(
      true,
    );
    expect(new Set(replies.filter((r) => r.status === 201).map((r) => r.body.id)).size).toBe(1);
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('1199.00');
  });

  test('a secret is not kept in plain words', async () => {
    const make = () =>
      h.call(c.approver, 'POST', '/v1/feeds', { kind: 'standard', name: 'F' }, { 'idempotency-key': 'feed-1' });
    const [first, second] = [await make(), await make()];
    expect(second.body).toEqual(first.body);
    const row = await h.db
      .selectFrom('idempotency_keys')
      .select('body')
      .where('key', '=', 'feed-1')
      .executeTakeFirstOrThrow();
    expect(JSON.stringify(row.body)).not.toContain(first.body.secret);
  });

  test('what broke on our side is not kept', async () => {
    const body = invoiceBody();
    await h.db.schema.alterTable('invoice_tokens').renameTo('away').execute();
    const broken = await post('broken', body);
    expect([broken.status, broken.body.code]).toEqual([500, 'internal']);
    expect(JSON.stringify(broken.body)).not.toContain('invoice_tokens');
    await h.db.schema.alterTable('away').renameTo('invoice_tokens').execute();
    expect((await post('broken', body)).status).toBe(201);
  });
});

describe('lists', () => {
  test('skip nothing and show nothing twice while rows are added', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 3 }),
        async (size, limit, added) => {
          const mine = await h.creditor();
          const ids: string[] = [];
          for (let i = 0; i < size; i += 1) ids.unshift((await newInvoice(h, mine.operator)).id);
          const seen: string[] = [];
          let cursor: string | null = null;
          do {
            const url: string = `/v1/invoices?limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`;
            const page: Reply = await h.call(mine.operator, 'GET', url);
            expect(page.body.data.length).toBeLessThanOrEqual(limit);
            seen.push(...page.body.data.map((row: { id: string }) => row.id));
            cursor = page.body.nextCursor;
            for (let i = 0; i < added; i += 1) await newInvoice(h, mine.operator);
          } while (cursor !== null);
          expect(seen).toEqual(ids);
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('commands', () => {
  const pause = (id: string, key?: string, body: object = { reason: 'They asked' }) =>
    h.call(c.operator, 'POST', `/v1/invoices/${id}/pause`, body, key === undefined ? {} : { 'idempotency-key': key });
  const stored = (id: string) => h.db.selectFrom('commands').selectAll().where('invoice_id', '=', id).execute();

  test('are stored with their words, and handed over by id alone', async () => {
    const invoice = await newInvoice(h, c.operator);
    const handed: unknown[] = [];
    h.commands.execute = async (command) => {
      handed.push(command);
      return { accepted: true, code: null };
    };
    const reply = await pause(invoice.id, undefined, { reason: 'They asked', until: '2026-12-01' });
    expect([reply.status, reply.body.id]).toEqual([200, invoice.id]);
    const [row] = await stored(invoice.id);
    expect(row).toMatchObject({
      kind: 'pause',
      args: { until: '2026-12-01' },
      reason: 'They asked',
      actor: 'operator',
    });
    expect(handed).toEqual([{ invoiceId: invoice.id, commandId: row!.id, name: 'pause' }]);
  });

  test('that a case refuses are 409 with the reason', async () => {
    const invoice = await newInvoice(h, c.operator);
    h.commands.execute = async () => ({ accepted: false, code: 'alreadyPaused' });
    const reply = await pause(invoice.id);
    expect([reply.status, reply.body.code]).toEqual([409, 'alreadyPaused']);
  });

  test('not answered are 503; the repeat joins and learns the true outcome', async () => {
    const invoice = await newInvoice(h, c.operator);
    const ids: string[] = [];
    h.commands.execute = async ({ commandId }) => {
      ids.push(commandId);
      throw new Problem('outcomeUnknown', 'Not yet.', { headers: { 'retry-after': '2' } });
    };
    const first = await pause(invoice.id, 'cmd-1');
    expect([first.status, first.body.code, first.headers['retry-after']]).toEqual([503, 'outcomeUnknown', '2']);
    h.commands.execute = async ({ commandId }) => {
      ids.push(commandId);
      return { accepted: false, code: 'alreadyPaused' };
    };
    expect((await pause(invoice.id, 'cmd-1')).body.code).toBe('alreadyPaused');
    // Now it is known, and nobody is asked any more.
    h.commands.execute = async () => ({ accepted: true, code: null });
    expect((await pause(invoice.id, 'cmd-1')).body.code).toBe('alreadyPaused');
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(await stored(invoice.id)).toHaveLength(1);
    expect((await pause(invoice.id, 'cmd-1', { reason: 'Another' })).body.code).toBe('idempotencyKeyReused');
  });

  test('the same one twice at once joins, never 409', async () => {
    const invoice = await newInvoice(h, c.operator);
    h.commands.execute = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { accepted: true, code: null };
    };
    const replies = await Promise.all([1, 2, 3, 4].map(() => pause(invoice.id, 'cmd-2')));
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 200, 200]);
    expect(await stored(invoice.id)).toHaveLength(1);
  });

  test('to a closed case are 409, to a Temporal that is away 503', async () => {
    const invoice = await newInvoice(h, c.operator);
    h.commands.execute = async () => {
      throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    };
    const away = await pause(invoice.id, 'cmd-3');
    expect([away.status, away.body.code, away.headers['retry-after']]).toEqual([503, 'dependencyDown', '5']);
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', invoice.id).execute();
    expect((await pause(invoice.id)).body.code).toBe('caseClosed');
    const reopen = await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/reopen`, { reason: 'x' });
    expect([reopen.status, reopen.body.stage]).toEqual([200, 'upcoming']);
    const twice = await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/reopen`, { reason: 'x' });
    expect([twice.status, twice.body.code]).toEqual([409, 'caseOpen']);
  });
});

describe('the service', () => {
  test('tells the truth about what it needs', async () => {
    expect((await h.call(null, 'GET', '/readyz')).body).toEqual({
      status: 'ready',
      checks: { database: 'ok', migrations: 'ok', temporal: 'ok' },
    });
    h.commands.up = false;
    const down = await h.call(null, 'GET', '/readyz');
    expect([down.status, down.body.checks.temporal]).toEqual([503, 'down']);
    h.commands.up = true;
    const other = await startApi();
    await other.db.deleteFrom('kysely_migration' as never).execute();
    expect((await other.call(null, 'GET', '/readyz')).body.checks).toMatchObject({
      database: 'ok',
      migrations: 'behind',
    });
    await other.db.destroy();
    const dead = await other.call(null, 'GET', '/readyz');
    expect([dead.status, dead.body.checks.database]).toEqual([503, 'down']);
    expect((await other.call(null, 'GET', '/healthz')).status).toBe(200);
  });

  test('without its database answers 503 and when to try again', async () => {
    const away = await startApi({}, 2, 'postgresql://nobody@127.0.0.1:1/nowhere');
    for (const [method, url] of [
      ['GET', '/v1/invoices'],
      ['POST', '/v1/invoices'],
      ['POST', `/v1/webhooks/feeds/fee_01jd3k8x7v5r2m9t4w6y0b1c2d`],
    ] as const) {
      const reply = await away.call(c.operator, method, url, method === 'POST' ? {} : undefined);
      expect([reply.status, reply.body.code, reply.headers['retry-after']]).toEqual([503, 'dependencyDown', '5']);
    }
    expect((await away.call(null, 'GET', '/metrics')).raw.body).toContain('relance_database_up 0');
    await away.stop();
  });

  test('shows metrics to the local network only', async () => {
    const metrics = await h.call(null, 'GET', '/metrics');
    expect(metrics.raw.body).toContain('relance_contacts_duplicate_total 0');
    expect(metrics.raw.body).toContain('relance_contacts_after_payment_total 0');
    expect(metrics.raw.body).toContain('relance_http_request_seconds_bucket');
    const outside = await h.app.inject({ method: 'GET', url: '/metrics', remoteAddress: '203.0.113.9' });
    expect(outside.statusCode).toBe(403);
  });

  test('limits requests a key, not webhooks', async () => {
    const tight = await startApi({ rateLimitPerMinute: 3 });
    const mine = await tight.creditor();
    const replies = [];
    for (let i = 0; i < 4; i += 1) replies.push(await tight.call(mine.approver, 'GET', '/v1/clock'));
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 200, 429]);
    expect(replies[3]!.body.code).toBe('tooManyRequests');
    expect(Number(replies[3]!.headers['retry-after'])).toBeGreaterThan(0);
    expect((await tight.call(mine.operator, 'GET', '/v1/clock')).status).toBe(200);
    for (let i = 0; i < 5; i += 1) {
      expect((await tight.call(null, 'POST', '/v1/webhooks/resend', {})).status).toBe(401);
    }
    await tight.stop();
  });

  test('documents itself, with examples and operation ids', async () => {
    const document = (await h.call(null, 'GET', '/openapi.json')).body;
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods as object));
    const ids = operations.map((operation: { operationId?: string }) => operation.operationId);
    expect(ids.every(Boolean)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.components.schemas.NewInvoiceInput ?? document.components.schemas.NewInvoice).toBeDefined();
    expect((await h.call(null, 'GET', '/docs/')).status).toBe(200);
    expect((await h.call(null, 'GET', '/errors')).raw.body).toContain('id="invoiceExists"');
  });

  test('logs no names, addresses, bodies or keys', async () => {
    const canary = 'Canary-Zeisig-4711';
    const fresh = await h.creditor({ name: canary, senderEmail: 'canary-zeisig@example.com' });
    await newInvoice(h, fresh.operator, {
      number: `${canary}-9`,
      customer: {
        reference: `${canary}-ref`,
        name: canary,
        country: 'FR',
        contacts: [{ email: 'canary-zeisig@example.com', phone: '+33 6 98 76 54 32' }],
      },
    });
    await h.call(fresh.operator, 'POST', '/v1/invoices', { number: canary, [canary]: canary });
    await h.call(fresh.operator, 'GET', `/v1/invoices?number=${canary}`, undefined, { 'relance-actor': canary });
    await h.call(fresh.operator, 'GET', `/v1/customers/${canary}`);
    await h.call(`rel_${canary}`, 'GET', `/v1/${canary}`);
    await h.db.schema.alterTable('invoice_tokens').renameTo('away').execute();
    const failed = await h.call(fresh.operator, 'POST', '/v1/invoices', invoiceBody({ number: canary }));
    await h.db.schema.alterTable('away').renameTo('invoice_tokens').execute();
    expect(failed.status).toBe(500);

    const logs = h.logs();
    expect(logs).toContain('"route":"/v1/invoices"');
    expect(logs).toContain('request failed');
    const secrets = ['canary-zeisig', canary, '98 76 54', fresh.operator, fresh.approver, h.adminKey];
    expect(secrets.filter((secret) => logs.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
  });
});
