import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { papers } from '../../activities/agency/papers.ts';
import { buildClaimFile } from '../../activities/agency/claim-file.ts';
import { createMailer } from '../../activities/mail/resend-client.ts';
import { agencySecretPurpose, newWebhookSecret, seal } from '../../api/secrets.ts';
import { newId } from '../../db/ids.ts';
import { createAgency, newAgencyId } from '../../db/repositories/agencies.ts';
import { answerUnreachable } from '../../db/repositories/agency-messages.ts';
import { loadClaim } from '../../db/repositories/claim-file.ts';
import { recordDelivery } from '../../db/repositories/deliveries.ts';
import { verifyChain } from '../../db/repositories/events.ts';
import { listPlacements } from '../../db/repositories/placement-list.ts';
import { endPlacement, placeWithAgency, renewFile, tellAgencyOfBalance } from '../../db/repositories/placements.ts';
import { claimStrays, ringAgain } from '../../db/repositories/strays.ts';
import { createMailServer, type MailServer } from '../../scripts/mail-server/server.ts';
import { agencyWorkflowId } from '../../workflows/ids.ts';
import { mailsOf } from '../mail/fixtures.ts';
import { EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin, type Life } from './life.ts';

const POLICY = {
  contact: EVERY_DAY,
  steps: [{ key: 'one', day: 300, from: 'due', channel: 'email', template: 'reminder' }],
};
const KEY = 're_agency_key';
const SEALED_UNDER = Buffer.alloc(32, 7);

interface Way {
  deliverBy: 'download' | 'email' | 'webhook';
  email?: string;
  webhookUrl?: string;
}

/** An agency's server: fails as often as told, then takes everything. */
async function receiver(failures: number[]) {
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      const status = failures.shift() ?? 204;
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    close: () => server.closeAllConnections() ?? server.close(),
  };
}

