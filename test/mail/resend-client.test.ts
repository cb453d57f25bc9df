import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createMailer, mailboxOf, type Mailer, type SendOutcome } from '../../activities/mail/resend-client.ts';
import { KEY, mailsOf, message, plan, startMailServer } from './fixtures.ts';
import { ManualClock } from './manual-clock.ts';

const mailerFor = (baseUrl: string, options: { apiKey?: string; timeoutMs?: number } = {}): Mailer =>
  createMailer({ apiKey: KEY, baseUrl, timeoutMs: 5_000, sleep: () => Promise.resolve(), ...options });

/** A provider that always answers the same. */
async function startStub(status: number, type: string, body: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status, { 'content-type': type }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('one mail, whatever happens on the way', () => {
  test('is accepted with everything it carries', async () => {
    const { url } = await startMailServer();
    const attachments = [
      { filename: 'facture.pdf', content: Buffer.from('%PDF-1.7 é'), contentType: 'application/pdf' },
    ];
    const outcome = await mailerFor(url).send(message({ attachments, cc: ['chef@debtor.example'] }), 'con_1');
    const [mail, ...others] = await mailsOf(url);
    expect(others).toEqual([]);
    expect(outcome).toEqual({ kind: 'accepted', providerId: mail!.id });
    expect(mail).toMatchObject({
      to: ['canary.person@debtor.example'],
      cc: ['chef@debtor.example'],
      reply_to: ['compta@duvallon.example'],
      headers: { 'X-Entity-Ref-ID': 'con_1' },
      tags: [
        { name: 'contact', value: 'con_1' },
        { name: 'kind', value: 'reminder' },
      ],
      attachments: [{ filename: 'facture.pdf', content_type: 'application/pdf', size: 11 }],
    });
    const inbox = await (await fetch(`${url}/?mail=${mail!.id}`)).text();
    const download = /href="(\/inbox\/[^"]+\/attachments\/[^"]+)"/.exec(inbox)![1]!;
    expect(Buffer.from(await (await fetch(url + download)).arrayBuffer())).toEqual(attachments[0]!.content);
  });

  test('accepted, then cut off five times: exactly one mail', async () => {
    const { url } = await startMailServer();
    await plan(url, { requests: [{ fault: 'acceptThenDrop', times: 5 }] });
    const mailer = mailerFor(url);
    const outcomes: SendOutcome[] = [];
    do outcomes.push(await mailer.send(message(), 'con_1'));
    while (outcomes.at(-1)!.kind !== 'accepted' && outcomes.length < 10);
    expect(outcomes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => ({ kind: 'unknown', code: 'no_answer' })));
    const mails = await mailsOf(url);
    expect(outcomes[5]).toEqual({ kind: 'accepted', providerId: mails[0]!.id });
    expect(mails).toHaveLength(1);
  });

  test('no answer in time is unknown, kept or not', async () => {
    const { url } = await startMailServer();
    await plan(url, { requests: [{ fault: 'hang' }, { fault: 'hangAfterAccept' }] });
    const hasty = mailerFor(url, { timeoutMs: 150 });
    expect(await hasty.send(message(), 'con_1')).toEqual({ kind: 'unknown', code: 'no_answer' });
    expect(await mailsOf(url)).toHaveLength(0);
    expect(await hasty.send(message(), 'con_2')).toEqual({ kind: 'unknown', code: 'no_answer' });
    expect(await mailsOf(url)).toHaveLength(1);
  });

  test('while the first call still runs, a second with its key is told to wait', async () => {
    const { url } = await startMailServer();
    await plan(url, { requests: [{ fault: 'hang' }] });
    const hanging = fetch(`${url}/emails`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, 'idempotency-key': 'con_1' },
      body: JSON.stringify({ from: 'a@b.example', to: 'c@d.example', subject: 's', text: 't' }),
      signal: AbortSignal.timeout(60_000),
    }).catch(() => null);
    await vi.waitFor(async () => {
      const faults = (await (await fetch(`${url}/_faults`)).json()) as { requests: unknown[] };
      expect(faults.requests).toEqual([]);
    });
    expect(await mailerFor(url).send(message(), 'con_1')).toEqual({
      kind: 'retryLater',
      afterMs: 1_000,
      code: 'concurrent_idempotent_requests',
      maybeAccepted: true,
    });
    void hanging;
  });

  test('429 passes on how long to wait, 500 asks for a repeat', async () => {
    const { url } = await startMailServer();
    await plan(url, { requests: [{ fault: '429', retryAfter: 7 }, { fault: '500' }] });
    const mailer = mailerFor(url);
    expect(await mailer.send(message(), 'con_1')).toEqual({
      kind: 'retryLater',
      afterMs: 7_000,
      code: 'rate_limit_exceeded',
      maybeAccepted: false,
    });
    expect(await mailer.send(message(), 'con_1')).toMatchObject({
      kind: 'retryLater',
      code: 'internal_server_error',
      maybeAccepted: true,
    });
    expect(await mailer.send(message(), 'con_1')).toMatchObject({ kind: 'accepted' });
    expect(await mailsOf(url)).toHaveLength(1);
  });

  test("the server's own limit answers 429 until the next second", async () => {
    const clock = new ManualClock('2026-11-20T09:00:00Z');
    const { url } = await startMailServer({ requestsPerSecond: 2, clock });
    const mailer = mailerFor(url);
    const kinds: string[] = [];
    for (const key of ['a', 'b', 'c']) kinds.push((await mailer.send(message(), key)).kind);
    clock.advance(1_000);
    kinds.push((await mailer.send(message(), 'c')).kind);
    expect(kinds).toEqual(['accepted', 'accepted', 'retryLater', 'accepted']);
  });

  test('what is not the provider speaking is unknown', async () => {
    const { url } = await startMailServer();
    await plan(url, { requests: [{ fault: 'nonJson502' }, { fault: 'nonJson200' }] });
    const mailer = mailerFor(url);
    expect(await mailer.send(message(), 'con_1')).toEqual({ kind: 'unknown', code: 'not_json_502' });
    expect(await mailer.send(message(), 'con_1')).toEqual({ kind: 'unknown', code: 'no_answer' });
    expect(await mailsOf(url)).toHaveLength(1);
  });

  test.each([
    [200, 'application/json', '{}', { kind: 'unknown', code: 'no_id' }],
    [200, 'application/json', 'null', { kind: 'unknown', code: 'no_id' }],
    [500, 'application/json', 'null', { kind: 'unknown', code: 'no_id' }],
    [503, 'application/json', '{"error":"canary.person@debtor.example"}', { kind: 'unknown', code: 'no_answer' }],
    [
      400,
      'application/json',
      '{"statusCode":400,"name":"canary.person@debtor.example","message":"x"}',
      { kind: 'unknown', code: 'status_400' },
    ],
    [
      403,
      'application/json',
      '{"statusCode":403,"name":"validation_error","message":"The domain is not verified"}',
      { kind: 'paused', code: 'validation_error' },
    ],
    [404, 'text/plain', 'no such page', { kind: 'unknown', code: 'not_json_404' }],
  ])('answer %i %s %s', async (status, type, body, outcome) => {
    const url = await startStub(status, type, body);
    expect(await mailerFor(url).send(message(), 'con_1')).toEqual(outcome);
  });

  test('nobody listening is unknown', async () => {
    const { url, server } = await startMailServer();
    await server.close();
    expect(await mailerFor(url).send(message(), 'con_1')).toEqual({ kind: 'unknown', code: 'no_answer' });
  });
});

