import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureKey } from '../../db/repositories/keys.ts';
import { check } from '../../db/repositories/ledger.ts';
import { feedWorkflowId } from '../../workflows/ids.ts';
import { pokeSignal } from '../../workflows/messages.ts';
import { NOW, signed, startApi, type Harness } from '../api/harness.ts';
import { EVERY_DAY } from '../support/book.ts';
import { BRIDGE_CREDENTIALS, startFakeBridge, type FakeBridge } from '../support/fakes/bridge.ts';
import { GOCARDLESS_TOKEN, startFakeGoCardless, type FakeGoCardless } from '../support/fakes/gocardless.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import {
  bridgeAccountUpdated,
  bridgeTransaction,
  bytes,
  gocardlessEvent,
  gocardlessPayment,
  gocardlessRefund,
  qontoTransaction,
  standardBooked,
  standardReturned,
  stripeCharge,
  stripeDispute,
  stripeEvent,
  stripeRefund,
} from '../support/webhook-bodies.ts';
import { signBridge, signGoCardless, signQonto, signStripe } from '../support/webhook-signing.ts';
import { begin, type Life } from './life.ts';

const POLICY = {
  contact: EVERY_DAY,
  steps: [
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder' },
    { key: 'two', day: 300, from: 'due', channel: 'email', template: 'reminder' },
  ],
};

type Kind = 'standard' | 'qonto' | 'bridge' | 'stripe' | 'gocardless';

let service: TestService;
let h: Harness;
let bridge: FakeBridge;
let gocardless: FakeGoCardless;
let serial = 0;
const next = (): number => (serial += 1);

beforeAll(async () => {
  bridge = await startFakeBridge();
  gocardless = await startFakeGoCardless();
  service = await startTestService({
    now: '2026-11-20T09:00:00Z',
    dayMs: 86_400_000,
    feeds: {
      urls: { bridge: bridge.url, gocardless: 'http://127.0.0.1:9', gocardlessSandbox: gocardless.url },
      firstPauseMs: 10_000,
    },
  });
  h = await startApi({}, 8, service.url);
  await ensureKey(service.db, NOW, h.adminKey, { name: 'admin', role: 'admin' });
}, 120_000);
afterAll(async () => {
  await h.stop();
  await service.stop();
  await Promise.all([bridge.stop(), gocardless.stop()]);
});

/** A feed of a creditor, as its provider sees it. */
class Sender {
  readonly kind: Kind;
  readonly id: string;
  readonly key: string;
  readonly accountId: number;
  secret: string;

  constructor(kind: Kind, id: string, key: string, secret: string, accountId: number) {
    this.kind = kind;
    this.id = id;
    this.key = key;
    this.secret = secret;
    this.accountId = accountId;
  }

  /** Posts a body signed as the provider signs; `webhookId` counts for Standard Webhooks alone. */
  async send(body: unknown, { secret = this.secret, webhookId = `msg_${next()}` } = {}): Promise<number> {
    const raw = bytes(this.kind === 'gocardless' ? { events: [body].flat() } : body);
    const headers =
      this.kind === 'standard'
        ? signed(secret, webhookId, raw.toString('utf8'))
        : SIGNERS[this.kind](raw, secret, Date.now());
    const url = `/v1/webhooks/feeds/${this.id}`;
    return (await h.app.inject({ method: 'POST', url, payload: raw, headers })).statusCode;
  }

  rows() {
    return service.db.selectFrom('inbox').selectAll().where('feed_id', '=', this.id).orderBy('id').execute();
  }

  receipts() {
    return service.db.selectFrom('receipts').selectAll().where('feed_id', '=', this.id).orderBy('seq').execute();
  }

  /** Amounts of its transactions and what became of them. */
  async transactions(): Promise<string[]> {
    const rows = await service.db
      .selectFrom('bank_transactions')
      .selectAll()
      .where('feed_id', '=', this.id)
      .orderBy('seq')
      .execute();
    return rows.map((row) => `${row.amount_minor} ${row.outcome ?? row.state}`);
  }

