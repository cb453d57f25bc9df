import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANGUAGES, TEMPLATE_NAMES } from '../../domain/policy/templates.ts';
import { newInvoice, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const WORDS = {
  subject: 'Un mot [{{ reference }}]',
  lead: '{{ salutation }}\n\nIl reste {{ totals }} pour {{ customer.name }}.',
  close: 'Merci.',
};
const put = (name: string, body: object, key = c.approver) => h.call(key, 'PUT', `/v1/templates/${name}`, body);
const get = (path: string, key = c.operator) => h.call(key, 'GET', `/v1/templates${path}`);
const preview = (name: string, body: object, headers: Record<string, string> = {}) =>
  h.call(c.operator, 'POST', `/v1/templates/${name}/preview`, body, headers);
const faults = (reply: { body: { errors: { pointer: string; code: string }[] } }) =>
  reply.body.errors.map((e) => [e.pointer, e.code]);
const stored = () => h.db.selectFrom('template_versions').selectAll().execute();

describe('texts', () => {
  test('are the built-in ones until they are changed', async () => {
    const all = await get('');
    expect(all.status).toBe(200);
    expect(all.body.data).toHaveLength(TEMPLATE_NAMES.length * LANGUAGES.length);
    expect(all.body.nextCursor).toBeNull();
    for (const entry of all.body.data) expect(entry).toMatchObject({ version: null, builtIn: true, createdAt: null });
    const one = await get('/reminder?language=fr');
    expect(one.body).toMatchObject({ name: 'reminder', language: 'fr', version: null, builtIn: true });
    expect(one.body.lead).toContain('{{ salutation }}');

    const first = await get('?limit=15');
    const rest = await get(`?limit=15&cursor=${first.body.nextCursor}`);
    expect([...first.body.data, ...rest.body.data]).toEqual(all.body.data);
    expect(rest.body.nextCursor).toBeNull();
  });

  test('get a version for each change, and none for the same words', async () => {
    const first = await put('reminder', { language: 'fr', ...WORDS });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ version: 1, builtIn: false, createdBy: expect.any(String), ...WORDS });
    const same = { language: 'fr', ...WORDS, lead: `\r\n${WORDS.lead.replaceAll('\n', '\r\n')}  ` };
    expect((await put('reminder', same)).body).toEqual(first.body);
    const second = await put('reminder', { language: 'fr', ...WORDS, close: 'Bien à vous.' });
    expect(second.body.version).toBe(2);

    expect((await get('/reminder?language=fr')).body).toEqual(second.body);
    expect((await get('/reminder?language=fr&version=1')).body).toEqual(first.body);
    expect((await get('/reminder?language=en')).body).toMatchObject({ version: null, builtIn: true });
    expect((await get('/reminder?language=fr&version=0')).body).toMatchObject({ version: null, builtIn: true });
    expect((await get('/reminder?language=fr&version=9')).status).toBe(404);

    const back = await put('reminder', { language: 'fr', builtIn: true });
    expect(back.body).toMatchObject({ version: 3, builtIn: true });
    expect(back.body.lead).toBe((await get('/reminder?language=fr&version=0')).body.lead);
    expect((await put('reminder', { language: 'fr', builtIn: true })).body).toEqual(back.body);
    // Where nothing was changed there is nothing to go back from.
    expect((await put('reminder', { language: 'de', builtIn: true })).body).toMatchObject({ version: null });
    const entry = (await get('')).body.data.find(
      (e: { name: string; language: string }) => e.name === 'reminder' && e.language === 'fr',
    );
    expect(entry).toMatchObject({ version: 3, builtIn: true });
  });

  test('of one creditor are not seen by another', async () => {
    const other = await h.creditor({ name: 'Another' });
    await put('thank-you', { language: 'en', subject: 'Thanks', lead: 'Ours alone.', close: 'Bye.' });
    expect((await get('/thank-you?language=en&version=1', other.operator)).status).toBe(404);
    expect((await get('/thank-you?language=en', other.operator)).body).toMatchObject({ version: null, builtIn: true });
    const shown = await h.call(other.operator, 'POST', '/v1/templates/thank-you/preview', { language: 'en' });
    expect(JSON.stringify(shown.body)).not.toContain('Ours alone');
  });

  test('that nobody knows are not found', async () => {
    for (const name of ['nothing', '__proto__', 'constructor', '..%2Freminder', 'x'.repeat(90)]) {
      expect((await get(`/${name}?language=fr`)).status).toBe(404);
      expect((await put(name, { language: 'fr', ...WORDS })).status).toBe(404);
      expect((await preview(name, { language: 'fr' })).status).toBe(404);
    }
  });
});

