import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VERBS } from '../../scripts/cli/verbs.ts';
import { writeReady, type Ready } from '../../scripts/start/ready-file.ts';
import { fakeApi, problem, run, towards, type Answer, type FakeApi, type Heard } from './fake-api.ts';

const root = join(import.meta.dirname, '../..');
const INVOICE_ID = `inv_${'0'.repeat(26)}`;
const invoice = {
  id: INVOICE_ID,
  number: 'INV-1',
  customerId: 'cus_1',
  workflowId: `case/${INVOICE_ID}`,
  stage: 'reminding',
  holds: [{ id: 'p', kind: 'promise', until: '2026-03-10', amount: '50.00' }],
  issuedOn: '2026-01-05',
  dueOn: '2026-02-04',
  amount: '100.00',
  balance: '80.00',
  currency: 'EUR',
  policy: { name: 'fr-business', version: 2 },
  next: { at: '2026-03-11T07:30:00.000Z', action: 'contact', step: 'reminder-2', reason: 'stepDue' },
};
const creditor = { id: 'cre_1', name: 'Atelier', timeZone: 'Europe/Paris' };
const page = (data: unknown[], nextCursor: string | null = null): Answer => ({ body: { data, nextCursor } });

let folder: string;
let api: FakeApi;
let answers: (heard: Heard) => Answer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relance-cli-'));
  answers = ({ path }) => problem(404, 'notFound', 'There is no such thing', `Nothing of yours has this id: ${path}.`);
  api = await fakeApi((heard) => (heard.path === '/v1/creditor' ? { body: creditor } : answers(heard)));
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

const ready = (): Ready => ({
  apiUrl: api.url,
  docsUrl: `${api.url}/docs`,
  temporalUiUrl: 'http://localhost:8233',
  temporalAddress: 'localhost:7233',
  temporalNamespace: 'default',
  databaseUrl: 'postgres://nowhere',
  mailUrl: 'http://localhost:4000',
  adminKey: 'admin-key',
  creditorId: 'cre_1',
  apiKey: 'creditor-key',
  pid: 4711,
  startedAt: '2026-03-02T09:00:00.000Z',
});

describe('help and usage', () => {
  test('lists every verb, and says of each what it takes', async () => {
    const { out, exitCode } = await run(['--help']);
    expect(exitCode).toBe(0);
    for (const verb of VERBS) {
      expect(out).toContain(`  ${verb.name}`);
      const own = await run([...verb.name.split(' '), '--help']);
      expect(own).toMatchObject({ exitCode: 0, err: '' });
      expect(own.out).toContain(verb.summary);
      for (const option of [...Object.keys(verb.options), 'data']) expect(own.out).toContain(`--${option}`);
    }
  });

  test.each([
    [[], 2, ''],
    [['imprt'], 2, 'There is no verb "imprt": --help lists the verbs.\n'],
    [['creditor', 'destroy'], 2, 'There is no verb "creditor": did you mean creditor create?\n'],
    [['import'], 2, 'Write: import FILE… [options] (import --help says more).\n'],
    [['status', '--colour'], 2, `Unknown option '--colour'. "status --help" lists the options.\n`],
    [['tasks', '--limit', 'many'], 2, '--limit is a whole number from 1.\n'],
    [['keys', 'create'], 2, '--name is missing.\n'],
    [['creditor', 'create', '--name', 'A'], 2, '--country is missing.\n'],
  ])('%j ends with %d', async (argv, exitCode, err) => {
    expect(await run(argv, towards(api))).toMatchObject({ exitCode, err });
  });

  test('as a process of its own, through tsx', async () => {
    const main = join(root, 'scripts/cli/main.ts');
    const env = { ...process.env, RELANCE_URL: api.url, RELANCE_API_KEY: 'key-1' };
    answers = ({ path }) => (path === '/v1/invoices' ? page([]) : problem(404, 'notFound', 'No', 'no'));
    const failed: unknown = await promisify(execFile)(process.execPath, ['--import', 'tsx', main, 'case', 'NOPE'], {
      cwd: root,
      env,
    }).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'There is no invoice with the id or number NOPE.\n',
    });
  });

  test('ends quietly when nobody reads what it says', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'scripts/cli/main.ts'), '--help'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});

