import { sql } from 'kysely';
import { FORMAL_NOTICE, planNoteOf, THANK_YOU } from '../../domain/case/requests.ts';
import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';
import { itemsOf, markLeft, tellCases, tellSent, type ItemRow } from './contacts.ts';
import { addDocument } from './documents.ts';
import { appendEvent } from './events.ts';
import { lockCustomers } from './locks.ts';
import { pokeOutreach, wakeCases } from './outbox.ts';
import { recordFailed } from './sending.ts';
import { openTask } from './tasks.ts';
import { creditorsDate } from './creditors.ts';

/** A letter as it was written: its PDF, or its text alone where no postal address is known. */
export interface WrittenLetter {
  creditorId: string;
  customerId: string;
  contactId: string;
  channel: 'letter' | 'registeredLetter';
  step: string;
  subject: string;
  text: string;
  pdf: Uint8Array | null;
}

/**
 * Opens the task of posting a letter: opening it is the step (api.md). The letter waits, as `queued`, until it is put into
 * a print batch or somebody says that it was posted; until then whatever changes it takes it back. Returns the invoices
 * whose step left just now.
 */
export async function openLetter(tx: Tx, act: Act, letter: WrittenLetter): Promise<string[]> {
  const items = await itemsOf(tx, letter.contactId);
  const invoiceIds = items.map((i) => i.invoice_id);
  const { taskId } = await openTask(tx, act, {
    creditorId: letter.creditorId,
    kind: 'letter',
    key: `letter:${letter.contactId}`,
    invoiceId: invoiceIds.length === 1 ? invoiceIds[0]! : null,
    customerId: letter.customerId,
    contactId: letter.contactId,
    step: letter.step,
    subject: letter.subject,
    body: letter.text,
    data: {
      channel: letter.channel,
      invoiceIds,
      amounts: items.map((i) => ({ amount: formatAmount(i.amount_minor, i.currency), currency: i.currency })),
      ...(items.length === 1
        ? { amount: formatAmount(items[0]!.amount_minor, items[0]!.currency), currency: items[0]!.currency }
        : {}),
      printable: letter.pdf !== null,
    },
    dueAt: act.at,
  });
  await tx
    .updateTable('case_steps')
    .set({ task_id: taskId })
    .where('contact_id', '=', letter.contactId)
    .where('status', '=', 'queued')
    .execute();
  await tx.updateTable('contacts').set({ task_id: taskId }).where('id', '=', letter.contactId).execute();
  await addDocument(tx, act, {
    creditorId: letter.creditorId,
    customerId: letter.customerId,
    contactId: letter.contactId,
    taskId,
    kind: 'letter',
    contentType: letter.pdf === null ? 'text/plain; charset=utf-8' : 'application/pdf',
    bytes: letter.pdf === null ? Buffer.from(letter.text, 'utf8') : Buffer.from(letter.pdf),
    invoiceIds,
  });
  if (letter.pdf === null) await askForAddress(tx, act, letter);
  return await markLeft(tx, act, letter.contactId);
}

/** Somebody has to post it who knows where: asked once a customer while nobody has answered. */
async function askForAddress(tx: Tx, act: Act, letter: WrittenLetter): Promise<void> {
  const open = await tx
    .selectFrom('tasks')
    .select('id')
    .where('customer_id', '=', letter.customerId)
    .where('kind', '=', 'missingAddress')
    .where('status', '=', 'open')
    .executeTakeFirst();
  if (open) return;
  await openTask(tx, act, {
    creditorId: letter.creditorId,
    kind: 'missingAddress',
    key: `missingAddress:${letter.contactId}`,
    customerId: letter.customerId,
    contactId: letter.contactId,
    subject: 'A letter waits for a postal address',
    data: { channel: letter.channel, contactId: letter.contactId },
    dueAt: act.at,
  });
}

