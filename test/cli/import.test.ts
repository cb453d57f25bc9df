import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { rejectedCsv } from '../../scripts/cli/rejected-csv.ts';
import { fakeApi, problem, run, towards, type Answer, type FakeApi, type Heard } from './fake-api.ts';

interface Reading {
  totalRows: number;
  /** From when, by the real clock, a worker reads. */
  begins?: number;
  rejected: object[];
  /** Rows done at each look. */
  steps: number[];
}

const row = (line: number, message = 'is wrong') => ({
  line,
  number: `N${line}`,
  code: 'amountInvalid',
  pointer: '/amount',
  message,
});

let folder: string;
let api: FakeApi;
let reading: Reading;
let interfere: (heard: Heard) => Answer | null;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relance-cli-'));
  reading = { totalRows: 100, rejected: [], steps: [100] };
  interfere = () => null;
  api = await fakeApi((heard) => interfere(heard) ?? importAnswer(heard));
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

function importAnswer({ method, query }: Heard): Answer {
  if (method === 'POST') return { status: 202, body: { id: 'imp_1', status: 'running' } };
  const waits = (reading.begins ?? 0) > performance.now();
  const doneRows = reading.steps.length > 1 ? reading.steps.shift()! : reading.steps[0]!;
  const from = Number(query['cursor'] ?? 0);
  const to = from + Number(query['limit']);
  const rejected = reading.rejected.length;
  return {
    body: {
      id: 'imp_1',
      status: !waits && doneRows === reading.totalRows ? 'done' : 'running',
      totalRows: waits ? null : reading.totalRows,
      doneRows,
      accepted: doneRows - rejected,
      unchanged: 0,
      rejected,
      rows: reading.rejected.slice(from, to),
      nextCursor: to < rejected ? String(to) : null,
    },
  };
}