describe('where the stack is', () => {
  test('a folder that was named counts, before or behind the verb; else the environment', async () => {
    writeReady(folder, ready());
    answers = () => page([]);
    for (const argv of [
      ['--data', folder, 'tasks'],
      ['tasks', '--data', folder],
      [`--data=${folder}`, 'tasks'],
    ]) {
      expect(await run(argv, { RELANCE_URL: 'http://127.0.0.1:1', RELANCE_API_KEY: 'x' })).toMatchObject({
        exitCode: 0,
      });
      expect(api.heard.at(-1)!.headers.authorization).toBe('Bearer creditor-key');
    }
    await run(['tasks'], towards(api));
    expect(api.heard.at(-1)!.headers.authorization).toBe('Bearer key-1');
  });

  test('each thing that is wrong with it is one sentence, at once', async () => {
    const nowhere = await run(['tasks', '--data', join(folder, 'none')], {});
    expect(nowhere).toMatchObject({ exitCode: 1, out: '' });
    expect(nowhere.err).toMatch(/^Nothing runs in .*none: start it with "npm start".*\n$/);
    writeFileSync(join(folder, 'ready.json'), '{"apiUrl": 5}');
    expect((await run(['tasks', '--data', folder])).err).toMatch(/is not the file of a running stack\.\n$/);
    writeFileSync(join(folder, 'ready.json'), 'half of i');
    expect((await run(['tasks', '--data', folder])).err).toMatch(/is not the file of a running stack\.\n$/);
    expect((await run(['tasks'], { RELANCE_URL: 'localhost:3000', RELANCE_API_KEY: 'x' })).exitCode).toBe(2);
    expect((await run(['tasks'], { RELANCE_URL: api.url })).err).toMatch(/^RELANCE_URL is set: set RELANCE_API_KEY/);
    const dead = await run(['tasks'], { RELANCE_URL: 'http://127.0.0.1:9', RELANCE_API_KEY: 'x' });
    expect(dead).toMatchObject({ exitCode: 1, err: 'The API at http://127.0.0.1:9 does not answer.\n' });
    answers = () => ({ body: '<html>' });
    expect((await run(['tasks'], towards(api))).err).toBe(`${api.url} does not answer as Relance does.\n`);
  });
});

describe('refusals', () => {
  test('are title, detail, code and the fields, in two lines', async () => {
    const faults = [
      { pointer: '/country', code: 'invalid', message: 'is not a country' },
      { pointer: '/senderEmail', code: 'invalid', message: 'is not an address' },
    ];
    answers = () => problem(422, 'validationFailed', 'The request is not valid', 'Two fields are wrong.', faults);
    const argv = ['creditor', 'create', '--name', 'A', '--country', 'XX', '--sender-email', 'x'];
    expect(await run(argv, towards(api))).toEqual({
      exitCode: 1,
      out: '',
      err:
        'The request is not valid: Two fields are wrong. (validationFailed)\n' +
        '/country is not a country; /senderEmail is not an address\n',
    });
  });

  test('a limit of the rate is waited for, as long as it says', async () => {
    let calls = 0;
    answers = () => {
      calls += 1;
      if (calls > 1) return page([]);
      return { ...problem(429, 'tooManyRequests', 'Too many requests', 'Wait.'), headers: { 'retry-after': '1' } };
    };
    const begun = performance.now();
    expect(await run(['tasks'], towards(api))).toMatchObject({ exitCode: 0, out: 'No open tasks.\n', err: '' });
    expect(performance.now() - begun).toBeGreaterThan(990);
  });
});