  /** Nothing is left to drain or to fetch. */
  async done(): Promise<void> {
    await until(
      'a feed that is done',
      async () => {
        const shown = await h.call(this.key, 'GET', `/v1/feeds/${this.id}`);
        return shown.body.pending === 0 && shown.body.toFetch === 0;
      },
      150_000,
    );
  }
}

const SIGNERS = { qonto: signQonto, bridge: signBridge, stripe: signStripe, gocardless: signGoCardless };

const newSecret = (kind: Kind): string => {
  const text = createHmac('sha256', 'tests').update(`${kind} ${next()}`).digest('base64');
  return kind === 'standard' || kind === 'stripe' ? `whsec_${text}` : text;
};

const credentialsOf = (kind: Kind, accountId: number): object | undefined =>
  kind === 'bridge'
    ? { ...BRIDGE_CREDENTIALS, accountId: String(accountId) }
    : kind === 'gocardless'
      ? { accessToken: GOCARDLESS_TOKEN, environment: 'sandbox' }
      : undefined;

async function keyFor(creditorId: string): Promise<string> {
  const made = await h.call(h.adminKey, 'POST', `/v1/creditors/${creditorId}/keys`, {
    name: 'desk',
    role: 'approver',
  });
  return made.body.key;
}

async function connect(kind: Kind, creditorId: string): Promise<Sender> {
  const key = await keyFor(creditorId);
  const [secret, accountId] = [newSecret(kind), 1_000 + next()];
  const credentials = credentialsOf(kind, accountId);
  const made = await h.call(key, 'POST', '/v1/feeds', {
    kind,
    name: 'Account',
    secret,
    ...(credentials ? { credentials } : {}),
  });
  expect(made.status).toBe(201);
  return new Sender(kind, made.body.id, key, secret, accountId);
}

/** A case whose first reminder has left, of an invoice over 1,200.00 EUR, and the feed its money comes through. */
async function reminded(
  kind: Kind,
  collection?: 'directDebit',
): Promise<{ life: Life; sender: Sender; number: string }> {
  const number = `PRV-2026-${String(1_000 + next())}`;
  const life = await begin(service, POLICY, -3, {
    number,
    ...(collection ? { collection: { method: collection, on: null } } : {}),
  });
  if (!collection) await life.happened('stepTaken:one');
  return { life, sender: await connect(kind, life.creditor.id), number };
}

/** How a payment of 1,200.00 EUR is told, `id` being the provider's: the event, and the same payment in another event. */
interface Telling {
  first: unknown;
  again: unknown;
}

const TELL: Record<Kind, (sender: Sender, id: number, number: string) => Telling> = {
  standard: (_, id, number) => {
    const body = standardBooked({ id: `t-${id}`, remittance: number });
    return { first: body, again: { ...body, timestamp: '2026-11-20T09:30:00Z' } };
  },
  qonto: (_, id, number) => {
    const change = { transaction_id: `q-${id}`, amount: 1200, reference: number, local_amount: 1200 };
    return {
      first: qontoTransaction(change),
      again: qontoTransaction({ ...change, updated_at: '2026-11-20T23:59:00Z', note: 'seen' }),
    };
  },
  bridge: (sender, id, number) => {
    bridge.transactions.push(
      bridgeTransaction({
        id,
        account_id: sender.accountId,
        amount: 1200,
        provider_description: `VIR RECU MOTIF ${number}`,
      }),
    );
    const told = (timestamp: number) => ({ ...bridgeAccountUpdated({ account_id: sender.accountId }), timestamp });
    return { first: told(1_763_629_200_000 + id), again: told(1_763_629_300_000 + id) };
  },
  stripe: (_, id, number) => {
    const charge = stripeCharge({ id: `ch_${id}`, payment_intent: `pi_${id}`, metadata: { invoice_number: number } });
    return {
      first: { ...stripeEvent('charge.succeeded', charge), id: `evt_${id}a` },
      again: { ...stripeEvent('charge.captured', charge), id: `evt_${id}b` },
    };
  },
  gocardless: (_, id, number) => {
    const payment = `PM${id}`;
    gocardless.payments.set(payment, gocardlessPayment({ id: payment, metadata: { invoice: number } }));
    const event = (name: string) =>
      gocardlessEvent('confirmed', { id: name, links: { payment }, resource_metadata: { invoice: number } });
    return { first: event(`EV${id}a`), again: event(`EV${id}b`) };
  },
};