function file(name: string, content = 'number;amount\n1;2'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('import', () => {
  test('uploads with type and columns, waits, and prints what became of it', async () => {
    reading.steps = [0, 40, 100];
    reading.rejected = Array.from({ length: 12 }, (_, i) => row(i + 2));
    const columns = 'number="Document Number",references="Billing Number"+"Assignment Number"';
    const { out, exitCode, err } = await run(['import', file('book.csv'), '--columns', columns], towards(api));
    expect(exitCode).toBe(0);
    expect(err).toBe('');
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toBe('book.csv: 88 accepted, 0 unchanged, 12 rejected');
    expect(lines[1]).toBe('  line 2  N2  amountInvalid:  is wrong');
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toBe('  … and 2 more; --rejected FILE writes all of them.');
    const upload = api.heard[0]!;
    expect(upload).toMatchObject({ method: 'POST', path: '/v1/imports', query: { columns } });
    expect(upload.headers).toMatchObject({ 'content-type': 'text/csv', authorization: 'Bearer key-1' });
    expect(upload.body.toString()).toBe('number;amount\n1;2');
  });

  test('sends documents as what they are, and each file on its own', async () => {
    const files = [file('a.xml', '<Invoice/>'), file('b.bin', '%PDF-1.7'), file('c.txt')];
    const { out } = await run(['import', ...files], towards(api));
    const uploads = api.heard.filter(({ method }) => method === 'POST');
    expect(uploads.map(({ headers }) => headers['content-type'])).toEqual([
      'application/xml',
      'application/pdf',
      'text/csv',
    ]);
    expect(new Set(uploads.map(({ headers }) => headers['idempotency-key'])).size).toBe(3);
    expect(out.match(/accepted/g)).toHaveLength(3);
  });

  test('names are meant from where the user of npm stands', async () => {
    file('here.csv');
    const ran = await run(['import', 'here.csv', '--rejected', 'bad.csv'], { ...towards(api), INIT_CWD: folder });
    expect(ran.exitCode).toBe(0);
    expect(existsSync(join(folder, 'bad.csv'))).toBe(true);
  });

  test('--rejected writes every rejected row, over all pages', async () => {
    reading = {
      totalRows: 1_000,
      steps: [1_000],
      rejected: Array.from({ length: 450 }, (_, i) => row(i + 2, 'a, "b"')),
    };
    const path = join(folder, 'bad.csv');
    await run(['import', file('book.csv'), '--rejected', path], towards(api));
    const lines = readFileSync(path, 'utf8').trimEnd().split('\r\n');
    expect(lines).toHaveLength(451);
    expect(lines[0]).toBe('\ufefffile,line,number,code,pointer,message');
    expect(lines[450]).toBe('book.csv,451,N451,amountInvalid,/amount,"a, ""b"""');
  });

  test('a file that could not be read at all, or is not there, ends with 1; the others go in', async () => {
    reading = {
      totalRows: 1,
      steps: [1],
      rejected: [{ ...row(0, 'The file is empty.'), number: null, code: 'csvEmpty' }],
    };
    const ran = await run(['import', join(folder, 'missing.csv'), file('b.csv')], towards(api));
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toBe('missing.csv: there is no such file.\n');
    expect(ran.out).toBe('b.csv: 0 accepted, 0 unchanged, 1 rejected\n  the file  csvEmpty:  The file is empty.\n');
  });

  test('a refused upload is told and does not keep the next file out; a wrong key ends it all', async () => {
    interfere = ({ method, body }) =>
      method === 'POST' && body.toString() === 'big'
        ? problem(413, 'payloadTooLarge', 'The body is too large', 'At most 20 MB.')
        : null;
    const ran = await run(['import', file('big.csv', 'big'), file('ok.csv')], towards(api));
    expect(ran).toMatchObject({
      exitCode: 1,
      err: 'big.csv: The body is too large: At most 20 MB. (payloadTooLarge)\n',
    });
    expect(ran.out).toContain('ok.csv: 100 accepted');
    interfere = () => problem(401, 'unauthorized', 'No valid API key', 'Send one.');
    const refused = await run(['import', file('a.csv'), file('b.csv')], towards(api));
    expect(refused).toEqual({ exitCode: 1, out: '', err: 'No valid API key: Send one. (unauthorized)\n' });
  });

  test('goes on when the API is stopped and started again meanwhile', async () => {
    reading.steps = [0, 10, 20, 100];
    let looks = 0;
    interfere = ({ method }) => {
      if (method === 'GET') looks += 1;
      return null;
    };
    const running = run(['import', file('book.csv')], towards(api), { patienceMs: 10_000 });
    while (looks < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const { port } = api;
    await api.close();
    await new Promise((resolve) => setTimeout(resolve, 600));
    const again = await fakeApi(importAnswer, port);
    onTestFinished(() => again.close());
    const { exitCode, out, err } = await running;
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'book.csv: 100 accepted, 0 unchanged, 0 rejected\n' });
    expect(err).toBe(`The API at ${api.url} does not answer. Trying again.\n`);
    expect(again.heard.some(({ method }) => method === 'POST')).toBe(false);
  });

  test('an upload whose answer was lost is sent again under the same key', async () => {
    let uploads = 0;
    // It breaks at the second file: an API that never answered is not waited for.
    interfere = ({ method }) => {
      if (method !== 'POST') return null;
      uploads += 1;
      return uploads === 2 ? 'break' : null;
    };
    const { exitCode } = await run(['import', file('a.csv', 'a'), file('b.csv', 'b')], towards(api));
    expect(exitCode).toBe(0);
    const sent = api.heard.filter(({ method }) => method === 'POST');
    expect(sent.map(({ body }) => body.toString())).toEqual(['a', 'b', 'b']);
    expect(sent[1]!.headers['idempotency-key']).toBe(sent[2]!.headers['idempotency-key']);
  });

  test('gives up on an API that stays away, with one sentence', async () => {
    interfere = ({ method }) => (method === 'POST' ? null : 'break');
    const ran = await run(['import', file('a.csv')], towards(api), { patienceMs: 700 });
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toMatch(/^The API at \S+ does not answer\. Trying again\.\nThe API at \S+ does not answer\.\n$/);
  });

  test('says that it waits for a worker', async () => {
    reading.begins = performance.now() + 7_000;
    const { err, exitCode } = await run(['import', file('book.csv')], towards(api));
    expect({ err, exitCode }).toEqual({ err: 'book.csv: taken in; it is read once a worker is free\n', exitCode: 0 });
  });

  test('shows a bar in a terminal', async () => {
    reading.steps = [10, 60, 100];
    const { err, out } = await run(['import', file('book.csv')], towards(api), { tty: true });
    expect(err).toContain('of 100 rows');
    expect(out).toContain('book.csv: 100 accepted');
  });
});

test('cells of the rejected rows are no formulas', () => {
  const csv = rejectedCsv([{ name: 'a.csv', rows: [{ ...row(2), number: '=1+1', message: null }] }]);
  expect(csv.split('\r\n')[1]).toBe("a.csv,2,'=1+1,amountInvalid,/amount,");
});