/**
 * Takes back the letters about these invoices that nobody has posted yet: what they ask for is no longer owed, or no
 * longer to be asked for. Their steps are asked for again; a formal notice goes back to where its approval is asked for.
 * The caller holds the rows of their customers.
 */
export async function withdrawLetters(tx: Tx, act: Act, invoiceIds: readonly string[], why: string): Promise<void> {
  if (invoiceIds.length === 0) return;
  const letters = await tx
    .selectFrom('contacts as c')
    .select(['c.id', 'c.customer_id'])
    .where('c.channel', 'in', ['letter', 'registeredLetter'])
    .where('c.status', '=', 'queued')
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('contact_items as i')
          .select('i.contact_id')
          .whereRef('i.contact_id', '=', 'c.id')
          .where('i.withdrawn', '=', false)
          .where('i.invoice_id', 'in', invoiceIds),
      ),
    )
    .orderBy('c.id')
    .execute();
  for (const { id, customer_id: customerId } of letters) await withdrawLetter(tx, act, id, customerId, why);
}

/**
 * Takes back the letters of a plan's notes that nobody has posted yet, on whichever case they hang: `all` of them, or
 * those about an instalment, which say what is still to be paid. The caller holds the row of the customer.
 */
export async function withdrawNotes(
  tx: Tx,
  act: Act,
  planId: string,
  which: 'all' | 'instalments',
  why: string,
): Promise<void> {
  const letters = await tx
    .selectFrom('contacts as c')
    .innerJoin('contact_items as i', 'i.contact_id', 'c.id')
    .select(['c.id', 'c.customer_id'])
    .where('c.channel', 'in', ['letter', 'registeredLetter'])
    .where('c.status', '=', 'queued')
    .where('i.withdrawn', '=', false)
    .where('i.step', 'like', `~plan:${planId}:%`)
    .$if(which === 'instalments', (query) => query.where('i.step', 'not like', '%:agreed'))
    .orderBy('c.id')
    .execute();
  for (const { id, customer_id: customerId } of letters) await withdrawLetter(tx, act, id, customerId, why);
}

/** Takes back one letter that is in no print batch, also one that was looked at for a batch which then failed. */
export async function withdrawUnprinted(tx: Tx, act: Act, contactId: string, why: string): Promise<void> {
  const letter = await tx
    .selectFrom('contacts')
    .select('customer_id')
    .where('id', '=', contactId)
    .where('status', 'in', ['queued', 'sending'])
    .where('print_batch_id', 'is', null)
    .executeTakeFirst();
  if (letter) await withdrawLetter(tx, act, contactId, letter.customer_id, why);
}

async function withdrawLetter(tx: Tx, act: Act, contactId: string, customerId: string, why: string): Promise<void> {
  const items = await itemsOf(tx, contactId);
  await tx
    .updateTable('contacts')
    .set({ status: 'withdrawn', finished_at: instant(act.at), error_code: why })
    .where('id', '=', contactId)
    .execute();
  await tx
    .updateTable('tasks')
    .set({ status: 'cancelled', closed_at: instant(act.at), closed_by: act.actor, outcome: json({ why }) })
    .where('contact_id', '=', contactId)
    .where('kind', '=', 'letter')
    .where('status', '=', 'open')
    .execute();
  await tx.updateTable('contact_items').set({ withdrawn: true }).where('contact_id', '=', contactId).execute();
  for (const item of items) {
    await takeStepBack(tx, contactId, item, why);
    await appendEvent(tx, act, {
      invoiceId: item.invoice_id,
      kind: 'contactWithdrawn',
      data: { contactId, step: item.step, reason: why },
    });
  }
  await wakeCases(
    tx,
    items.map((i) => i.invoice_id),
  );
  await pokeOutreach(tx, customerId);
}

/**
 * The step of a letter that was taken back is asked for again, while its case has no other open request (a formal notice
 * whose approval is asked is one) and no later step was taken; else it is merged into what came after it. A formal notice
 * is asked for anew with its new amount. Of a case that is handed over or given up nothing is asked any more.
 */
