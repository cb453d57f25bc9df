import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Resend } from 'resend';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { verifyDelivery } from '../../api/webhooks/delivery.ts';
import { createMailer } from '../../activities/mail/resend-client.ts';
import { createMailServer } from '../../scripts/mail-server/server.ts';
import { RETRY_SCHEDULE_MS } from '../../scripts/mail-server/webhooks.ts';
import {
  KEY,
  mailsOf,
  message,
  plan,
  post,
  SECRET,
  startMailServer,
  startReceiver,
  temporaryFolder,
  type Received,
} from './fixtures.ts';
import { ManualClock } from './manual-clock.ts';

const START = '2026-11-20T09:00:00Z';
const AUTHORISED = { authorization: `Bearer ${KEY}` };
const PLAIN = { from: 'A <a@a.example>', to: ['b@b.example'], subject: 's', text: 't' };

afterEach(() => {
  vi.useRealTimers();
});

async function answerOf(response: Promise<Response>): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await response;
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe('the API', () => {
  test('wants a key everywhere but for the list on this machine', async () => {
    const { url } = await startMailServer();
    expect(await answerOf(post(`${url}/emails`, PLAIN, {}))).toMatchObject({
      status: 401,
      body: { name: 'missing_api_key', statusCode: 401 },
    });
    expect(await answerOf(post(`${url}/emails`, PLAIN, { authorization: 'Bearer re_other' }))).toMatchObject({
      status: 403,
      body: { name: 'invalid_api_key', statusCode: 403, message: 'API key is invalid.' },
    });
    expect((await fetch(`${url}/emails/some-id`)).status).toBe(401);
    expect((await fetch(`${url}/emails`)).status).toBe(200);
  });

  test.each([
    [{ ...PLAIN, from: undefined }, 422, 'missing_required_field'],
    [{ ...PLAIN, subject: '' }, 422, 'missing_required_field'],
    [{ ...PLAIN, text: undefined }, 422, 'missing_required_field'],
    [{ ...PLAIN, from: 'nobody' }, 422, 'invalid_from_address'],
    [{ ...PLAIN, to: 'two@at@signs.example' }, 422, 'validation_error'],
    [{ ...PLAIN, to: ['line\r\nbreak@b.example'] }, 422, 'validation_error'],
    [{ ...PLAIN, to: Array(51).fill('b@b.example') }, 422, 'validation_error'],
    [{ ...PLAIN, tags: [{ name: 'ünd', value: 'x' }] }, 422, 'validation_error'],
    [{ ...PLAIN, tags: [{ name: 'x', value: 'x'.repeat(257) }] }, 422, 'validation_error'],
    [{ ...PLAIN, tags: { contact: 'x' } }, 422, 'validation_error'],
    [{ ...PLAIN, headers: { 'X-A': 'a\r\nBcc: c@c.example' } }, 422, 'validation_error'],
    [{ ...PLAIN, attachments: [{ filename: 'a.pdf' }] }, 422, 'invalid_attachment'],
    [{ ...PLAIN, attachments: [{ filename: 'a.pdf', content: '%%%' }] }, 422, 'invalid_attachment'],
    [{ ...PLAIN, scheduled_at: 'tomorrow' }, 422, 'validation_error'],
    ['{"from":', 400, 'validation_error'],
    ['[]', 422, 'validation_error'],
    ['', 422, 'validation_error'],
  ])('refuses %j', async (body, status, name) => {
    const { url } = await startMailServer();
    const answer = await answerOf(post(`${url}/emails`, body, AUTHORISED));
    expect(answer).toEqual({ status, body: { name, statusCode: status, message: expect.any(String) as string } });
    expect(await mailsOf(url)).toEqual([]);
  });

  test('knows no other routes and takes no forms', async () => {
    const { url } = await startMailServer();
    expect(await answerOf(fetch(`${url}/domains`))).toMatchObject({ status: 404, body: { name: 'not_found' } });
    const form = await fetch(`${url}/_faults`, { method: 'POST', body: new URLSearchParams({ fault: '500' }) });
    expect(form.status).toBe(415);
  });

  test('keeps an idempotency key for 24 hours and ties it to the body', async () => {
    const clock = new ManualClock(START);
    const { url } = await startMailServer({ clock });
    const send = (body: unknown, key: string) =>
      answerOf(post(`${url}/emails`, body, { ...AUTHORISED, 'idempotency-key': key }));
    const first = await send(PLAIN, 'k');
    const reordered = Object.fromEntries(Object.entries(PLAIN).toReversed());
    clock.advance(24 * 3_600_000 - 1);
    expect(await send(reordered, 'k')).toEqual(first);
    expect(await send({ ...PLAIN, text: 'other' }, 'k')).toMatchObject({
      status: 409,
      body: { name: 'invalid_idempotent_request' },
    });
    clock.advance(1);
    const later = await send(PLAIN, 'k');
    expect(later.body['id']).not.toBe(first.body['id']);
    expect(await send(PLAIN, 'x'.repeat(257))).toMatchObject({
      status: 400,
      body: { name: 'invalid_idempotency_key' },
    });
    expect(await mailsOf(url)).toHaveLength(2);
  });

  test('a hundred requests with one key at once are one mail', async () => {
    const { url } = await startMailServer();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        answerOf(post(`${url}/emails`, PLAIN, { ...AUTHORISED, 'idempotency-key': 'k' })),
      ),
    );
    const mails = await mailsOf(url);
    expect(mails).toHaveLength(1);
    for (const { status, body } of answers) {
      if (status === 200) expect(body).toEqual({ id: mails[0]!.id });
      else expect(body['name']).toBe('concurrent_idempotent_requests');
    }
  });

  test('batch, get, schedule, move and cancel work through the official package', async () => {
    const clock = new ManualClock(START);
    const { url } = await startMailServer({ clock });
    const resend = new Resend(KEY, { baseUrl: url });
    const mail = { from: 'a@a.example', to: 'delivered+one@resend.dev', subject: 's', text: 't' };

    const batch = await resend.batch.send([mail, { ...mail, subject: 'two' }], { idempotencyKey: 'b' });
    expect(batch.data!.data).toHaveLength(2);
    expect((await resend.batch.send([mail, { ...mail, subject: 'two' }], { idempotencyKey: 'b' })).data).toEqual(
      batch.data,
    );
    expect((await resend.batch.send([])).error!.name).toBe('validation_error');
    const [first] = batch.data!.data;
    expect((await resend.emails.get(first!.id)).data).toMatchObject({
      object: 'email',
      subject: 's',
      last_event: 'sent',
    });
    expect((await resend.emails.get('nothing')).error!.name).toBe('not_found');

    const soon = new Date(clock.now() + 60_000).toISOString();
    const scheduled = (await resend.emails.send({ ...mail, scheduledAt: soon })).data!.id;
    const dropped = (await resend.emails.send({ ...mail, scheduledAt: soon })).data!.id;
    await resend.emails.update({ id: scheduled, scheduledAt: new Date(clock.now() + 120_000).toISOString() });
    expect((await resend.emails.cancel(dropped)).error).toBeNull();
    clock.advance(60_000);
    const stateOf = async (id: string) => (await resend.emails.get(id)).data!.last_event;
    expect(await stateOf(scheduled)).toBe('scheduled');
    clock.advance(60_000);
    await vi.waitFor(async () => expect(await stateOf(scheduled)).toBe('sent'));
    expect(await stateOf(dropped)).toBe('canceled');
    expect((await resend.emails.cancel(scheduled)).error!.name).toBe('validation_error');
  });

  test('lists newest first, in pages that neither skip nor repeat', async () => {
    const { url } = await startMailServer();
    for (let i = 0; i < 5; i += 1) await post(`${url}/emails`, { ...PLAIN, subject: String(i) }, AUTHORISED);
    const page = (await (await fetch(`${url}/emails?limit=2`)).json()) as { has_more: boolean; data: { id: string }[] };
    expect(page).toMatchObject({ object: 'list', has_more: true, data: [{ subject: '4' }, { subject: '3' }] });
    const rest = await mailsOf(url, `limit=3&after=${page.data[1]!.id}`);
    expect(rest.map((mail) => mail.subject)).toEqual(['2', '1', '0']);
    const newer = await mailsOf(url, `limit=1&before=${rest[0]!.id}`);
    expect(newer.map((mail) => mail.subject)).toEqual(['3']);
    expect((await fetch(`${url}/emails?limit=0`)).status).toBe(422);
    expect((await fetch(`${url}/emails?after=nothing`)).status).toBe(422);
  });
});

