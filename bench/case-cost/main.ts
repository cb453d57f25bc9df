import { pino } from 'pino';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { makePromise } from '../../db/repositories/promises.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { addDays } from '../../domain/time/dates.ts';
import { localDate, parseInstant } from '../../domain/time/zones.ts';
import { fakeMailer, startInProcess, type InProcessService } from '../../scripts/stack/in-process-service.ts';
import { addCustomer, addInvoice, openBook } from '../../test/support/book.ts';
import { caseWorkflowId, outreachWorkflowId, TASK_QUEUE } from '../../workflows/ids.ts';
import type { Benchmark } from '../main.ts';
import { bound, print, table } from '../support/report.ts';
import { withServers } from '../support/servers.ts';
import { historyCost, type HistoryCost } from './history-cost.ts';
import { runNaiveTwin } from './naive.ts';

const STEPS = 8;
const SIGNALS = 3;
const MOST_EVENTS = 76;
const MOST_BYTES = 12_000;
const MOST_OUTREACH_PER_MESSAGE = 8;
const LEAST_NAIVE_RATIO = 4;

/** A Monday in winter: no holiday of France until Easter Monday, 6 April 2026, which the ladder meets. */
const BEGIN = '2026-02-02T05:00:00Z';
const ZONE = 'Europe/Paris';
const AMOUNT = 120_000n;

/** Eight e-mails a week apart, in office hours, as a creditor would write it; everything else as policies have it. */
const POLICY = {
  steps: Array.from({ length: STEPS }, (_, index) => ({
    key: `reminder-${index + 1}`,
    day: 2 + 7 * index,
    from: 'due',
    channel: 'email',
    template: 'reminder',
    tone: ['courteous', 'neutral', 'firm'][Math.min(2, Math.floor(index / 3))],
  })),
  thankYou: null,
  contact: {
    days: 'mon-fri',
    from: '08:30',
    to: '18:30',
    minimumGapDays: 3,
    maximumPer30Days: 6,
    holidays: 'customer',
  },
};

/** What is heard once a step has left: two part payments and the rest, or a promise, a part payment and the rest. */
type Fact = { after: number; fact: 'payment' | 'promise'; share: bigint };
const MIXES: Readonly<Record<string, readonly Fact[]>> = {
  payments: [
    { after: 3, fact: 'payment', share: 3n },
    { after: 6, fact: 'payment', share: 3n },
    { after: STEPS, fact: 'payment', share: 1n },
  ],
  promise: [
    { after: 3, fact: 'promise', share: 1n },
    { after: 6, fact: 'payment', share: 3n },
    { after: STEPS, fact: 'payment', share: 1n },
  ],
};

interface Lifecycle {
  mix: string;
  case: HistoryCost;
  outreach: HistoryCost;
  messages: number;
  messageIds: number;
}

export const benchmark: Benchmark = {
  about: 'events, bytes and actions of a case with 8 reminders and 3 signals, read from the server',
  options: { cases: 2, day: 700 },
  run: async (options) =>
    withServers({ temporal: true }, async (servers) => {
      const service = await startInProcess({
        databaseUrl: servers.databaseUrl,
        temporal: servers.temporal,
        clock: { anchorReal: Date.now(), anchorBusiness: parseInstant(BEGIN), dayMs: options['day']! },
        taskQueue: TASK_QUEUE,
        mailer: fakeMailer([]),
        log: pino({ level: 'warn' }),
      });
      try {
        print(`a business day lasts ${options['day']} ms; all cases run at once, each of a customer of its own`);
        print('mix "payments": part payments after reminders 3 and 6, the rest after reminder 8');
        print('mix "promise": a promise after reminder 3 that is broken, a part payment after 6, the rest after 8');
        const creditor = await openBook(service, POLICY);
        const mixes = Object.keys(MIXES).flatMap((mix) => Array.from({ length: options['cases']! }, () => mix));
        const [naive, ...lives] = await Promise.all([
          runNaiveTwin(service.client, servers.temporal, { steps: STEPS, signals: SIGNALS }),
          ...mixes.map((mix) => live(service, creditor, mix)),
        ]);
        return report(lives, naive);
      } finally {
        await service.stop();
      }
    }),
};