describe('a text that cannot be used is refused, and nothing is stored', () => {
  test.each([
    ['a loop without end', '{% for i in (1..1000000000) %}a{% endfor %}', 'templateTooCostly'],
    ['an unknown variable', 'Bonjour\n{{ client.nom }}', 'unknownVariable'],
    ['an unknown variable in a branch not taken', '{% if count == 99 %}{{ nom }}{% endif %}x', 'unknownVariable'],
    ['a variable that may be missing', 'Avant le {{ payBy }}', 'templateUnusable'],
    ['a script', '<script>alert(1)</script>', 'htmlNotAllowed'],
    ['a way around the escaping', '{{ customer.name | raw }}', 'notAllowed'],
    ['a file', '{% include "../package.json" %}', 'notAllowed'],
    ['an open tag', '{% if count > 1 %}', 'templateSyntax'],
  ])('%s', async (_, lead, code) => {
    const before = await stored();
    for (const send of [put, preview]) {
      const reply = await send('reminder', { language: 'fr', ...WORDS, lead });
      expect([reply.status, reply.body.code]).toEqual([422, 'templateInvalid']);
      expect(faults(reply)).toEqual([['/lead', code]]);
      expect(reply.body.errors[0].message).toMatch(
        code === 'templateTooCostly' ? /more than a message/ : /^Line \d+: /,
      );
    }
    expect(await stored()).toEqual(before);
  });

  test.each([
    [
      'no parts',
      { language: 'fr' },
      [
        ['/subject', 'required'],
        ['/lead', 'required'],
        ['/close', 'required'],
      ],
    ],
    ['parts of the built-in one', { language: 'fr', builtIn: true, lead: 'x' }, [['/lead', 'notAllowed']]],
    ['another language', { language: 'it', ...WORDS }, [['/language', 'notAllowed']]],
    ['too many words', { language: 'fr', ...WORDS, close: 'x'.repeat(20_001) }, [['/close', 'tooLong']]],
    ['an unknown field', { language: 'fr', ...WORDS, html: 'x' }, [['/html', 'unknownField']]],
  ])('%s', async (_, body, expected) => {
    const reply = await put('reminder', body);
    expect([reply.status, faults(reply)]).toEqual([422, expected]);
  });
});