describe('webhooks', () => {
  async function start(statuses?: number[], options: { clock?: ManualClock; dataFolder?: string } = {}) {
    const clock = options.clock ?? new ManualClock(START);
    vi.useFakeTimers({ toFake: ['Date'], now: clock.now() });
    const receiver = await startReceiver(statuses);
    const webhook = { url: receiver.url, secret: SECRET };
    const { url, server } = await startMailServer({ ...options, clock, webhook });
    return { clock, url, server, received: receiver.received };
  }
  const arrived = (received: Received[], count: number) =>
    vi.waitFor(() => expect(received).toHaveLength(count), { timeout: 5_000 });
  const verified = (one: Received) => verifyDelivery(one.body, one.headers, [SECRET]);
  /** Moves the clock on once the timer of the next step has been set. */
  async function step(clock: ManualClock, ms: number): Promise<void> {
    await vi.waitFor(() => expect(clock.nextIn()).toBe(ms));
    clock.advance(ms);
  }

  test.each([
    ['b@b.example', ['sent', 'delivered'], 'delivered'],
    ['delivered+label@resend.dev', ['sent', 'delivered'], 'delivered'],
    ['bounced@resend.dev', ['sent', 'bounced'], 'bounced'],
    ['compta@bounce.example', ['sent', 'bounced'], 'bounced'],
    ['complained+x@resend.dev', ['sent', 'delivered', 'complained'], 'complained'],
    ['Compta <x@COMPLAIN.example>', ['sent', 'delivered', 'complained'], 'complained'],
    ['suppressed@resend.dev', ['sent', 'suppressed'], 'suppressed'],
  ])('to %s: %j, signed', async (to, statuses, last) => {
    const { clock, url, received } = await start();
    await createMailer({ apiKey: KEY, baseUrl: url, timeoutMs: 5_000 }).send(message({ to: [to] }), 'con_1');
    for (let i = 1; i < statuses.length; i += 1) await step(clock, 50);
    await arrived(received, statuses.length);
    const events = received.map(verified).toSorted((a, b) => a.event.at - b.event.at);
    expect(events.map(({ event }) => event.status)).toEqual(statuses);
    const [mail] = await mailsOf(url);
    expect(events.map(({ event }) => event.providerId)).toEqual(statuses.map(() => mail!.id));
    expect(new Set(events.map(({ id }) => id)).size).toBe(statuses.length);
    expect(mail!.last_event).toBe(last);
    const body = JSON.parse(received[0]!.body.toString()) as { data: { tags: unknown } };
    expect(body.data.tags).toEqual({ contact: 'con_1', kind: 'reminder' });
  });

  test('are repeated under one id on the published schedule, and then given up', async () => {
    const { clock, url, received } = await start([500]);
    const { id } = (await answerOf(post(`${url}/emails`, { ...PLAIN, to: 'x@b.example' }, AUTHORISED))).body;
    await step(clock, 50);
    // Two events, each with its own attempts, always due at the same instants.
    for (const [attempt, wait] of RETRY_SCHEDULE_MS.entries()) {
      if (attempt > 0) await vi.waitFor(() => expect(waiting(clock, wait)).toBe(true));
      if (attempt > 0) clock.advance(wait);
      await arrived(received, 2 * (attempt + 1));
    }
    await vi.waitFor(() => expect(clock.nextIn()).toBeNull());
    expect(new Set(received.map((one) => one.headers['svix-id'])).size).toBe(2);
    expect((await mailsOf(url))[0]).toMatchObject({ id, last_event: 'delivered' });
  });
  const waiting = (clock: ManualClock, wait: number): boolean => clock.pending() === 2 && clock.nextIn()! <= wait;

  test('that were not delivered are taken up by the next start', async () => {
    const dataFolder = temporaryFolder();
    const clock = new ManualClock(START);
    const first = await start([500], { clock, dataFolder });
    await post(`${first.url}/emails`, PLAIN, AUTHORISED);
    await arrived(first.received, 1);
    await vi.waitFor(() => expect(clock.pending()).toBe(2));
    await first.server.close();

    const second = await start([204], { clock, dataFolder });
    clock.advance(5_000);
    await arrived(second.received, 2);
    expect(second.received.map((one) => verified(one).event.status).toSorted()).toEqual(['delivered', 'sent']);
    expect(second.received.map((one) => one.headers['svix-id'])).toContain(first.received[0]!.headers['svix-id']);
  });

  test('can be doubled, reordered, delayed, stale and badly signed', async () => {
    const { clock, url, received } = await start();
    const send = () => post(`${url}/emails`, PLAIN, AUTHORISED);
    await plan(url, { webhooks: { duplicate: 1 } });
    await send();
    await arrived(received, 2);
    expect(received[0]!.headers['svix-id']).toBe(received[1]!.headers['svix-id']);
    await step(clock, 50);
    await arrived(received, 3);

    await plan(url, { webhooks: { reorder: 1 } });
    await send();
    await step(clock, 50);
    await arrived(received, 5);
    expect(received.slice(3).map((one) => verified(one).event.status)).toEqual(['delivered', 'sent']);

    await plan(url, { webhooks: { delayMs: 400 } });
    await send();
    await vi.waitFor(() => expect(clock.nextIn()).toBe(50));
    clock.advance(399);
    await mailsOf(url);
    expect(received).toHaveLength(5);
    clock.advance(1);
    await arrived(received, 6);
    await fetch(`${url}/_faults`, { method: 'DELETE' });
    clock.advance(400);
    await arrived(received, 7);

    await plan(url, { webhooks: { badSignature: 1 } });
    await send();
    await arrived(received, 8);
    expect(() => verified(received[7]!)).toThrow('does not match');
    await step(clock, 50);
    await arrived(received, 9);
    await plan(url, { webhooks: { stale: 1 } });
    await send();
    await arrived(received, 10);
    expect(() => verified(received[9]!)).toThrow('five minutes');
  });

  test('faults that nobody knows are refused and change nothing', async () => {
    const { url } = await startMailServer();
    for (const body of [
      { requests: [{ fault: 'fire' }] },
      { webhooks: { fire: 1 } },
      { webhooks: { duplicate: -1 } },
      [],
    ]) {
      expect((await post(`${url}/_faults`, body, {})).status).toBe(422);
    }
    expect(await (await fetch(`${url}/_faults`)).json()).toMatchObject({ requests: [], webhooks: { duplicate: 0 } });
  });
});

