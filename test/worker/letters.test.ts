import { PDFDocument } from 'pdf-lib';
import { afterEach, describe, expect, it } from 'vitest';
import { printBatch } from '../../activities/letters/index.ts';
import { newId } from '../../db/ids.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import { recordPost, type PostNews } from '../../db/repositories/letters.ts';
import { fenceLetters, keepBatch, lettersToPrint, postBatch } from '../../db/repositories/print-batches.ts';
import type { InvoiceInput } from '../../db/repositories/invoices.ts';
import { localDate } from '../../domain/time/zones.ts';
import { addInvoice } from '../support/book.ts';
import { openWorld, type World } from './world.ts';

const POLICY = {
  steps: [
    { key: 'one', day: 5, from: 'due', channel: 'letter', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 15, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'firm' },
  ],
  formalNotice: { day: 30, from: 'due', channel: 'registeredLetter', approval: null },
};
const BOTH = ['letter', 'registeredLetter'] as const;
const ADDRESS = { lines: ['12 rue du Moulin'], postalCode: '44000', city: 'Nantes', country: 'FR' };

let world: World;
afterEach(() => world.close());

const opened = async (policy: Record<string, unknown> = POLICY, address: typeof ADDRESS | null = ADDRESS) => {
  world = await openWorld(policy);
  const value = address === null ? null : JSON.stringify(address);
  await world.db
    .updateTable('customers')
    .set({ address: value as never })
    .execute();
};

const invoice = (input: Partial<InvoiceInput> & { dueOn: string }) =>
  addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, input);

const today = (): string => localDate(world.deps.clock.now(), 'Europe/Paris');

const news = (contactId: string, said: PostNews) =>
  world.within((tx, act) => recordPost(tx, act, world.creditor.id, contactId, said));

const letters = () =>
  world.db
    .selectFrom('contacts')
    .select(['id', 'status', 'kind', 'channel', 'error_code', 'dispatched_on', 'delivered_on', 'tracking_number'])
    .orderBy('seq')
    .execute();

const itemsOf = (contactId: string) =>
  world.db
    .selectFrom('contact_items')
    .select(['invoice_id', 'amount_minor'])
    .where('contact_id', '=', contactId)
    .where('withdrawn', '=', false)
    .orderBy('amount_minor')
    .execute();

const tasks = (kind: string) =>
  world.db.selectFrom('tasks').selectAll().where('kind', '=', kind).orderBy('seq').execute();

/** Puts what waits into a batch, as the API does; null where nothing waits. */
async function print(): Promise<{ id: string; letters: number; pdf: Uint8Array; manifest: string } | null> {
  const act = world.act();
  const which = { channels: BOTH, limit: 50, holidays: world.deps.holidays };
  await fenceLetters(world.db, act, world.creditor.id, which);
  const waiting = await lettersToPrint(world.db, world.creditor.id, BOTH, 50);
  if (waiting.length === 0) return null;
  const printed = await printBatch(waiting, { date: today(), duplex: true });
  const id = await world.within((tx) => keepBatch(tx, act, world.creditor.id, waiting, printed));
  return { id: id!, letters: waiting.length, pdf: printed.pdf, manifest: printed.manifest };
}