const settled = async (life: Life): Promise<void> => {
  await until('a settled case', async () => (await life.row()).stage === 'settled');
};
/** Open again where it was: its first step stays taken and is not taken twice. */
const reopened = async (life: Life, sender: Sender): Promise<void> => {
  await until('a return', async () => (await sender.transactions()).includes('-120000 return'));
  await until('a case that runs', async () => {
    const row = await life.row();
    return row.stage === 'reminding' && row.balance_minor === 120_000n;
  });
  expect((await life.timeline()).filter((kind) => kind === 'stepTaken:one')).toHaveLength(1);
};
const booksBalance = async (): Promise<void> => expect(await check(service.db)).toEqual([]);

describe.each<Kind>(['standard', 'qonto', 'bridge', 'stripe', 'gocardless'])('%s', { timeout: 120_000 }, (kind) => {
  it('settles the invoice, however often a payment is told', async () => {
    const { life, sender, number } = await reminded(kind);
    const { first, again } = TELL[kind](sender, next(), number);
    expect(await sender.send(first, { webhookId: 'once' })).toBe(204);
    await settled(life);
    expect(await sender.send(first, { webhookId: 'once' })).toBe(204);
    expect(await sender.send(again)).toBe(204);
    await sender.done();
    expect(await sender.transactions()).toEqual(['120000 receipt']);
    expect(await sender.receipts()).toHaveLength(1);
    expect((await life.row()).balance_minor).toBe(0n);
    await booksBalance();
  });

  it('takes two secrets while rotating and nobody else’s', async () => {
    const { life, sender, number } = await reminded(kind);
    const other = await connect(kind, (await begin(service, POLICY, 30)).creditor.id);
    const rotate = async (secret: string) =>
      expect((await h.call(sender.key, 'POST', `/v1/feeds/${sender.id}/rotate`, { secret })).status).toBe(200);
    const [a, b, d] = [sender.secret, newSecret(kind), newSecret(kind)];
    const { first, again } = TELL[kind](sender, next(), number);

    expect(await sender.send(first, { secret: other.secret })).toBe(401);
    expect(await sender.rows()).toEqual([]);
    await rotate(b);
    expect(await sender.send(first, { secret: a })).toBe(204);
    expect(await sender.send(again, { secret: b })).toBe(204);
    await rotate(d);
    const before = (await sender.rows()).length;
    expect(await sender.send({ ...(again as object), more: 1 }, { secret: a })).toBe(401);
    expect(await sender.rows()).toHaveLength(before);
    expect(await sender.send(again, { secret: b })).toBe(204);
    await settled(life);

    expect((await h.call(sender.key, 'DELETE', `/v1/feeds/${sender.id}`)).status).toBe(204);
    expect(await sender.send({ ...(again as object), more: 2 }, { secret: d })).toBe(401);
    expect((await sender.rows()).filter((row) => row.body.includes('"more"'))).toEqual([]);
    expect(await sender.receipts()).toHaveLength(1);
  });
});