describe('what was accepted', () => {
  async function spawnServer(folder: string): Promise<{ url: string; child: ChildProcess }> {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/mail-server/main.ts'], {
      env: { ...process.env, MAIL_DATA: folder, MAIL_PORT: '0', MAIL_API_KEY: KEY, MAIL_WEBHOOK_URL: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Mail server: (\S+)$/.exec(line)?.[1];
      if (url) return { url, child };
    }
    throw new Error('The mail server did not start.');
  }
  async function killHard(child: ChildProcess): Promise<void> {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  test('survives SIGKILL with its keys and attachments', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const attachments = [{ filename: 'a.txt', content: Buffer.from('facture'), contentType: 'text/plain' }];
    const first = await spawnServer(folder);
    const before = await createMailer({ apiKey: KEY, baseUrl: first.url, timeoutMs: 10_000 }).send(
      message({ attachments }),
      'con_1',
    );
    await plan(first.url, { requests: [{ fault: 'acceptThenDrop' }] });
    const dropped = await createMailer({ apiKey: KEY, baseUrl: first.url, timeoutMs: 10_000 }).send(message(), 'con_2');
    expect(dropped.kind).toBe('unknown');
    await killHard(first.child);

    const second = await spawnServer(folder);
    const mailer = createMailer({ apiKey: KEY, baseUrl: second.url, timeoutMs: 10_000 });
    expect(await mailer.send(message({ attachments }), 'con_1')).toEqual(before);
    expect(await mailer.send(message({ text: 'other' }), 'con_1')).toMatchObject({
      code: 'invalid_idempotent_request',
    });
    expect(await mailer.send(message(), 'con_2')).toMatchObject({ kind: 'accepted' });
    const mails = await mailsOf(second.url);
    expect(mails).toHaveLength(2);
    expect(mails[1]!.attachments).toMatchObject([{ filename: 'a.txt', size: 7 }]);
    await vi.waitFor(async () => expect((await mailsOf(second.url))[1]!.last_event).toBe('delivered'), {
      timeout: 5_000,
    });
    await killHard(second.child);
  });

  test('is what the journal holds: half a line at its end is dropped, damage before it is reported', async () => {
    const dataFolder = temporaryFolder();
    const journal = join(dataFolder, 'journal.jsonl');
    const first = await startMailServer({ dataFolder, clock: new ManualClock(START) });
    await post(`${first.url}/emails`, PLAIN, AUTHORISED);
    await first.server.close();
    const whole = readFileSync(journal, 'utf8');
    appendFileSync(journal, '{"kind":"accepted","mails":[{"id":"tor');

    const second = await startMailServer({ dataFolder, clock: new ManualClock(START) });
    expect(await mailsOf(second.url)).toHaveLength(1);
    await post(`${second.url}/emails`, PLAIN, AUTHORISED);
    await second.server.close();
    expect(readFileSync(journal, 'utf8').startsWith(whole)).toBe(true);
    expect(readFileSync(journal, 'utf8')).not.toContain('tor"');

    appendFileSync(journal, 'not json\n');
    await expect(createMailServer({ dataFolder })).rejects.toThrow(/damaged at line 3/);
  });
});