async function live(
  service: InProcessService,
  creditor: Awaited<ReturnType<typeof openBook>>,
  mix: string,
): Promise<Lifecycle> {
  const customer = await addCustomer(service, creditor);
  const today = localDate(service.clock.now(), ZONE);
  const invoiceId = await addInvoice(service, creditor, customer, { dueOn: addDays(today, 2), amountMinor: AMOUNT });
  for (const { after, fact, share } of MIXES[mix]!) {
    await stepLeft(service, invoiceId, after);
    await inTransaction(service.db, async (tx) => {
      const act = systemAct(service.clock.now());
      const on = localDate(act.at, ZONE);
      if (fact === 'promise') {
        await makePromise(tx, act, creditor.id, { invoiceId, payOn: addDays(on, 5), amountMinor: null, by: null });
        return;
      }
      const { balance_minor: balance } = await tx
        .selectFrom('invoices')
        .select('balance_minor')
        .where('id', '=', invoiceId)
        .executeTakeFirstOrThrow();
      const payment = { invoiceId, amountMinor: balance / share, currency: 'EUR', receivedOn: on };
      await recordPayment(tx, act, payment, service.deps.holidaySet);
    });
  }
  await service.client.workflow.getHandle(caseWorkflowId(invoiceId)).result();
  const contacts = await service.db
    .selectFrom('contacts')
    .select(['id', 'status'])
    .where('customer_id', '=', customer.id)
    .execute();
  return {
    mix,
    case: await historyCost(service.client, caseWorkflowId(invoiceId)),
    outreach: await historyCost(service.client, outreachWorkflowId(customer.id)),
    messages: contacts.filter(({ status }) => status === 'sent').length,
    messageIds: contacts.length,
  };
}

/** Resolves once the reminder of this number has left. */
async function stepLeft(service: InProcessService, invoiceId: string, number: number): Promise<void> {
  for (;;) {
    const row = await service.db
      .selectFrom('case_steps')
      .select('id')
      .where('invoice_id', '=', invoiceId)
      .where('step', '=', `reminder-${number}`)
      .where('status', '=', 'left')
      .executeTakeFirst();
    if (row) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function report(lives: readonly Lifecycle[], naive: HistoryCost): boolean {
  print();
  table(
    ['workflow', 'messages', 'events', 'bytes', 'actions', 'state transitions', 'events per message'],
    [
      ...lives.flatMap((l) => [
        [`case, ${l.mix}`, '', l.case.events, l.case.bytes, l.case.actions, l.case.stateTransitions, ''],
        [
          `  its outreach`,
          l.messages,
          l.outreach.events,
          l.outreach.bytes,
          l.outreach.actions,
          l.outreach.stateTransitions,
          (l.outreach.events / l.messages).toFixed(1),
        ],
      ]),
      ['naive twin', STEPS, naive.events, naive.bytes, naive.actions, naive.stateTransitions, ''],
    ],
  );
  print();
  const [first] = lives;
  const columns = [
    ['case', first!.case.types],
    ['outreach', first!.outreach.types],
    ['naive twin', naive.types],
  ] as const;
  const types = [...new Set(columns.flatMap(([, of]) => [...of.keys()]))].sort();
  table(
    ['event type', ...columns.flatMap(([name]) => [name, 'bytes'])],
    types.map((type) => [type, ...columns.flatMap(([, of]) => [of.get(type)?.events ?? 0, of.get(type)?.bytes ?? 0])]),
  );
  print();

  // A promise that is broken is one more wake-up than the bound speaks of: it is shown, not judged.
  const of = (pick: (l: Lifecycle) => number, judged = lives): number => Math.max(...judged.map(pick));
  const payments = lives.filter(({ mix }) => mix === 'payments');
  const events = of((l) => l.case.events, payments);
  const bytes = of((l) => l.case.bytes, payments);
  const perMessage = of((l) => l.outreach.events / l.messages);
  return [
    bound(`each case sent ${STEPS} messages and was settled`, lives.every(isWhole)),
    bound(`a case has at most ${events} events (${MOST_EVENTS})`, events <= MOST_EVENTS),
    bound(`a case has at most ${bytes} bytes (${MOST_BYTES})`, bytes <= MOST_BYTES),
    bound(
      `outreach has at most ${perMessage.toFixed(1)} events a message (${MOST_OUTREACH_PER_MESSAGE})`,
      perMessage <= MOST_OUTREACH_PER_MESSAGE,
    ),
    bound(
      `the naive twin has ${(naive.events / events).toFixed(2)} times the events (${LEAST_NAIVE_RATIO.toFixed(2)})`,
      naive.events >= LEAST_NAIVE_RATIO * events,
    ),
  ].every(Boolean);
}

const isWhole = (l: Lifecycle): boolean =>
  l.messages === STEPS && l.messageIds === STEPS && l.case.status === 'COMPLETED';