describe('what is undone', { timeout: 120_000 }, () => {
  it('a returned transfer that comes before its payment waits for it, and reopens the case', async () => {
    const { life, sender, number } = await reminded('standard');
    const id = `t-${next()}`;
    await sender.send(standardReturned({ id: `${id}-back`, originalId: id }));
    await sender.done();
    expect(await sender.transactions()).toEqual(['-120000 waiting']);
    await sender.send(standardBooked({ id, remittance: number }));
    await reopened(life, sender);
    expect(await sender.transactions()).toEqual(['-120000 return', '120000 receipt']);
    await booksBalance();
  });

  it('an announcement behind its booking changes nothing', async () => {
    const { life, sender, number } = await reminded('qonto');
    const id = `q-${next()}`;
    const change = { transaction_id: id, amount: 1200, reference: number };
    await sender.send(qontoTransaction(change));
    await settled(life);
    await sender.send(
      qontoTransaction({ ...change, status: 'pending', settled_at: null, updated_at: '2026-11-19T08:00:00Z' }),
    );
    await sender.done();
    expect(await sender.transactions()).toEqual(['120000 receipt']);
  });

  it('a dispute of Stripe reopens the case with its fee booked beside it; when it is won the invoice is paid', async () => {
    const { life, sender, number } = await reminded('stripe');
    const n = next();
    const { first } = TELL.stripe(sender, n, number);
    const dispute = (change: object = {}) =>
      stripeDispute({ id: `dp_${n}`, charge: `ch_${n}`, payment_intent: `pi_${n}`, ...change });
    const event = (type: string, object: unknown) => ({ ...stripeEvent(type, object), id: `evt_${next()}` });
    await sender.send(event('charge.dispute.created', dispute()));
    await sender.send(first);
    await settled(life);
    await sender.send(event('charge.dispute.funds_withdrawn', dispute()));
    await reopened(life, sender);
    expect((await life.row()).run).toBe(2);
    // Late: it announces what is booked.
    await sender.send(event('charge.dispute.created', dispute()));
    await sender.done();
    expect(await sender.transactions()).toEqual(['-120000 return', '120000 receipt']);
    const fees = await service.db
      .selectFrom('postings as p')
      .select('p.amount_minor')
      .where('p.account', '=', 'bankFees')
      .execute();
    expect(fees.map(({ amount_minor }) => amount_minor)).toEqual([750n]);

    const credit = { id: 'txn_2', amount: 120_000, fee: -750, net: 120_750, currency: 'eur' };
    await sender.send(event('charge.dispute.funds_reinstated', dispute({ balance_transactions: [credit] })));
    await settled(life);
    await booksBalance();
  });

  it('a refund of Stripe that its customer’s bank does not take is a payment again', async () => {
    const { life, sender, number } = await reminded('stripe');
    const n = next();
    const { first } = TELL.stripe(sender, n, number);
    const event = (type: string, object: unknown, previous?: unknown) => ({
      ...stripeEvent(type, object, previous),
      id: `evt_${next()}`,
    });
    const refund = stripeRefund({ id: `re_${n}`, amount: 120_000, charge: `ch_${n}`, payment_intent: `pi_${n}` });
    // The failure comes first of all: it waits for the refund, which waits for its payment.
    await sender.send(event('refund.failed', { ...refund, metadata: {} }));
    await sender.done();
    expect(await sender.transactions()).toEqual(['120000 waiting']);
    const refunded = stripeCharge({ id: `ch_${n}`, payment_intent: `pi_${n}`, amount_refunded: 120_000 });
    await sender.send(event('charge.refunded', refunded, { amount_refunded: 0 }));
    await sender.done();
    await sender.send(first);
    await settled(life);
    await sender.done();
    expect(await sender.transactions()).toEqual(['120000 receipt', '-120000 return', '120000 receipt']);
    const waits = await service.db
      .selectFrom('tasks')
      .select('status')
      .where('creditor_id', '=', life.creditor.id)
      .where('kind', '=', 'unknownReturn')
      .execute();
    expect(waits).toEqual([{ status: 'done' }, { status: 'done' }]);
    await booksBalance();
  });

  it('a late failure of GoCardless takes the payment back and lets the invoice be chased', async () => {
    const { life, sender, number } = await reminded('gocardless', 'directDebit');
    const n = next();
    const { first } = TELL.gocardless(sender, n, number);
    const links = { payment: `PM${n}` };
    await sender.send(first);
    await settled(life);
    await sender.send([
      gocardlessEvent('failed', { id: `EV${n}f`, links, resource_metadata: { invoice: number } }),
      gocardlessEvent('late_failure_settled', { id: `EV${n}l`, links }),
    ]);
    await until('an open case', async () => (await life.row()).balance_minor === 120_000n);
    await sender.done();
    expect(await sender.transactions()).toEqual(['120000 receipt', '-120000 return']);
    expect((await life.row()).collection_failed_on).toBe('2026-11-25');
    expect(await life.timeline()).toContain('collectionFailed');
    await booksBalance();
  });

  it('a failure that overtakes its confirmation ends the same', async () => {
    const { life, sender, number } = await reminded('gocardless', 'directDebit');
    const n = next();
    const { first } = TELL.gocardless(sender, n, number);
    const links = { payment: `PM${n}` };
    gocardless.payments.set(links.payment, {
      ...(gocardless.payments.get(links.payment) as object),
      status: 'failed',
    });
    await sender.send(gocardlessEvent('failed', { id: `EV${n}f`, links, resource_metadata: { invoice: number } }));
    await life.happened('collectionFailed');
    await sender.send(first);
    await sender.done();
    expect([...(await sender.transactions())].sort()).toEqual(['-120000 return', '120000 receipt']);
    expect((await life.row()).balance_minor).toBe(120_000n);
    await booksBalance();
  });

  it('a chargeback of GoCardless before its payment waits for it, and is a payment again when it is cancelled', async () => {
    const { life, sender, number } = await reminded('gocardless');
    const n = next();
    const { first } = TELL.gocardless(sender, n, number);
    const event = (action: string, change: object = {}) =>
      gocardlessEvent(action, { id: `EV${next()}`, links: { payment: `PM${n}` }, ...change });
    await sender.send(event('charged_back'));
    await sender.done();
    await sender.send(first);
    await reopened(life, sender);
    await sender.send(event('chargeback_cancelled'));
    await settled(life);
    expect(await sender.transactions()).toEqual(['-120000 return', '120000 receipt', '120000 receipt']);
    await booksBalance();
  });

  it('a refund of a part reopens the case for that part', async () => {
    const { life, sender, number } = await reminded('gocardless');
    const n = next();
    await sender.send(TELL.gocardless(sender, n, number).first);
    await settled(life);
    gocardless.refunds.set(`RF${n}`, gocardlessRefund({ id: `RF${n}`, links: { payment: `PM${n}` } }));
    const links = { refund: `RF${n}`, payment: `PM${n}` };
    await sender.send(gocardlessEvent('paid', { id: `EV${n}r`, resource_type: 'refunds', links }));
    await until('what is owed again', async () => (await life.row()).balance_minor === 20_000n);
    expect((await life.row()).stage).toBe('reminding');
    await booksBalance();
  });
});