describe('a letter', () => {
  it('is one for all invoices of its day: a PDF, a task, a batch for the printer, and the news of the post', async () => {
    await opened();
    const first = await invoice({ dueOn: '2026-02-27', number: 'A-1' });
    const second = await invoice({ dueOn: '2026-02-27', number: 'A-2', amountMinor: 5_000n });
    await world.turn(first);
    await world.turn(second);
    expect(await world.plan()).toMatchObject({ queued: 1 });
    const [letter] = await letters();
    expect(letter).toMatchObject({ status: 'queued', kind: 'reminder', channel: 'letter' });
    expect(await world.stepsOf(first)).toEqual(['one:left']);
    expect(await tasks('letter')).toMatchObject([{ status: 'open', contact_id: letter!.id, invoice_id: null }]);
    const document = await world.db.selectFrom('documents').select(['content_type', 'bytes']).executeTakeFirstOrThrow();
    expect(document.content_type).toBe('application/pdf');
    expect((await PDFDocument.load(document.bytes)).getPageCount()).toBe(1);

    const batch = await print();
    expect(batch).toMatchObject({ letters: 1 });
    expect(batch!.manifest).toContain(`${letter!.id},1,1,letter,Maison Test,12 rue du Moulin`);
    // Duplex: a letter of one page has a blank one behind it.
    expect((await PDFDocument.load(batch!.pdf)).getPageCount()).toBe(2);
    expect(await print()).toBeNull();
    const trackingNumbers = new Map([[letter!.id, 'LT 1']]);
    const post = (on: string) =>
      world.within((tx, act) => postBatch(tx, act, world.creditor.id, batch!.id, { on, trackingNumbers }));
    // Nothing is posted before it was written: the deadline of a notice would be over before it began.
    await expect(post('2026-03-04')).rejects.toMatchObject({ code: 'dateInvalid', faults: [{ pointer: '/on' }] });
    await post(today());
    expect(await letters()).toMatchObject([{ status: 'sent', dispatched_on: '2026-03-05', tracking_number: 'LT 1' }]);
    expect(await tasks('letter')).toMatchObject([{ status: 'done' }]);
    world.goTo('2026-03-07T09:00:00Z');
    expect(await news(letter!.id, { status: 'delivered', on: '2026-03-07' })).toBe(true);
    expect(await news(letter!.id, { status: 'delivered', on: '2026-03-07' })).toBe(false);
    await expect(news(letter!.id, { status: 'returned', on: '2026-03-07' })).rejects.toMatchObject({
      code: 'deliveryConflict',
    });
    expect(await letters()).toMatchObject([{ status: 'delivered', delivered_on: '2026-03-07' }]);
    expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });
  });

  it('that nobody has posted is taken back by a payment of one invoice, and written anew for the rest at once', async () => {
    await opened();
    const first = await invoice({ dueOn: '2026-02-27' });
    const second = await invoice({ dueOn: '2026-02-27', amountMinor: 5_000n });
    await world.turn(first);
    await world.turn(second);
    await world.plan();
    await world.pay(second, 5_000n);
    expect(await letters()).toMatchObject([{ status: 'withdrawn', error_code: 'paymentAllocated' }]);
    expect((await tasks('letter')).map((t) => t.status)).toEqual(['cancelled']);
    expect(await world.stepsOf(first)).toEqual(['one:requested']);
    await world.turn(second);
    await world.turn(first);
    await world.plan();
    const [, anew] = await letters();
    expect(anew).toMatchObject({ status: 'queued' });
    expect(await itemsOf(anew!.id)).toEqual([{ invoice_id: first, amount_minor: 120_000n }]);
    expect(await world.stepsOf(first)).toEqual(['one:left']);
    await expect(news((await letters())[0]!.id, { status: 'dispatched', on: today() })).rejects.toMatchObject({
      code: 'contactWithdrawn',
    });
  });

  it('taken back after its successor was asked for is merged into that', async () => {
    await opened();
    const id = await invoice({ dueOn: '2026-02-27' });
    await world.turn(id);
    await world.plan();
    world.goTo('2026-03-16T09:00:00Z');
    await world.turn(id);
    await world.plan();
    expect(await world.stepsOf(id)).toEqual(['one:left', 'two:left']);
    await world.pay(id, 20_000n);
    expect((await letters()).map((l) => l.status)).toEqual(['withdrawn', 'withdrawn']);
    expect(await world.stepsOf(id)).toEqual(['one:merged', 'two:requested']);
    await world.turn(id);
    await world.plan();
    expect(await itemsOf((await letters()).at(-1)!.id)).toEqual([{ invoice_id: id, amount_minor: 100_000n }]);
  });

  it('in a print batch is not taken back any more; one that is no longer true does not get into it', async () => {
    await opened();
    const id = await invoice({ dueOn: '2026-02-27' });
    await world.turn(id);
    await world.plan();
    await print();
    await world.pay(id, 20_000n);
    expect(await letters()).toMatchObject([{ status: 'sending' }]);
    const [letter] = await letters();
    expect(await news(letter!.id, { status: 'dispatched', on: today() })).toBe(true);
    expect(await world.counters()).toEqual({ duplicate: 0, afterPayment: 0 });

    const other = await invoice({ dueOn: '2026-02-20' });
    world.goTo('2026-03-09T09:00:00Z');
    await world.turn(other);
    await world.plan();
    // Somebody changed the balance behind everybody's back: the second look finds it.
    await world.db.updateTable('invoices').set({ balance_minor: 60_000n }).where('id', '=', other).execute();
    expect(await print()).toBeNull();
    expect((await letters()).at(-1)).toMatchObject({ status: 'withdrawn', error_code: 'amountChanged' });
  });

  it('that came back counts as failed; a notice that came back puts the stage back and can be sent again', async () => {
    await opened({ ...POLICY, steps: [{ key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder' }] });
    const id = await invoice({ dueOn: '2026-01-30' });
    await world.turn(id);
    await world.plan();
    await world.send();
    world.goTo('2026-04-07T09:00:00Z');
    await world.turn(id);
    await world.plan();
    await world.turn(id);
    const stage = async () => (await world.db.selectFrom('invoices').select('stage').executeTakeFirstOrThrow()).stage;
    expect(await stage()).toBe('formalNotice');
    const notice = (await letters()).at(-1)!;
    expect(notice).toMatchObject({ kind: 'formalNotice', channel: 'registeredLetter' });
    await news(notice.id, { status: 'dispatched', on: today() });
    world.goTo('2026-04-10T09:00:00Z');
    await news(notice.id, { status: 'returned', on: today() });
    await world.turn(id);
    expect(await stage()).toBe('reminding');
    expect(await tasks('returnedMail')).toMatchObject([{ status: 'open', contact_id: notice.id }]);
    expect((await tasks('ladderEnded')).map((t) => t.status)).toEqual(['open']);

    const command = newId('cmd');
    const args = { role: 'approver' };
    await world.within((tx, act) =>
      insertCommand(tx, act, { id: command, invoiceId: id, kind: 'sendFormalNotice', args }),
    );
    const { outcomes } = await world.activities.turn({ invoiceId: id, run: 1, commands: [command], known: null });
    expect(outcomes).toEqual([{ id: command, accepted: true, code: null }]);
    await world.plan();
    await world.turn(id);
    expect((await letters()).map((l) => l.status)).toEqual(['sent', 'failed', 'queued']);
    expect(await stage()).toBe('formalNotice');
  });

  it('without a postal address is a person’s to send, with its words and a question for the address', async () => {
    await opened(POLICY, null);
    const id = await invoice({ dueOn: '2026-02-27' });
    await world.turn(id);
    await world.plan();
    expect(await tasks('letter')).toMatchObject([{ status: 'open', data: { printable: false } }]);
    expect((await tasks('letter'))[0]!.body).toContain('Maison Test');
    expect(await tasks('missingAddress')).toMatchObject([{ status: 'open' }]);
    expect(await print()).toBeNull();
  });

  it('to a name that the font cannot print becomes a person’s task, and the case goes on', async () => {
    await opened();
    await world.db.updateTable('customers').set({ name: '株式会社テスト' }).execute();
    const id = await invoice({ dueOn: '2026-02-27' });
    await world.turn(id);
    await world.plan();
    expect(await letters()).toEqual([]);
    expect(await tasks('notWritten')).toMatchObject([{ status: 'open', data: { code: 'unprintable' } }]);
    expect(await world.stepsOf(id)).toEqual(['one:failed']);
  });
});
