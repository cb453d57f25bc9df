import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities } from '../../activities/create-activities.ts';
import { inTransaction } from '../../db/database.ts';
import { systemAct } from '../../db/act.ts';
import { createAgency, newAgencyId } from '../../db/repositories/agencies.ts';
import { reportPlacement } from '../../db/repositories/agency-reports.ts';
import { recordInbound } from '../../db/repositories/inbound.ts';
import { declareInsolvency } from '../../db/repositories/insolvencies.ts';
import { recordPost } from '../../db/repositories/letters.ts';
import { agreePlan, cancelPlan } from '../../db/repositories/plan-agreement.ts';
import { putTemplate } from '../../db/repositories/templates.ts';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { setHold, liftHold } from '../../db/repositories/holds.ts';
import { makePromise } from '../../db/repositories/promises.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import { pokeFeed, pokeOutreach } from '../../db/repositories/outbox.ts';
import { newId } from '../../db/ids.ts';
import { localDate } from '../../domain/time/zones.ts';
import { outreachWorkflowId } from '../../workflows/ids.ts';
import { pokeSignal } from '../../workflows/messages.ts';
import { addCustomer, addInvoice, EVERY_DAY, openBook } from '../support/book.ts';
import { startOwnTemporal, type OwnTemporal } from '../support/own-temporal.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { Life } from './life.ts';

/** Each is unlike anything else in the files that are searched. */
const CANARIES = {
  creditor: 'Zwitscherfabrik',
  customer: 'Kanarienhaus',
  person: 'Tweety Gelbfeder',
  email: 'tweety@kanarienhaus.example',
  street: 'Vogelbauerweg 7',
  number: 'CANARYNUMBER77',
  reason: 'weil der Vogel sang',
  note: 'die Ware piepst',
  promisedBy: 'Frau Zeisig am Telefon',
  reference: 'Verwendungszweck Piepmatz',
  template: 'Ihr gefiederter Freund',
  planned: 'in drei Raten, sagte der Zeisig',
  agency: 'Inkasso Kuckuck',
  agencyEmail: 'akten@kuckuck.example',
  agencyText: 'der Schuldner ist ausgeflogen',
  trustee: 'Maitre Rossignol',
  inbound: 'Wir zahlen, sobald die Amsel pfeift',
  error: 'row (Kanarienvogel, secret@piepmatz.example) is broken',
};

/** So small that a few messages are enough to go over it. */
const EVENTS_BEFORE_CONTINUING = 40;