describe('a provider that is asked', { timeout: 240_000 }, () => {
  const tasksOf = (life: Life, kind: string) =>
    service.db
      .selectFrom('tasks')
      .selectAll()
      .where('creditor_id', '=', life.creditor.id)
      .where('kind', '=', kind)
      .execute();

  it('and refuses the credentials is a task at once; new ones are tried at once', async () => {
    const { life, sender, number } = await reminded('gocardless');
    const patch = (accessToken: string) =>
      h.call(sender.key, 'PATCH', `/v1/feeds/${sender.id}`, { credentials: { accessToken, environment: 'sandbox' } });
    await patch('sandbox_token_that_was_revoked');
    await sender.send(TELL.gocardless(sender, next(), number).first);
    const [task] = await until('a task', async () => {
      const tasks = await tasksOf(life, 'feedUnreachable');
      return tasks.length > 0 && tasks;
    });
    expect(task).toMatchObject({ status: 'open', role: 'approver', data: { code: 'unauthorized' } });
    expect((await life.row()).stage).toBe('reminding');
    await patch(GOCARDLESS_TOKEN);
    await settled(life);
    expect(await tasksOf(life, 'feedUnreachable')).toMatchObject([{ status: 'done', outcome: { outcome: 'reached' } }]);
  });

  it('and has nothing to tell of it is a task, and the others go on', async () => {
    const { life, sender, number } = await reminded('gocardless');
    const lost = gocardlessEvent('confirmed', { id: `EV${next()}`, links: { payment: 'PMnowhere' } });
    await sender.send([lost, TELL.gocardless(sender, next(), number).first]);
    await settled(life);
    await sender.done();
    expect((await sender.rows()).map(({ status }) => status)).toEqual(['unreadable', 'applied']);
    expect(await tasksOf(life, 'unreadableWebhook')).toMatchObject([{ status: 'open', data: { code: 'notFound' } }]);
  });

  it('one record that cannot be used takes no other with it, another account’s news are nobody’s', async () => {
    const { life, sender, number } = await reminded('bridge');
    const odd = { id: next(), account_id: sender.accountId, amount: 1.005 };
    bridge.transactions.push(bridgeTransaction(odd));
    const { first } = TELL.bridge(sender, next(), number);
    await sender.send(bridgeAccountUpdated({ account_id: 7 }));
    await sender.send(first);
    await settled(life);
    await sender.done();
    expect(await sender.transactions()).toEqual(['120000 receipt']);
    expect(await tasksOf(life, 'unreadableTransaction')).toMatchObject([{ data: { code: 'tooManyDecimals' } }]);
    const { read_to: readTo } = await service.db
      .selectFrom('feeds')
      .select('read_to')
      .where('id', '=', sender.id)
      .executeTakeFirstOrThrow();
    expect(readTo).toBe('2026-11-20T13:27:53.000Z');
  });

  it('a backlog drains in batches, and what waits for a silent provider survives a new history', async () => {
    const { life, sender, number } = await reminded('gocardless');
    const handle = service.client.workflow.getHandle(feedWorkflowId(sender.id));
    const noise = (n: number) => gocardlessEvent('paid_out', { id: `EVn${n}`, links: { payment: `PMn${n}` } });
    const bodies = Array.from({ length: 8 }, (_, body) => Array.from({ length: 250 }, (_, n) => noise(body * 250 + n)));
    expect(new Set(await Promise.all(bodies.map((events) => sender.send(events))))).toEqual(new Set([204]));
    expect(await sender.rows()).toHaveLength(2_000);
    await sender.done();
    const batches = await until('all batches in the history', async () => {
      const history = await handle.fetchHistory();
      const applied = (history.events ?? []).flatMap((event) => {
        const [payload] = event.activityTaskCompletedEventAttributes?.result?.payloads ?? [];
        if (!payload?.data) return [];
        return [(JSON.parse(Buffer.from(payload.data).toString()) as { applied?: number }).applied ?? 0];
      });
      return applied.reduce((sum, count) => sum + count, 0) === 2_000 && applied;
    });
    expect(Math.max(...batches)).toBeLessThanOrEqual(500);

    // The provider is silent for one call, and is to be asked again after an hour only.
    gocardless.failNext({ kind: 'status', status: 503 }, { kind: 'status', status: 503 });
    const putOff = async (ms: number): Promise<void> => {
      const change = { not_before: new Date(Date.now() + ms) };
      await service.db.updateTable('inbox').set(change).where('feed_id', '=', sender.id).execute();
    };
    await sender.send(TELL.gocardless(sender, next(), number).first);
    const shown = async () => (await h.call(sender.key, 'GET', `/v1/feeds/${sender.id}`)).body;
    await until('an answer in vain', async () => (await shown()).fetching?.errorCode === 'unavailable');
    await putOff(3_600_000);
    const { runId } = await handle.describe();
    for (let n = 0; n < 45; n += 1) await handle.signal(pokeSignal.name, { ballast: 'x'.repeat(120_000) });
    await until('another history', async () => {
      if ((await handle.describe()).runId !== runId) return true;
      await handle.signal(pokeSignal.name, { ballast: 'x'.repeat(120_000) });
      return false;
    });
    expect((await shown()).toFetch).toBe(1);
    // One poke tells the new run of the moment; then its timer alone wakes it.
    await putOff(3_000);
    await handle.signal(pokeSignal);
    await settled(life);
    await sender.done();
    const details = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(details.currentDetails).toContain('**backlog** 0');
    expect(await tasksOf(life, 'feedUnreachable')).toEqual([]);
  });
});
