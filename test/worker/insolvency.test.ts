import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  changeInsolvency,
  closeInsolvency,
  declareInsolvency,
  findInsolvency,
} from '../../db/repositories/insolvencies.ts';
import { liftHold } from '../../db/repositories/holds.ts';
import type { InsolvencyOutcome } from '../../db/types.ts';
import { addInvoice } from '../support/book.ts';
import { openWorld, REMINDERS, type World } from './world.ts';

const POLICY = { ...REMINDERS, writeOff: { approval: 'approver' } };

describe('a customer under insolvency proceedings', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(POLICY);
  });
  afterEach(async () => {
    await world.close();
  });

  const invoice = (issuedOn = '2026-02-01', dueOn = '2026-02-28') =>
    addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, { issuedOn, dueOn });
  const declare = (judgmentOn = '2026-03-03', publishedOn: string | null = null) =>
    world.within((tx, act) =>
      declareInsolvency(
        tx,
        act,
        world.creditor.id,
        world.customer.id,
        { kind: 'liquidation', judgmentOn, publishedOn, trustee: null },
        world.deps.holidays,
      ),
    );
  const close = (outcome: InsolvencyOutcome) =>
    world.within((tx, act) => closeInsolvency(tx, act, world.creditor.id, world.customer.id, { outcome, on: null }));
  const known = async () => (await findInsolvency(world.db, world.creditor.id, world.customer.id))!;
  const row = (id: string) =>
    world.db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const forms = () =>
    world.db
      .selectFrom('documents as d')
      .innerJoin('document_invoices as i', 'i.document_id', 'd.id')
      .select(['d.id', 'd.content_type', 'i.invoice_id'])
      .where('d.kind', '=', 'claimDeclaration')
      .orderBy('d.seq')
      .execute();

  const formBytes = async () =>
    (
      await world.db
        .selectFrom('documents')
        .select('bytes')
        .where('kind', '=', 'claimDeclaration')
        .orderBy('seq', 'desc')
        .executeTakeFirstOrThrow()
    ).bytes;

  it('has what was queued withdrawn before the relay comes; a later invoice is written to all the same', async () => {
    const old = await invoice();
    const recent = await invoice('2026-03-04', '2026-03-04');
    await world.turn(old);
    await world.turn(recent);
    await world.plan();
    expect(await world.contacts()).toMatchObject([{ status: 'queued' }]);
    await declare();
    expect(await world.contacts()).toMatchObject([{ status: 'withdrawn', error_code: 'insolvency' }]);
    await world.send();
    expect(world.provider.calls).toEqual([]);

    await world.turn(old);
    expect(await world.stepsOf(old)).toEqual(['one:withdrawn']);
    expect(await row(old)).toMatchObject({ next: null });
    world.goTo('2026-03-09T09:00:00Z');
    await world.turn(recent);
    await world.plan();
    await world.send();
    expect(world.provider.sent).toHaveLength(1);
    const text = world.provider.sent[0]!.message.text;
    expect(text).toContain((await row(recent)).number);
    expect(text).not.toContain((await row(old)).number);
    expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
  });

  it('has one form, written by whichever case comes first and again when what it says changes', async () => {
    const old = await invoice();
    const other = await invoice('2026-02-15', '2026-04-01');
    await declare();
    expect((await known()).documentId).toBeNull();
    await world.turn(other);
    await world.turn(old);
    const first = await forms();
    expect(first.map((form) => form.invoice_id).sort()).toEqual([old, other].sort());
    expect(new Set(first.map((form) => form.id))).toEqual(new Set([(await known()).documentId]));
    expect(first[0]?.content_type).toBe('application/pdf');

    // Another day, the same claims: nothing new is said.
    world.goTo('2026-03-06T09:00:00Z');
    await world.turn(old);
    expect(await forms()).toHaveLength(2);

    await world.within((tx, act) =>
      changeInsolvency(
        tx,
        act,
        world.creditor.id,
        world.customer.id,
        { publishedOn: '2026-03-05' },
        world.deps.holidays,
      ),
    );
    await world.turn(other);
    expect(await forms()).toHaveLength(4);
    const late = await invoice('2026-03-01', '2026-03-31');
    await world.turn(late);
    const all = await forms();
    expect(all.slice(4).map((form) => form.invoice_id)).toContain(late);
    expect((await known()).documentId).toBe(all.at(-1)?.id);
  });

  it('has a form that is a PDF', async () => {
    await world.db
      .updateTable('customers')
      .set({ name: 'Établissements Perrault SARL', registration_id: '732 829 320' })
      .execute();
    const old = await invoice();
    await invoice('2026-02-15', '2026-04-01');
    await world.pay(old, 20_000n);
    await declare('2026-03-03', '2026-03-04');
    await world.turn(old);
    const bytes = await formBytes();
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
  });

  it('keeps why a form cannot be printed, and does not try the same again', async () => {
    await world.db.updateTable('customers').set({ name: 'شركة الاختبار' }).execute();
    const old = await invoice();
    await declare();
    await world.turn(old);
    await world.turn(old);
    expect(await forms()).toEqual([]);
    const { data } = await world.db
      .selectFrom('tasks')
      .select('data')
      .where('kind', '=', 'declareClaim')
      .executeTakeFirstOrThrow();
    expect(data).toMatchObject({ formError: 'unprintable', documentIds: [] });
    await world.db.updateTable('customers').set({ name: 'Al Ikhtibar SARL' }).execute();
    await world.turn(old);
    expect(await forms()).toHaveLength(1);
  });

  it('holds an invoice that slipped in while the proceedings were entered, but not one a person released', async () => {
    const old = await invoice();
    await declare();
    await world.db.deleteFrom('holds').where('invoice_id', '=', old).execute();
    await world.turn(old);
    const held = () => world.db.selectFrom('holds').select(['id', 'lifted_on']).where('invoice_id', '=', old).execute();
    const [hold] = await held();
    expect(hold).toMatchObject({ lifted_on: null });
    expect(await world.stepsOf(old)).toEqual([]);

    await world.within((tx, act) => liftHold(tx, act, hold!.id));
    await world.turn(old);
    expect(await held()).toHaveLength(1);
    expect(await world.stepsOf(old)).toEqual(['one:requested']);
  });

  it('goes on with its ladder once the proceedings are withdrawn', async () => {
    const old = await invoice();
    await declare();
    await world.turn(old);
    expect(await world.stepsOf(old)).toEqual([]);
    await close('withdrawn');
    await world.turn(old);
    expect(await world.stepsOf(old)).toEqual(['one:requested']);
  });

  it('is held on while a plan of the court is paid', async () => {
    const old = await invoice();
    await declare();
    await close('planAdopted');
    await world.turn(old);
    expect(await world.stepsOf(old)).toEqual([]);
  });

  it('is proposed for write-off where there are no assets', async () => {
    const old = await invoice();
    const recent = await invoice('2026-03-04', '2026-05-04');
    await declare();
    await close('noAssets');
    await world.turn(old);
    await world.turn(recent);
    const tasks = await world.db.selectFrom('tasks').selectAll().where('kind', '=', 'approve').execute();
    expect(tasks).toMatchObject([{ invoice_id: old, role: 'approver', status: 'open' }]);
    // The question stays, however often the case looks.
    await world.turn(old);
    expect(await world.stepsOf(old)).toEqual(['~writeOff:awaitingApproval']);
  });

  it('is thanked for nothing that the trustee pays', async () => {
    const old = await invoice();
    await declare();
    await world.turn(old);
    await world.pay(old, 120_000n);
    expect((await world.turn(old)).closed).toBe(true);
    expect(await world.stepsOf(old)).toEqual([]);
  });
});

describe('an approval that waits when proceedings are opened', () => {
  it('is taken back: nobody may approve it any more', async () => {
    const world = await openWorld({ ...POLICY, approvalAbove: { EUR: '500.00' } });
    try {
      const old = await addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
        issuedOn: '2026-02-01',
        dueOn: '2026-02-28',
      });
      await world.turn(old);
      expect(await world.stepsOf(old)).toEqual(['one:awaitingApproval']);
      await world.within((tx, act) =>
        declareInsolvency(
          tx,
          act,
          world.creditor.id,
          world.customer.id,
          { kind: 'safeguard', judgmentOn: '2026-03-03', publishedOn: null, trustee: null },
          world.deps.holidays,
        ),
      );
      await world.turn(old);
      expect(await world.stepsOf(old)).toEqual(['one:withdrawn']);
      const [task] = await world.db.selectFrom('tasks').select('status').where('kind', '=', 'approve').execute();
      expect(task?.status).toBe('cancelled');
    } finally {
      await world.close();
    }
  });
});