describe('trouble with the account pauses, trouble with the mail refuses', () => {
  test('quota and key', async () => {
    const { url } = await startMailServer();
    await plan(url, { requests: ['dailyQuota', 'monthlyQuota', 'invalidKey'].map((fault) => ({ fault })) });
    const mailer = mailerFor(url);
    expect(await mailer.send(message(), 'con_1')).toEqual({ kind: 'paused', code: 'daily_quota_exceeded' });
    expect(await mailer.send(message(), 'con_1')).toEqual({ kind: 'paused', code: 'monthly_quota_exceeded' });
    expect(await mailer.send(message(), 'con_1')).toEqual({ kind: 'paused', code: 'invalid_api_key' });
    const stranger = mailerFor(url, { apiKey: 're_other' });
    expect(await stranger.send(message(), 'con_1')).toEqual({ kind: 'paused', code: 'invalid_api_key' });
    expect(await mailsOf(url)).toHaveLength(0);
  });

  test.each([
    ['validation_error', message({ to: ['canary.person(at)debtor.example'] })],
    ['validation_error', message({ tags: [{ name: 'contact', value: 'canary.person@debtor.example' }] })],
    ['invalid_from_address', message({ from: 'canary.person' })],
    ['missing_required_field', message({ to: [] })],
    ['invalid_idempotency_key', message()],
  ])('%s is final and quotes nobody', async (code, mail) => {
    const { url } = await startMailServer();
    const key = code === 'invalid_idempotency_key' ? 'x'.repeat(257) : 'con_1';
    const outcome = await mailerFor(url).send(mail, key);
    expect(outcome).toMatchObject({ kind: 'refused', code });
    expect(JSON.stringify(outcome)).not.toMatch(/canary|@/);
    expect(await mailsOf(url)).toHaveLength(0);
  });

  test('another body under a used key is for a person to look at', async () => {
    const { url } = await startMailServer();
    const mailer = mailerFor(url);
    await mailer.send(message(), 'con_1');
    const outcome = await mailer.send(message({ text: 'other' }), 'con_1');
    expect(outcome).toEqual({ kind: 'unknown', code: 'invalid_idempotent_request' });
    expect(await mailsOf(url)).toHaveLength(1);
  });
});