async function takeStepBack(tx: Tx, contactId: string, item: ItemRow, why: string): Promise<void> {
  if (planNoteOf(item.step) !== null) {
    // A note of a plan is no step of the ladder: it is asked for until outreach finds it untrue.
    await tx
      .updateTable('case_steps')
      .set({ status: 'requested', contact_id: null, task_id: null, left_at: null, left_on: null })
      .where('contact_id', '=', contactId)
      .where('step', '=', item.step)
      .where('status', 'in', ['queued', 'left'])
      .execute();
    return;
  }
  await sql`
    update case_steps s set contact_id = null, task_id = null, left_at = null, left_on = null,
      reason = case when o.step is null then s.reason else 'into:' || o.step end,
      status = case
        when i.stage in ('writtenOff', 'settled', 'cancelled') or s.step = ${FORMAL_NOTICE}
          or ${why} in ('placed', 'writtenOff') then 'withdrawn'
        when o.step is null then 'requested' else 'merged' end
    from invoices i
    left join lateral (
      select later.step from case_steps later
      where later.invoice_id = i.id and later.step <> ${item.step}
        and (later.status in ('awaitingApproval', 'requested', 'queued')
          and later.step <> ${THANK_YOU} and later.step not like '~plan:%'
          or later.status = 'left' and later.step not like '~%'
            and later.id > (select max(id) from case_steps where contact_id = ${contactId} and invoice_id = i.id))
      order by later.id desc limit 1) o on true
    where i.id = s.invoice_id and s.invoice_id = ${item.invoice_id} and s.contact_id = ${contactId}
      and s.status in ('queued', 'left')`.execute(tx);
}

/** What the post says of a letter. */
export type PostStatus = 'dispatched' | 'delivered' | 'refused' | 'returned';

export interface PostNews {
  status: PostStatus;
  /** The creditor's date. */
  on: LocalDate;
  trackingNumber?: string | null;
  /** Where the request has the date, for faults; `/on` unless said. */
  pointer?: string;
}

/**
 * Records what became of a letter, forward only: posted, then delivered or refused (either way it has reached the
 * addressee), or returned, after which it counts as failed and its steps as tried. The same news again changes nothing.
 * Locks the customer. Returns false then. Throws `notFound`, `notALetter`, `contactWithdrawn`, `futureDate`,
 * `deliveryConflict` (other news came before) and `dateInvalid` (delivered before it was posted, or posted before it was
 * written: the deadline of a notice counts from that day).
 */
export async function recordPost(
  tx: Tx,
  act: Act,
  creditorId: string,
  contactId: string,
  news: PostNews,
): Promise<boolean> {
  const known = await tx
    .selectFrom('contacts')
    .select('customer_id')
    .where('id', '=', contactId)
    .where('creditor_id', '=', creditorId)
    .executeTakeFirst();
  if (!known) throw new DomainError('notFound', 'There is no such contact.');
  await lockCustomers(tx, [known.customer_id]);
  const letter = await tx
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contactId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  await refuseNews(tx, act, creditorId, letter, news);
  const trackingNumber = news.trackingNumber ?? letter.tracking_number;
  if (letter[COLUMNS[news.status]] === news.on && trackingNumber === letter.tracking_number) return false;

  const dispatchedOn = letter.dispatched_on ?? (news.status === 'dispatched' ? news.on : null);
  if (news.status === 'returned') {
    await tx
      .updateTable('contacts')
      .set({ returned_on: news.on, tracking_number: trackingNumber })
      .where('id', '=', contactId)
      .execute();
    await completeLetterTask(tx, act, contactId, news);
    await recordFailed(tx, act, contactId, 'returned');
    return true;
  }
  const firstNews = letter.status === 'queued' || letter.status === 'sending';
  await tx
    .updateTable('contacts')
    .set({
      status: news.status === 'delivered' || letter.status === 'delivered' ? 'delivered' : 'sent',
      [COLUMNS[news.status]]: news.on,
      dispatched_on: dispatchedOn,
      tracking_number: trackingNumber,
      ...(firstNews
        ? {
            sent_at: instant(act.at),
            sending_at: letter.sending_at === null ? instant(act.at) : instant(letter.sending_at),
            sending_real: letter.sending_real === null ? sql<Date>`clock_timestamp()` : instant(letter.sending_real),
          }
        : {}),
      ...(news.status === 'dispatched' ? {} : { finished_at: instant(act.at) }),
    })
    .where('id', '=', contactId)
    .execute();
  await completeLetterTask(tx, act, contactId, news);
  const data = { on: news.on, ...(trackingNumber === null ? {} : { trackingNumber }) };
  const notice = letter.kind === 'formalNotice';
  if (firstNews) await tellSent(tx, act, contactId, { ...data, by: 'post' }, dispatchedOn ?? news.on);
  if (news.status === 'delivered') await tellCases(tx, act, contactId, 'contactDelivered', data);
  if (news.status === 'refused') await tellCases(tx, act, contactId, 'contactRefused', data);
  // The deadline of a notice counts from its post: its case looks again.
  if (notice)
    await wakeCases(
      tx,
      (await itemsOf(tx, contactId)).map((i) => i.invoice_id),
    );
  return true;
}