describe('verbs', () => {
  test('creditor create sends what was said, fills in zone and language, and shows the key', async () => {
    writeReady(folder, ready());
    answers = () => ({ status: 201, body: { ...creditor, apiKey: 'rk_secret' } });
    const argv = [
      'creditor',
      'create',
      '--name',
      'Atelier',
      '--country',
      'de',
      '--sender-email',
      'a@b.example',
      '--payment-days',
      '14',
    ];
    const { out, err, exitCode } = await run([...argv, '--data', folder]);
    expect(exitCode).toBe(0);
    expect(out).toBe('creditor  cre_1\nname      Atelier\nkey       rk_secret\n');
    expect(err).toContain('once');
    const { headers, body, path, method } = api.heard[0]!;
    expect(`${method} ${path} ${headers.authorization}`).toBe('POST /v1/creditors Bearer admin-key');
    expect(JSON.parse(body.toString())).toEqual({
      name: 'Atelier',
      country: 'DE',
      timeZone: 'Europe/Berlin',
      locale: 'de',
      senderEmail: 'a@b.example',
      paymentDays: 14,
    });
  });

  test('keys create makes one for the creditor of the folder, with the admin key', async () => {
    writeReady(folder, ready());
    answers = () => ({ status: 201, body: { id: 'key_1', name: 'desk', role: 'operator', key: 'rk_new' } });
    const { out } = await run(['keys', 'create', '--name', 'desk', '--data', folder]);
    expect(out).toBe('id    key_1\nname  desk\nrole  operator\nkey   rk_new\n');
    expect(api.heard[0]).toMatchObject({
      path: '/v1/creditors/cre_1/keys',
      headers: { authorization: 'Bearer admin-key' },
    });
  });

  test('case shows an invoice by number or id with its timeline, in the creditor’s time', async () => {
    answers = ({ path, query }) => {
      if (path === '/v1/invoices') return page(query['number'] === 'INV-1' ? [invoice] : []);
      if (path === `/v1/invoices/${INVOICE_ID}`) return { body: invoice };
      const at = '2026-03-02T09:00:00.000Z';
      return query['cursor'] === undefined
        ? page([{ at, kind: 'invoiceRegistered', actor: 'desk', summary: 'Registered\u001b[31m' }], 'c1')
        : page([{ at, kind: 'contactSent', actor: 'system', summary: 'Sent' }]);
    };
    for (const name of ['INV-1', INVOICE_ID]) {
      const { out, exitCode } = await run(['case', name], towards(api));
      expect(exitCode).toBe(0);
      expect(out).toBe(
        [
          `invoice   INV-1 ${INVOICE_ID}`,
          `workflow  case/${INVOICE_ID}`,
          'stage     reminding',
          'balance   80.00 of 100.00 EUR',
          'due       2026-02-04, issued 2026-01-05',
          'policy    fr-business version 2',
          'holds     promise 50.00 EUR until 2026-03-10',
          'next      2026-03-11 08:30 contact reminder-2 (stepDue)',
          '',
          'at (Europe/Paris)  event              by      what',
          '2026-03-02 10:00   invoiceRegistered  desk    Registered [31m',
          '2026-03-02 10:00   contactSent        system  Sent',
          '',
        ].join('\n'),
      );
    }
  });

  test('calendar shows what is foretold', async () => {
    answers = ({ path }) =>
      path === '/v1/invoices'
        ? page([invoice])
        : {
            body: {
              data: [{ at: '2026-03-11T07:30:00Z', action: 'contact', step: 's', channel: 'email', reason: 'stepDue' }],
            },
          };
    const { out } = await run(['calendar', 'INV-1'], towards(api));
    expect(out.split('\n')[1]).toBe('2026-03-11 08:30   contact  s     email    stepDue');
  });

  test('status tells what runs where and counts cases and tasks; not ready is 1', async () => {
    writeReady(folder, ready());
    let temporal = 'ok';
    answers = ({ path, query }) => {
      if (path === '/readyz') {
        return { status: temporal === 'ok' ? 200 : 503, body: { checks: { database: 'ok', temporal } } };
      }
      if (path === '/v1/clock') return { body: { now: '2026-03-02T09:00:00Z', dayMs: 2_000 } };
      if (path === '/v1/tasks') return page([{ kind: 'call' }, { kind: 'approve' }, { kind: 'call' }]);
      return page(
        query['stage'] === 'reminding' ? Array.from({ length: 200 }, () => ({})) : [],
        query['stage'] === 'reminding' ? 'more' : null,
      );
    };
    const { out, exitCode } = await run(['status', '--data', folder]);
    expect(exitCode).toBe(0);
    expect(out).toContain(`API            ${api.url} ready\n`);
    expect(out).toContain('mail           http://localhost:4000\n');
    expect(out).toContain('a day takes 2 s');
    expect(out).toMatch(/ {2}reminding {5}1000 or more\n/);
    expect(out).toMatch(/open tasks {6}3\n {2}approve {7}1\n {2}call {10}2\n/);
    expect(out).not.toMatch(/admin-key|creditor-key/);
    temporal = 'down';
    const second = await run(['status', '--data', folder]);
    expect(second.exitCode).toBe(1);
    expect(second.out).toContain('not ready: temporal down');
  });
});