/** The same value with the members of every object in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

/** What is told to agencies, on the real engine. */
describe('the desk of an agency', { timeout: 120_000 }, () => {
  let service: TestService;
  let mailServer: MailServer;
  let mailUrl: string;
  const folder = mkdtempSync(join(tmpdir(), 'relance-agency-'));
  beforeAll(async () => {
    mailServer = await createMailServer({ dataFolder: folder, apiKeys: [KEY] });
    mailUrl = await mailServer.listen();
    service = await startTestService({
      now: '2026-03-02T09:00:00Z',
      dayMs: 86_400_000,
      mailer: () => createMailer({ apiKey: KEY, baseUrl: mailUrl, timeoutMs: 5_000 }),
      agencyPatienceMs: 0,
    });
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await mailServer.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function agency(life: Life, way: Way): Promise<{ id: string; secret: string }> {
    const id = newAgencyId();
    const secret = newWebhookSecret();
    await life.within((tx, act) =>
      createAgency(tx, act, {
        id,
        creditorId: life.creditor.id,
        name: 'Recouvra',
        reference: 'K-4711',
        feeText: null,
        address: null,
        deliverBy: way.deliverBy,
        email: way.email ?? null,
        webhookUrl: way.webhookUrl ?? null,
        sealedSecret: seal(secret, agencySecretPurpose(id), SEALED_UNDER),
      }),
    );
    return { id, secret };
  }

  const place = (life: Life, agencyId: string) =>
    life.within((tx, act) =>
      placeWithAgency(
        tx,
        act,
        { creditorId: life.creditor.id, customerId: life.customer.id, invoiceId: life.id, run: 1, currency: 'EUR' },
        { agencyId, amountMinor: 120_000n, on: life.day(0, act.at) },
      ),
    );
  const messages = (placementId: string) =>
    service.db
      .selectFrom('agency_messages')
      .selectAll()
      .where('placement_id', '=', placementId)
      .orderBy('id')
      .execute();
  const told = (placementId: string, count: number) =>
    until('everything told', async () => {
      const rows = await messages(placementId);
      return rows.length === count && rows.every(({ status }) => status === 'sent');
    });
  const tasks = (placementId: string) =>
    service.db
      .selectFrom('tasks')
      .selectAll()
      .where('kind', '=', 'agencyUnreachable')
      .where((eb) => eb(eb.ref('data', '->>').key('placementId' as never), '=', placementId as never))
      .orderBy('seq')
      .execute();

  /** A reminder that was sent, a letter that came back, and the invoice itself. */
  async function paperTrail(life: Life): Promise<void> {
    const { db } = service;
    await db
      .insertInto('invoice_files')
      .values({
        invoice_id: life.id,
        filename: 'whatever.pdf',
        content_type: 'application/pdf',
        bytes: Buffer.from('%PDF-invoice'),
        sha256: createHash('sha256').update('%PDF-invoice').digest(),
        at: new Date(),
      })
      .execute();
    for (const channel of ['email', 'registeredLetter'] as const) {
      const contact = newId('con');
      const at = new Date(service.clock.now());
      await db
        .insertInto('contacts')
        .values({
          id: contact,
          creditor_id: life.creditor.id,
          customer_id: life.customer.id,
          kind: channel === 'email' ? 'reminder' : 'formalNotice',
          channel,
          status: channel === 'email' ? 'delivered' : 'sent',
          sender: 'a@atelier.example',
          reference: `R-${contact}`,
          recipients: [channel === 'email' ? 'billing@client.example' : 'Client, 1 rue X'],
          recipient_key: contact,
          day: '2026-02-20',
          planned_at: at,
          queued_at: at,
          sent_at: at,
          subject: '=SUM(1)',
          template: 'reminder',
          tone: 'firm',
          locale: 'fr',
          ...(channel === 'email'
            ? {}
            : { dispatched_on: '2026-02-21', returned_on: '2026-02-28', tracking_number: 'RR123456789FR' }),
        })
        .execute();
      await db
        .insertInto('contact_items')
        .values({
          contact_id: contact,
          invoice_id: life.id,
          step: channel === 'email' ? 'one' : '~formalNotice',
          occurrence: 1,
          amount_minor: 120_000n,
          currency: 'EUR',
          asks: true,
        })
        .execute();
      await db
        .insertInto('documents')
        .values({
          id: newId('doc'),
          creditor_id: life.creditor.id,
          customer_id: life.customer.id,
          contact_id: contact,
          kind: channel === 'email' ? 'email' : 'letter',
          content_type: channel === 'email' ? 'message/rfc822' : 'application/pdf',
          bytes: Buffer.from(`document of ${channel}`),
          at,
        })
        .execute();
    }
  }

  it.concurrent('makes a file whose sums agree, and the same bytes again from the same facts', async () => {
    const life = await begin(service, POLICY, -30, { number: '../../F 2026/1' });
    await life.ready();
    await paperTrail(life);
    await life.pay(20_000n);
    const { id } = await agency(life, { deliverBy: 'download' });
    const placementId = await place(life, id);
    await told(placementId, 1);
    const [message] = await messages(placementId);
    const { bytes } = await service.db
      .selectFrom('documents')
      .select('bytes')
      .where('id', '=', message!.document_id)
      .executeTakeFirstOrThrow();

    const entries = unzipSync(bytes);
    expect(Object.keys(entries)).toEqual([
      'claim-sheet.pdf',
      'claim.json',
      'statement.pdf',
      'statement.csv',
      'messages.csv',
      'post.csv',
      'timeline.json',
      'timeline.pdf',
      'invoices/F-2026-1.pdf',
      'messages/message-001.eml',
      'messages/message-002.pdf',
      'SHA256SUMS',
    ]);
    const sums = strFromU8(entries['SHA256SUMS']!).trim().split('\n');
    expect(sums).toHaveLength(11);
    for (const line of sums) {
      const [digest, name] = line.split('  ');
      expect(createHash('sha256').update(entries[name!]!).digest('hex')).toBe(digest);
    }

    const claim = JSON.parse(strFromU8(entries['claim.json']!));
    const schema = JSON.parse(readFileSync('docs/claim-1.schema.json', 'utf8'));
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(claim), JSON.stringify(validate.errors)).toBe(true);
    expect(claim).toMatchObject({
      schema: 'relance.claim/1',
      placement: { id: placementId, amount: '1200.00', agency: { reference: 'K-4711' } },
      invoice: { number: '../../F 2026/1', file: 'invoices/F-2026-1.pdf' },
      claim: { principal: '1000.00', interest: null, total: '1000.00', paid: '200.00', balance: '1000.00' },
      messages: [
        { channel: 'email', status: 'delivered', files: ['messages/message-001.eml'] },
        { channel: 'registeredLetter', returnedOn: '2026-02-28', trackingNumber: 'RR123456789FR' },
      ],
    });
    expect(claim.account.map((line: { balance: string }) => line.balance)).toEqual(['1200.00', '1000.00']);
    expect(strFromU8(entries['post.csv']!)).toContain('2026-02-21,,,2026-02-28,RR123456789FR');
    expect(strFromU8(entries['messages.csv']!)).toContain("'=SUM(1)");
    const timeline = JSON.parse(strFromU8(entries['timeline.json']!));
    expect(timeline.events.at(-1).hash).toBe(timeline.headHash);
    // As docs/agencies.md tells an agency to check it.
    let prevHash = '';
    for (const { hash, ...event } of timeline.events) {
      const content = JSON.stringify(sorted({ ...event, prevHash, invoiceId: timeline.invoiceId }));
      expect(createHash('sha256').update(content).digest('hex')).toBe(hash);
      prevHash = hash;
    }

    const { facts, documents } = (await loadClaim(service.db, placementId, message!.at))!;
    const once = await buildClaimFile(facts, documents, papers);
    expect((await buildClaimFile(facts, documents, papers)).equals(once)).toBe(true);

    // What came later is in the next version.
    await life.within((tx, act) => renewFile(tx, act, { creditorId: life.creditor.id, agencyId: null }, placementId));
    await told(placementId, 2);
    const versions = await messages(placementId);
    expect(versions[1]!.document_id).not.toBe(versions[0]!.document_id);
    expect((await life.timeline()).filter((kind) => kind === 'agencyTold')).toHaveLength(2);
    expect(await verifyChain(service.db, life.id)).toEqual([]);
    const listed = await listPlacements(service.db, { creditorId: life.creditor.id, agencyId: id }, {}, null, 10);
    expect(listed.map((row) => row.balance_minor)).toEqual([100_000n]);
  });

  it.concurrent('posts in order, signed, under one id until it is taken, and follows no redirect', async () => {
    const life = await begin(service, POLICY, -30);
    await life.ready();
    const server = await receiver([500, 302]);
    const { id, secret } = await agency(life, { deliverBy: 'webhook', webhookUrl: server.url });
    const placementId = await place(life, id);
    await life.within(async (tx, act) => {
      await tellAgencyOfBalance(tx, act, life.id, { balanceMinor: 70_000n, currency: 'EUR' });
      await endPlacement(tx, act, life.id, { status: 'recalled', reason: 'asked', on: life.day(0, act.at) });
    });
    await told(placementId, 3);
    server.close();
    const types = server.got.map(({ headers, body }) => {
      const event = new Webhook(secret).verify(body, headers as Record<string, string>) as { type: string };
      return `${event.type} ${String(headers['webhook-id'])}`;
    });
    const rows = await messages(placementId);
    const named = (type: string, index: number) => `${type} ${placementId}_${rows[index]!.id}`;
    expect(types).toEqual([
      named('claim.placed', 0),
      named('claim.placed', 0),
      named('claim.placed', 0),
      named('claim.balanceChanged', 1),
      named('claim.recalled', 2),
    ]);
    expect(new Set(server.got.slice(0, 3).map(({ body }) => body)).size).toBe(1);
    expect(JSON.parse(server.got[0]!.body).data).toMatchObject({
      placementId,
      invoiceId: life.id,
      agencyReference: 'K-4711',
      amount: '1200.00',
      currency: 'EUR',
      file: { path: `/v1/placements/${placementId}/file` },
    });
    expect(JSON.parse(server.got[3]!.body).data).toMatchObject({ balance: '700.00' });
    expect(JSON.parse(server.got[4]!.body).data).toMatchObject({ reason: 'asked' });
    expect(rows.map(({ attempts, error_code: code }) => [attempts, code])).toEqual([
      [3, null],
      [1, null],
      [1, null],
    ]);
    // The task that its silence opened has closed by itself.
    expect((await tasks(placementId)).map(({ status, outcome }) => [status, outcome])).toEqual([
      ['done', { outcome: 'delivered' }],
    ]);
    const history = JSON.stringify(await service.client.workflow.getHandle(agencyWorkflowId(id)).fetchHistory());
    expect(history).not.toContain(Buffer.from('Recouvra').toString('base64'));
    expect(history).not.toContain('Recouvra');
  });

  it.concurrent('leaves a refused message to a person, who sends it again or has told it otherwise', async () => {
    const life = await begin(service, POLICY, -30);
    await life.ready();
    const server = await receiver([410, 410, 204]);
    const { id } = await agency(life, { deliverBy: 'webhook', webhookUrl: server.url });
    const placementId = await place(life, id);
    await until('the task', async () => (await tasks(placementId)).length === 1);
    const [message] = await messages(placementId);
    expect(message).toMatchObject({ status: 'failed', error_code: 'http_410', attempts: 1 });
    await life.within((tx, act) => answerUnreachable(tx, act, message!.id, 'retry'));
    await until('the second refusal', async () => (await messages(placementId))[0]!.attempts === 2);
    await life.within((tx, act) => answerUnreachable(tx, act, message!.id, 'toldByHand'));
    expect((await messages(placementId))[0]).toMatchObject({ status: 'sent', error_code: 'toldByHand' });
    await life.within((tx, act) => tellAgencyOfBalance(tx, act, life.id, { balanceMinor: 1n, currency: 'EUR' }));
    await told(placementId, 2);
    server.close();
    expect(server.got).toHaveLength(3);
  });

  it.concurrent('writes by mail from the creditor, once, with the file, and never to the customer', async () => {
    const life = await begin(service, POLICY, -30);
    await life.ready();
    const { id } = await agency(life, { deliverBy: 'email', email: 'dossiers@recouvra.example' });
    const placementId = await place(life, id);
    await told(placementId, 1);
    const sent = (await mailsOf(mailUrl)).filter(({ to }) => to.includes('dossiers@recouvra.example'));
    expect(sent).toHaveLength(1);
    const [{ id: messageId, document_id: documentId } = { id: 0n, document_id: null }] = await messages(placementId);
    expect(sent[0]).toMatchObject({
      from: 'Atelier Lumen <compta@atelier-lumen.example>',
      to: ['dossiers@recouvra.example'],
      tags: [
        { name: 'kind', value: 'agency' },
        { name: 'message', value: `${placementId}_${messageId}` },
      ],
    });
    expect(sent[0]!.attachments[0]!.filename).toBe(`${placementId}.zip`);
    const { bytes } = await service.db
      .selectFrom('documents')
      .select('bytes')
      .where('id', '=', documentId)
      .executeTakeFirstOrThrow();
    expect(sent[0]!.attachments[0]!.size).toBe(bytes.byteLength);
    // It bounces: a person puts the address right and has it sent again.
    await life.within((tx, act) =>
      recordDelivery(tx, act, {
        eventId: `bounce-${placementId}`,
        providerId: sent[0]!.id,
        contactTag: null,
        agencyMessage: `${placementId}_${messageId}`,
        status: 'bounced',
      }),
    );
    expect((await messages(placementId))[0]).toMatchObject({ status: 'failed', error_code: 'bounced' });
    expect((await tasks(placementId)).map(({ status }) => status)).toEqual(['open']);
    await life.within(async (tx, act) => {
      await tx.updateTable('agencies').set({ email: 'neu@recouvra.example' }).where('id', '=', id).execute();
      await answerUnreachable(tx, act, messageId, 'retry');
    });
    await told(placementId, 1);
    expect((await mailsOf(mailUrl)).filter(({ to }) => to.includes('neu@recouvra.example'))).toHaveLength(1);
    expect(
      await service.db.selectFrom('contacts').select('id').where('customer_id', '=', life.customer.id).execute(),
    ).toEqual([]);
  });

  it.concurrent('is rung again for what nobody poked it for', async () => {
    const life = await begin(service, POLICY, -30);
    await life.ready();
    const { id } = await agency(life, { deliverBy: 'download' });
    const placementId = await life.within(async (tx, act) => {
      const made = await placeWithAgency(
        tx,
        { ...act, at: act.at - 60_000 },
        { creditorId: life.creditor.id, customerId: life.customer.id, invoiceId: life.id, run: 1, currency: 'EUR' },
        { agencyId: id, amountMinor: 120_000n, on: life.day(0, act.at) },
      );
      await tx.deleteFrom('outbox').where('target', '=', id).execute();
      return made;
    });
    const strays = (await claimStrays(service.db, service.clock.now(), 86_400_000)).filter((one) => one.id === id);
    expect(strays).toMatchObject([{ kind: 'agency' }]);
    await ringAgain(service.db, strays[0]!, false);
    await told(placementId, 1);
  });
});