describe('asking the provider by tag', () => {
  test('finds the newest, over several pages, and nothing older than the hint', async () => {
    const clock = new ManualClock('2026-11-20T09:00:00Z');
    const { url } = await startMailServer({ clock });
    const mailer = mailerFor(url);
    const tagged = message({ tags: [{ name: 'contact', value: 'con_wanted' }] });
    const sent = await mailer.send(tagged, 'wanted');
    clock.advance(60_000);
    for (let i = 0; i < 120; i += 1) await mailer.send(message(), `con_${i}`);
    expect(sent).toEqual({ kind: 'accepted', providerId: (await mailer.findByTag('contact', 'con_wanted'))!.id });
    expect(await mailer.findByTag('contact', 'con_wanted', clock.now() - 61_000)).not.toBeNull();
    expect(await mailer.findByTag('contact', 'con_wanted', clock.now() - 30_000)).toBeNull();
    expect(await mailer.findByTag('contact', 'con_nowhere')).toBeNull();
  });

  test("reads each mail where the list leaves tags out, as Resend's does", async () => {
    const rows = ['one', 'two'].map((id) => ({ id, created_at: '2026-11-20 09:00:00.123456+00' }));
    const server = createServer((request, response) => {
      const id = /^\/emails\/(\w+)/.exec(request.url!)?.[1];
      const tags = id === 'two' ? [{ name: 'contact', value: 'con_1' }] : [];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(id ? { id, tags } : { object: 'list', has_more: false, data: rows }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const mailer = mailerFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await mailer.findByTag('contact', 'con_1')).toEqual({ id: 'two' });
    expect(await mailer.findByTag('contact', 'con_1', Date.parse('2026-11-20T09:00:01Z'))).toBeNull();
  });

  test('a provider that does not answer gives null, not an error', async () => {
    const url = await startStub(502, 'text/html', 'Bad Gateway');
    expect(await mailerFor(url).findByTag('contact', 'con_1')).toBeNull();
  });
});

test.each([
  ['Maison Perrault & Fils', 'Maison Perrault & Fils <a@b.example>'],
  ['Müller, Söhne KG', '"Müller, Söhne KG" <a@b.example>'],
  ['Evil" <x@y.example>\r\nBcc: z@z.example', '"Evil x@y.example Bcc: z@z.example" <a@b.example>'],
  ['<>', 'a@b.example'],
  [null, 'a@b.example'],
])('the mailbox of %j is taken by the provider', async (name, mailbox) => {
  expect(mailboxOf(name, 'a@b.example')).toBe(mailbox);
  const { url } = await startMailServer();
  const from = mailboxOf(name, 'a@b.example');
  expect(await mailerFor(url).send(message({ from, to: [from] }), 'con_1')).toMatchObject({ kind: 'accepted' });
});
