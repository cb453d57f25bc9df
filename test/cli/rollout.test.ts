import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeApi, problem, run, towards, type Answer, type FakeApi, type Heard } from './fake-api.ts';

const ID = `rol_${'0'.repeat(26)}`;
const counts = { listed: 0, affected: 0, moved: 0, unchanged: 0, refused: 0, differs: 0, skipped: 0, changing: 0 };
const view = (over: object) => ({
  id: ID,
  policy: 'ours',
  version: 3,
  dryRun: false,
  status: 'done',
  code: null,
  total: 2,
  done: 2,
  ...counts,
  ...over,
});
const next = (at: string, step: string) => ({ at, action: 'contact', step, contactsIn30Days: 2 });
const cases = [
  {
    number: 'F-1',
    status: 'listed',
    code: null,
    before: next('2026-03-11T07:30:00.000Z', 'reminder-1'),
    after: next('2026-03-18T07:30:00.000Z', 'reminder-2'),
  },
  { number: 'F-2', status: 'refused', code: 'stepMissing', before: null, after: null },
];

let api: FakeApi;
let states: object[];
let answer: (heard: Heard) => Answer | undefined;
beforeEach(async () => {
  states = [];
  answer = () => undefined;
  api = await fakeApi((heard) => {
    const own = answer(heard);
    if (own) return own;
    if (heard.path === '/v1/creditor') return { body: { id: 'cre_1', timeZone: 'Europe/Paris' } };
    if (heard.path === `/v1/rollouts/${ID}`) return { body: states.length > 1 ? states.shift() : states[0] };
    if (heard.path === `/v1/rollouts/${ID}/cases`) return { body: { data: cases, nextCursor: null } };
    return { status: 202, body: view({ status: 'planning', total: null, done: 0 }) };
  });
});
afterEach(() => api.close());

const asked = () => {
  const post = api.heard.find((one) => one.method === 'POST')!;
  return { path: post.path, body: JSON.parse(post.body.toString()) as unknown };
};

test('a dry run shows what changes and how to carry it out', async () => {
  states = [
    view({ status: 'planning', total: 2, done: 1 }),
    view({ dryRun: true, listed: 1, refused: 1, changing: 1, affected: 1 }),
  ];
  const { exitCode, out, err } = await run(
    ['rollout', 'ours', '--dry-run', '--version', '3', '--stage', 'reminding'],
    towards(api),
  );
  expect([exitCode, err]).toEqual([0, '']);
  expect(asked()).toEqual({
    path: '/v1/policies/ours/rollout',
    body: { dryRun: true, version: 3, filter: { stage: 'reminding' } },
  });
  expect(out).toContain('reminder-1 (2)');
  expect(out).toContain('refused: stepMissing  nothing');
  expect(out).toContain('ours version 3: 1 listed, 1 refused; something else follows for 1\n');
  expect(out).toContain('Contacts of 1 other cases of the same customers change along.\n');
  expect(out).toContain(`Nothing was moved. To do it: rollout ours --of ${ID}\n`);
});

test('for real it ends with 0 when all went, with 1 when a case stayed', async () => {
  states = [view({ status: 'running', moved: 1, done: 1 }), view({ moved: 2 })];
  const went = await run(['rollout', 'ours', '--of', ID, '--reason', 'Softer.'], towards(api));
  expect(went).toMatchObject({ exitCode: 0 });
  expect(asked().body).toEqual({ dryRun: false, dryRunId: ID, reason: 'Softer.' });
  expect(went.out).toContain('2 moved, 0 unchanged, 0 refused, 0 differs, 0 skipped');
  states = [view({ moved: 1, differs: 1 })];
  expect(await run(['rollout', 'ours'], towards(api))).toMatchObject({ exitCode: 1 });
  states = [view({ status: 'failed', code: 'invalidPolicy' })];
  expect(await run(['rollout', 'ours'], towards(api))).toMatchObject({
    exitCode: 1,
    err: 'The roll-out failed (invalidPolicy).\n',
  });
});

test('refusals are told, wrong calls are not sent', async () => {
  answer = ({ method }) =>
    method === 'POST'
      ? problem(409, 'rolloutRunning', 'A roll-out of this policy is running', 'Wait for its end.')
      : undefined;
  expect(await run(['rollout', 'ours'], towards(api))).toMatchObject({
    exitCode: 1,
    err: 'A roll-out of this policy is running: Wait for its end. (rolloutRunning)\n',
  });
  expect(await run(['rollout', 'ours', '--version', 'new'], towards(api))).toMatchObject({ exitCode: 2 });
  expect(await run(['rollout'], towards(api))).toMatchObject({ exitCode: 2 });
});

test('a terminal sees a bar that counts cases', async () => {
  states = [view({ status: 'planning', total: 2, done: 1 }), view({ status: 'running', done: 1 }), view({ moved: 2 })];
  const { err } = await run(['rollout', 'ours'], towards(api), { tty: true });
  expect(err).toContain('listed');
  expect(err).toContain('1 of 2 cases');
});