describe('a preview', () => {
  test('shows the draft for an invented case, and creates nothing', async () => {
    const before = await stored();
    const reply = await preview('last-reminder', { language: 'fr', lead: 'Il reste {{ totals }}.' });
    expect(reply.status).toBe(200);
    expect(reply.body.text).toContain('Il reste 2\u202f450,10\u00a0€ et 300,00\u00a0$US.');
    expect(reply.body.html).toContain('<p style="margin:0 0 16px;">Il reste');
    // What is not given is as it is now.
    expect(reply.body.subject).toContain('Dernier rappel');
    expect(await stored()).toEqual(before);
    expect(await h.db.selectFrom('contacts').select('id').execute()).toEqual([]);
  });

  test('shows a version for a real case: its customer, what it asks for today', async () => {
    await put('formal-notice', { language: 'fr', ...WORDS });
    await put('formal-notice', { language: 'fr', ...WORDS, close: 'Deuxième.' });
    const invoice = await newInvoice(h, c.operator, {
      number: 'REAL-1',
      customer: {
        reference: 'REAL',
        name: 'Dune & Fils <b>',
        country: 'FR',
        contacts: [{ name: 'Ana Roy', role: 'billing', email: 'ana@dune.example' }],
      },
    });
    await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/payments`, {
      amount: '200.00',
      currency: 'EUR',
      receivedOn: '2026-11-20',
    });
    await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/disputes`, { amount: '100.00', category: 'price' });
    const reply = await preview('formal-notice', { language: 'fr', version: 1, invoiceId: invoice.id });
    expect(reply.status).toBe(200);
    const { text, html, subject } = reply.body;
    expect(text).toContain('Bonjour Ana Roy,\n\nIl reste 900,00\u00a0€ pour Dune & Fils <b>.');
    expect(text).toContain('REAL-1');
    expect(text).toContain('Merci.');
    expect(html).toContain('Dune &amp; Fils &lt;b&gt;');
    expect(subject).toBe('Un mot [R-EXAMPLE]');
    const thanks = await preview('thank-you', { language: 'en', version: 0, invoiceId: invoice.id });
    expect(thanks.body.text).toContain('We have received your payment of €200.00 for invoice REAL-1.');
    const plan = await preview('plan-note', { language: 'de', invoiceId: invoice.id });
    expect(plan.body.text).toMatch(/- 20\.\u00a0Dezember 2026: 900,00/);

    expect((await preview('formal-notice', { language: 'fr', version: 7 })).status).toBe(404);
    const other = await h.creditor();
    const foreign = await h.call(other.operator, 'POST', '/v1/templates/reminder/preview', {
      language: 'fr',
      invoiceId: invoice.id,
    });
    expect(foreign.status).toBe(404);
  });

  test('says what a stored text lacks for a case', async () => {
    await h.db
      .insertInto('template_versions')
      .values({
        creditor_id: c.id,
        name: 'before-due',
        language: 'en',
        version: 1,
        subject: 'x',
        lead: 'By {{ payBy }}',
        close: 'y',
        created_at: new Date(0),
        created_by: 'test',
      })
      .execute();
    const invoice = await newInvoice(h, c.operator);
    const reply = await preview('before-due', { language: 'en', invoiceId: invoice.id });
    expect([reply.status, reply.body.code]).toEqual([422, 'templateFailed']);
  });

  test.each([
    ['html', 'text/html; charset=utf-8', /^<!doctype html>/],
    ['text', 'text/plain; charset=utf-8', /Bonjour Camille Roux,/],
    ['pdf', 'application/pdf', /^%PDF-1\.7\nFR\nAtelier Lumen/],
  ])('comes as a file of %s, asked for by format or by Accept', async (format, type, content) => {
    for (const reply of [
      await preview('reminder', { language: 'fr', format }),
      await preview('reminder', { language: 'fr' }, { accept: `${type.split(';')[0]}, */*;q=0.1` }),
    ]) {
      expect(reply.status).toBe(200);
      expect(reply.headers['content-type']).toBe(type);
      expect(reply.headers['content-disposition']).toMatch(/^attachment; filename="reminder\.(html|txt|pdf)"$/);
      expect(reply.raw.body).toMatch(content);
    }
  });

  test('is on paper only for what goes out on paper, and over channels the text is made for', async () => {
    const printed = await preview('thank-you', { language: 'fr', format: 'pdf' });
    expect([printed.status, faults(printed)]).toEqual([422, [['/format', 'notAllowed']]]);
    const called = await preview('reminder', { language: 'fr', channel: 'call' });
    expect([called.status, faults(called)]).toEqual([422, [['/channel', 'notAllowed']]]);
    const letter = await preview('reminder', { language: 'fr', channel: 'registeredLetter', tone: 'final' });
    expect(letter.body.text).toMatch(/^Atelier Lumen\n/);
    expect((await preview('reminder', { language: 'fr', format: 'doc' })).status).toBe(422);
  });
});