describe('verify', () => {
  const part = (over: object): Answer => ({
    body: {
      cases: 0,
      events: 0,
      anchored: 0,
      heads: 0,
      totalCases: 3,
      latestHead: { n: 2, on: '2026-03-02', hash: 'a'.repeat(64) },
      problems: [],
      nextCursor: null,
      ...over,
    },
  });

  test('adds up the parts, and ends with 0 when everything holds', async () => {
    answers = ({ query }) =>
      query['cursor'] === undefined
        ? part({ heads: 2, nextCursor: 'c1' })
        : part({ cases: 3, events: 12, anchored: 10, nextCursor: query['cursor'] === 'c1' ? 'c2' : null });
    const { exitCode, out } = await run(['verify', '--head', 'a'.repeat(64)], towards(api));
    expect(exitCode).toBe(0);
    expect(out).toBe(
      [
        'cases        6',
        'events       24, 20 of them under a head',
        'heads        2',
        `latest head  2 of 2026-03-02 ${'a'.repeat(64)}`,
        'result       holds',
        '',
      ].join('\n'),
    );
    expect(api.heard.map((one) => one.query)).toEqual([{ head: 'a'.repeat(64) }, { cursor: 'c1' }, { cursor: 'c2' }]);
  });

  test('says what is broken and ends with 1', async () => {
    answers = () => part({ cases: 3, latestHead: null, problems: [{ message: 'inv_1: event 2 was changed' }] });
    const { exitCode, out } = await run(['verify'], towards(api));
    expect(exitCode).toBe(1);
    expect(out).toContain('inv_1: event 2 was changed\n');
    expect(out).toContain('broken: 1 problem\n');
    expect(await run(['verify', '--head', 'x'], towards(api))).toMatchObject({ exitCode: 2 });
  });
});

describe('replay', () => {
  const answer = (over: object = {}): Answer => ({
    body: {
      invoiceId: INVOICE_ID,
      number: 'INV-1',
      equal: true,
      decisions: 5,
      messages: 2,
      erased: 0,
      unrecorded: 0,
      notRebuilt: ['policy'],
      differences: [],
      moreDifferences: 0,
      ...over,
    },
  });

  test('says equal and how much that was, and ends with 0', async () => {
    answers = ({ path }) => (path.endsWith('/replay') ? answer({ erased: 1 }) : { body: invoice });
    expect(await run(['replay', INVOICE_ID], towards(api))).toMatchObject({
      exitCode: 0,
      out: 'INV-1: equal (5 decisions, 2 messages, 1 erased)\n',
    });
  });

  test('prints the first differences and ends with 1', async () => {
    const difference = (n: number) => ({
      of: 'decision',
      at: '2026-03-02T09:00:00.000Z',
      what: `turn ${n}, decision 1, acts.0.step`,
      recorded: 'two',
      derived: 'one',
    });
    answers = ({ path }) =>
      path.endsWith('/replay')
        ? answer({ equal: false, differences: [1, 2, 3, 4, 5, 6].map(difference), moreDifferences: 3 })
        : { body: invoice };
    const { exitCode, out } = await run(['replay', INVOICE_ID], towards(api));
    expect(exitCode).toBe(1);
    expect(out.split('\n').slice(0, 2)).toEqual([
      'INV-1: differs (5 decisions, 2 messages)',
      '  2026-03-02T09:00:00.000Z decision: turn 1, decision 1, acts.0.step: recorded "two", derived "one"',
    ]);
    expect(out).toContain('  … and 4 more\n');
  });

  test('goes through all cases, page by page, and names only those that differ', async () => {
    answers = ({ path, query }) => {
      if (path === '/v1/verification') return { body: { totalCases: 3 } };
      if (path === '/v1/invoices') {
        return query['cursor'] === undefined ? page([{ id: 'a' }, { id: 'b' }], 'c1') : page([{ id: 'c' }]);
      }
      return path.includes('/b/') ? answer({ number: 'INV-B', equal: false }) : answer();
    };
    const { exitCode, out } = await run(['replay', '--all', '--stage', 'settled'], towards(api));
    expect([exitCode, out]).toEqual([
      1,
      'INV-B: differs (5 decisions, 2 messages)\n3 cases: 1 differ (15 decisions, 6 messages)\n',
    ]);
    expect(api.heard.find((one) => one.path === '/v1/invoices')!.query).toMatchObject({ stage: 'settled' });
    expect(await run(['replay'], towards(api))).toMatchObject({ exitCode: 2 });
  });
});