const COLUMNS = {
  dispatched: 'dispatched_on',
  delivered: 'delivered_on',
  refused: 'refused_on',
  returned: 'returned_on',
} as const;

async function refuseNews(
  tx: Tx,
  act: Act,
  creditorId: string,
  letter: {
    channel: string;
    status: string;
    queued_at: Instant;
    dispatched_on: LocalDate | null;
    delivered_on: LocalDate | null;
    refused_on: LocalDate | null;
    returned_on: LocalDate | null;
  },
  news: PostNews,
): Promise<void> {
  if (letter.channel !== 'letter' && letter.channel !== 'registeredLetter') {
    throw new DomainError('notALetter', `The contact went by ${letter.channel}, not by post.`);
  }
  if (letter.status === 'withdrawn') {
    throw new DomainError('contactWithdrawn', 'The letter was taken back before it was posted; it must not be sent.');
  }
  const { pointer = '/on' } = news;
  const today = await creditorsDate(tx, act, creditorId);
  if (news.on > today) {
    const message = `Today is ${today}.`;
    throw new DomainError('futureDate', message, [{ pointer, code: 'futureDate', message }]);
  }
  const writtenOn = await creditorsDate(tx, { at: letter.queued_at }, creditorId);
  if (news.on < writtenOn) {
    const message = `It was written on ${writtenOn}.`;
    throw new DomainError('dateInvalid', message, [{ pointer, code: 'dateInvalid', message }]);
  }
  const said = letter[COLUMNS[news.status]];
  const ended = letter.delivered_on ?? letter.refused_on ?? letter.returned_on;
  if ((said !== null && said !== news.on) || (said === null && ended !== null)) {
    throw new DomainError('deliveryConflict', 'The post has said something else of this letter before.');
  }
  if (news.status !== 'dispatched' && letter.dispatched_on !== null && news.on < letter.dispatched_on) {
    const message = `It was posted on ${letter.dispatched_on}.`;
    throw new DomainError('dateInvalid', message, [{ pointer, code: 'dateInvalid', message }]);
  }
}

/** Whoever reports the post has done the task of posting it. */
async function completeLetterTask(tx: Tx, act: Act, contactId: string, news: PostNews): Promise<void> {
  const { status, on, trackingNumber } = news;
  await tx
    .updateTable('tasks')
    .set({
      status: 'done',
      closed_at: instant(act.at),
      closed_by: act.actor,
      outcome: json({ status, on, ...(trackingNumber ? { trackingNumber } : {}) }),
    })
    .where('contact_id', '=', contactId)
    .where('kind', '=', 'letter')
    .where('status', '=', 'open')
    .execute();
}