describe('what Temporal gets to see', { timeout: 240_000 }, () => {
  let temporal: OwnTemporal;
  let service: TestService;
  let stopped = false;
  const failures = { turn: 3, planOutreach: 2, drainFeed: 2 };

  beforeAll(async () => {
    temporal = await startOwnTemporal({ 'limit.historyCount.suggestContinueAsNew': EVENTS_BEFORE_CONTINUING });
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 800, temporal, around: failing });
  }, 120_000);
  afterAll(async () => {
    if (!stopped) await service.stop();
    await temporal.stop();
  }, 60_000);

  /** Every activity fails a few times with an error that quotes a row, as errors of databases do. */
  function failing(activities: Activities): Activities {
    const sometimes = <A extends unknown[], R>(name: keyof typeof failures, run: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        if (failures[name]-- > 0) throw new Error(CANARIES.error, { cause: new Error(CANARIES.email) });
        return await run(...args);
      };
    };
    return {
      ...activities,
      turn: sometimes('turn', activities.turn),
      planOutreach: sometimes('planOutreach', activities.planOutreach),
      drainFeed: sometimes('drainFeed', activities.drainFeed),
    };
  }

  it('continues as new without losing a poke, a fact or a command', async () => {
    const creditor = await openBook(service, {
      contact: EVERY_DAY,
      steps: [{ key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder' }],
    });
    const customer = await addCustomer(service, creditor);
    const far = localDate(service.clock.now() + 300 * 86_400_000, 'Europe/Paris');
    const id = await addInvoice(service, creditor, customer, { dueOn: far });
    const life = new Life(service, creditor, customer, id);
    await life.ready();
    const first = await life.handle.describe();
    const paused = await life.write('pause');
    expect(await life.execute('pause', paused)).toEqual({ accepted: true, code: null });
    for (let i = 0; i < 12; i++) {
      expect(await life.command(i % 2 === 0 ? 'resume' : 'pause')).toEqual({ accepted: true, code: null });
    }
    expect((await life.handle.describe()).runId).not.toBe(first.runId);
    // The outcome of a command of an earlier history is still known.
    expect(await life.execute('pause', paused)).toEqual({ accepted: true, code: null });
    expect((await life.handle.describe()).memo).toEqual({ run: 1 });

    const outreach = service.client.workflow.getHandle(outreachWorkflowId(customer.id));
    await inTransaction(service.db, (tx) => pokeOutreach(tx, customer.id));
    const begun = await until('outreach', async () => outreach.describe().catch(() => null));
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 25; i++) await outreach.signal(pokeSignal);
      }),
    );
    await until('a later run of outreach', async () => (await outreach.describe()).runId !== begun.runId);
    const late = await addInvoice(service, creditor, customer, {
      dueOn: localDate(service.clock.now() - 3 * 86_400_000, 'Europe/Paris'),
      issuedOn: '2026-01-01',
    });
    const other = new Life(service, creditor, customer, late);
    await other.happened('contactSent:one');
  });

  it('not even of the branches: letters, plans, agencies, replies, proceedings', async () => {
    const creditor = await openBook(service, {
      contact: EVERY_DAY,
      steps: [{ key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder' }],
      formalNotice: {
        day: 3,
        from: 'due',
        channel: 'registeredLetter',
        deadlineDays: 1,
        dispatchDays: 0,
        emailCopy: true,
        approval: null,
      },
      placement: { daysAfterNotice: 0, approval: null },
    });
    await service.db.updateTable('creditors').set({ name: CANARIES.creditor }).where('id', '=', creditor.id).execute();
    const customer = await addCustomer(service, creditor, {
      name: CANARIES.customer,
      contacts: [{ name: CANARIES.person, email: `branches.${CANARIES.email}`, role: 'billing' }],
      address: { lines: [CANARIES.street], postalCode: '75001', city: 'Paris', country: 'FR' },
    });
    const today = localDate(service.clock.now(), 'Europe/Paris');
    const input = { dueOn: today, issuedOn: '2026-01-01', number: `${CANARIES.number}-B` };
    const said = { reason: CANARIES.reason };
    await inTransaction(service.db, (tx) =>
      putTemplate(tx, systemAct(service.clock.now()), creditor.id, 'reminder', 'fr', {
        subject: 'Rappel [{{ reference }}]',
        lead: `${CANARIES.template}, {{ customer.name }}`,
        close: 'Merci',
      }),
    );
    const agencyId = newAgencyId();
    const life = new Life(service, creditor, customer, await addInvoice(service, creditor, customer, input));
    await life.within((tx, act) =>
      createAgency(tx, act, {
        id: agencyId,
        creditorId: creditor.id,
        name: CANARIES.agency,
        reference: null,
        feeText: CANARIES.agencyText,
        email: CANARIES.agencyEmail,
        address: null,
        deliverBy: 'email',
        webhookUrl: null,
        sealedSecret: null,
      }),
    );
    await life.happened('contactSent:one');
    const plan = await life.within((tx, act) =>
      agreePlan(tx, { ...act, reason: CANARIES.planned }, creditor.id, {
        invoiceIds: [life.id],
        instalments: [{ dueOn: life.day(30), amount: '1200.00' }],
      }),
    );
    await life.happened(`contactSent:~plan:${plan}:agreed`);
    await life.within((tx, act) => cancelPlan(tx, { ...act, reason: CANARIES.planned }, creditor.id, plan));
    await life.happened('stepTaken:~formalNotice');
    const letter = await service.db
      .selectFrom('contacts')
      .select('id')
      .where('customer_id', '=', customer.id)
      .where('channel', '=', 'registeredLetter')
      .executeTakeFirstOrThrow();
    await life.within((tx, act) =>
      recordPost(tx, { ...act, ...said }, creditor.id, letter.id, { status: 'dispatched', on: life.day(0, act.at) }),
    );
    await life.happened('contactSent:~noticeCopy');
    await life.happened('placed');
    await life.happened('agencyTold');
    const { id: placementId } = await service.db
      .selectFrom('placements')
      .select('id')
      .where('invoice_id', '=', life.id)
      .executeTakeFirstOrThrow();
    await life.within((tx, act) =>
      reportPlacement(tx, act, { creditorId: creditor.id, agencyId }, placementId, {
        kind: 'givenUp',
        amountMinor: null,
        on: null,
        reference: CANARIES.reference,
        note: CANARIES.agencyText,
      }),
    );
    await life.happened('agencyGaveUp');
    const holidays = (country: string, postalCode: string | null) => service.deps.holidaySet(country, postalCode);
    await life.within((tx, act) =>
      recordInbound(
        tx,
        act,
        creditor.id,
        {
          customerId: customer.id,
          channel: 'email',
          receivedAt: act.at,
          text: CANARIES.inbound,
          invoiceIds: [],
        },
        holidays,
      ),
    );
    await life.within((tx, act) =>
      declareInsolvency(
        tx,
        { ...act, ...said },
        creditor.id,
        customer.id,
        { kind: 'liquidation', judgmentOn: life.day(0, act.at), publishedOn: null, trustee: CANARIES.trustee },
        service.deps.holidays,
      ),
    );
    await until('all holds', async () => (await life.state()).holds.includes('insolvency'));
    await life.quiet();
    const events = await service.db.selectFrom('events').select('data').where('invoice_id', '=', life.id).execute();
    const data = JSON.stringify(events);
    expect(Object.entries(CANARIES).filter(([, text]) => data.includes(text))).toEqual([]);
  });

  it('never a name, an address, an e-mail or a free text, failures included', async () => {
    const creditor = await openBook(service, {
      contact: EVERY_DAY,
      approvalAbove: { EUR: '900.00' },
      thankYou: 'thank-you',
      steps: [
        { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', attachInvoice: true },
        { key: 'call', day: 3, from: 'due', channel: 'call', template: 'call-script' },
        { key: 'last', day: 5, from: 'due', channel: 'letter', template: 'last-reminder' },
      ],
    });
    await service.db.updateTable('creditors').set({ name: CANARIES.creditor }).where('id', '=', creditor.id).execute();
    const customer = await addCustomer(service, creditor, {
      name: CANARIES.customer,
      contacts: [{ name: CANARIES.person, email: CANARIES.email, role: 'billing' }],
      address: { lines: [CANARIES.street], postalCode: '75001', city: 'Paris', country: 'FR' },
    });
    const dueOn = localDate(service.clock.now() - 86_400_000, 'Europe/Paris');
    const id = await addInvoice(service, creditor, customer, {
      dueOn,
      issuedOn: '2026-01-01',
      number: CANARIES.number,
    });
    const life = new Life(service, creditor, customer, id);
    const said = { reason: CANARIES.reason };

    await life.happened('approvalAsked:one');
    const [task] = await life.tasks('approve');
    const approval = newId('cmd');
    await life.within((tx, act) =>
      insertCommand(
        tx,
        { ...act, ...said },
        {
          id: approval,
          invoiceId: id,
          kind: 'approve',
          args: { taskId: task!.id, decision: 'approved', note: CANARIES.note },
        },
      ),
    );
    expect(await life.execute('approve', approval)).toMatchObject({ accepted: true });
    await life.happened('contactSent:one');
    const hold = await life.within((tx, act) =>
      setHold(tx, { ...act, ...said }, { customerId: customer.id, invoiceId: null, kind: 'customer', untilOn: null }),
    );
    const dispute = await life.within((tx, act) =>
      openDispute(tx, { ...act, ...said }, creditor.id, {
        invoiceId: id,
        amountMinor: 40_000n,
        category: 'quality',
        note: CANARIES.note,
      }),
    );
    await life.within((tx, act) =>
      makePromise(tx, act, creditor.id, {
        invoiceId: id,
        payOn: life.day(2),
        amountMinor: 10_000n,
        by: CANARIES.promisedBy,
      }),
    );
    await life.within((tx, act) =>
      resolveDispute(tx, act, creditor.id, dispute.id, { outcome: 'partly', creditMinor: 5_000n, note: CANARIES.note }),
    );
    await life.within((tx, act) => liftHold(tx, act, hold));

    const feed = newId('fee');
    await service.db
      .insertInto('feeds')
      .values({ id: feed, creditor_id: creditor.id, kind: 'standard', name: CANARIES.creditor, created_at: new Date() })
      .execute();
    const body = {
      type: 'transaction.booked',
      timestamp: '2026-03-03T09:00:00Z',
      data: {
        id: 'bank-1',
        bookedOn: '2026-03-03',
        amount: '10.00',
        currency: 'EUR',
        direction: 'credit',
        counterparty: { name: CANARIES.customer, iban: 'FR7630006000011234567890189' },
        remittance: CANARIES.reference,
      },
    };
    await inTransaction(service.db, async (tx) => {
      await tx
        .insertInto('inbox')
        .values({
          feed_id: feed,
          creditor_id: creditor.id,
          webhook_id: 'w-1',
          data_key: 'bank-1',
          body: Buffer.from(JSON.stringify(body)),
          received_at: new Date(service.clock.now()),
        })
        .execute();
      await pokeFeed(tx, feed);
    });
    await until('a drained feed', async () =>
      service.db.selectFrom('receipts').select('id').where('feed_id', '=', feed).executeTakeFirst(),
    );
    await life.within((tx, act) =>
      recordPayment(
        tx,
        { ...act, ...said },
        {
          invoiceId: id,
          amountMinor: 115_000n,
          currency: 'EUR',
          receivedOn: life.day(0, act.at),
          reference: CANARIES.reference,
        },
        service.deps.holidaySet,
      ),
    );
    await life.closed();
    await life.quiet();
    for (const name of Object.keys(failures) as (keyof typeof failures)[]) expect(failures[name]).toBeLessThan(0);

    // The mails did carry them: they are really there to be leaked.
    const texts = service.mails.map((m) => JSON.stringify(m.message)).join();
    for (const named of [CANARIES.creditor, CANARIES.email, CANARIES.number]) expect(texts).toContain(named);

    await service.stop();
    stopped = true;
    await temporal.end();
    const files = filesBelow(temporal.folder).map((file) => readFileSync(file));
    const found = (text: string): boolean => files.some((bytes) => bytes.includes(text));
    expect(found(customer.id)).toBe(true);
    // The failure of an activity stands in the event of its next attempt.
    expect(found('drainFeed failed: Error')).toBe(true);
    expect(Object.entries(CANARIES).filter(([, text]) => found(text))).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