describe('the inbox', () => {
  const NASTY = `"><script>alert(1)</script> ' OR 1=1; -- 🎩 ‏שלום`;

  test('escapes whatever a mail holds, and keeps its HTML in a frame of its own', async () => {
    const { url } = await startMailServer();
    const html = '<p>Hello</p><script>alert(2)</script>';
    const mail = { ...PLAIN, subject: NASTY, text: NASTY, html, to: [`"${NASTY.replace(/[<>]/g, '')}" <b@b.example>`] };
    const attachments = [{ filename: `${NASTY}.txt`, content: Buffer.from('x').toString('base64') }];
    const { id } = (await answerOf(post(`${url}/emails`, { ...mail, attachments }, AUTHORISED))).body as { id: string };

    const page = await fetch(`${url}/?mail=${id}&q=${encodeURIComponent('"><script>')}`);
    const text = await page.text();
    expect(text).not.toContain('<script');
    expect(text).not.toContain('alert(2)');
    expect(text).toContain('&#34;&#62;&#60;script&#62;alert(1)');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).toMatch(/<iframe[^>]+sandbox="allow-popups allow-popups-to-escape-sandbox"/);

    const part = await fetch(`${url}/inbox/${id}/html`);
    expect(await part.text()).toContain(html);
    expect(part.headers.get('content-security-policy')).toMatch(/^sandbox allow-popups [^;]*; default-src 'none'/);
    expect(part.headers.get('content-security-policy')).not.toContain('allow-scripts');
    const download = /href="(\/inbox\/[^"]+\/attachments\/[^"]+)"/.exec(text)![1]!;
    const file = await fetch(url + download);
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''%22%3E%3Cscript/);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('finds mails by every word and turns pages', async () => {
    const { url } = await startMailServer();
    for (let i = 0; i < 60; i += 1) await post(`${url}/emails`, { ...PLAIN, subject: `mail number ${i}` }, AUTHORISED);
    const search = async (query: string) => (await fetch(`${url}/?${query}`)).text();
    expect(await search('q=number+42')).toContain('1 of 60 mails');
    expect(await search('q=nothing+42')).toContain('No mail matches');
    expect(await search('')).toContain('mail number 59');
    expect(await search('')).not.toContain('mail number 9<');
    expect(await search('page=2')).toContain('mail number 9<');
    expect(await search('page=99')).toContain('Page 2 of 2');
  });

  test('is not for pages of other names that point at this machine', async () => {
    const { server } = await startMailServer();
    for (const path of ['/', '/emails', '/_faults']) {
      const answer = await server.app.inject({ url: path, headers: { host: 'evil.example' } });
      expect(answer.statusCode).toBe(path === '/emails' ? 401 : 403);
    }
  });
});
