import { formatAmount, parseAmount } from '../../domain/money.ts';
import { addDays, later, type LocalDate } from '../../domain/time/dates.ts';
import { localDate, parseInstant } from '../../domain/time/zones.ts';
import { dayOf } from './book.ts';
import { Refusal } from './client.ts';
import {
  bookOf,
  customerId,
  invoiceId,
  nameOf,
  payerOf,
  type Outcome,
  type Stage,
  type Task,
  type WithId,
} from './stage.ts';
import { numberOf, type Branch, type Deed, type Milestone } from './story.ts';
import { list, money, shortDate, ZONE } from './words.ts';

/** What people do once a reminder is not enough: terms, formal notices, an agency, a loss, a court. */
export type BranchDeed = Extract<
  Deed,
  {
    do:
      | 'plan'
      | 'approve'
      | 'post'
      | 'delivered'
      | 'agencyGivesUp'
      | 'writeOff'
      | 'insolvency'
      | 'reply'
      | 'read'
      | 'pauseAll'
      | 'resumeAll';
  }
>;

interface Letter extends WithId {
  readonly channel: string;
  readonly status: string;
  readonly kind: string;
  readonly post: {
    printBatchId: string | null;
    dispatchedOn: string | null;
    deliveredOn: string | null;
    trackingNumber: string | null;
  } | null;
}

/** Whoever decides what cannot be undone; the rest is the office's. */
const HEAD = 'head of accounts';
const OFFICE = 'back office';
const MAILING_HOUSE = 'mailing house';

/**
 * Does what a scene of a branch says. As with every deed a repeat after a crash is the same request, or finds that it was
 * carried out.
 */
export async function carryOutBranch(stage: Stage, key: string, day: number, deed: BranchDeed): Promise<Outcome> {
  switch (deed.do) {
    case 'plan':
      return await agree(stage, key, day, deed);
    case 'approve':
      return await approve(stage, key, deed);
    case 'post':
      return await post(stage, key, deed.invoice);
    case 'delivered':
      return await delivered(stage, key, day, deed.invoice);
    case 'agencyGivesUp':
      return await giveUp(stage, key, deed);
    case 'writeOff': {
      if ((await since(stage, deed.after)) === null) return 'notYet';
      await stage.client.post(
        `/v1/invoices/${invoiceId(stage, deed.invoice)}/write-off`,
        key,
        { reason: deed.reason },
        HEAD,
      );
      return { tell: `${numberOf(deed.invoice)} is written off: ${deed.reason}` };
    }
    case 'insolvency': {
      await stage.client.post(`/v1/customers/${customerId(stage, deed.customer)}/insolvency`, key, {
        kind: 'receivership',
        judgmentOn: dayOf(deed.judgmentDay),
        publishedOn: dayOf(deed.publishedDay),
        trustee: deed.trustee,
      });
      const judged = shortDate(dayOf(deed.judgmentDay));
      return { tell: `${nameOf(deed.customer)} is insolvent by a judgment of ${judged}: nobody writes to it any more` };
    }
    case 'reply': {
      const about = invoiceId(stage, deed.invoice);
      await stage.client.post(`/v1/customers/${customerId(stage, deed.customer)}/inbound`, key, {
        channel: 'email',
        receivedAt: `${dayOf(day)}T06:30:00Z`,
        text: deed.text,
        invoiceIds: [about],
      });
      return { tell: `${nameOf(deed.customer)} writes back; until somebody has read it nothing leaves` };
    }
    case 'read':
      return await read(stage, key, deed);
    case 'pauseAll':
    case 'resumeAll':
      return await command(stage, key, deed);
  }
}

/** The day since which something that a deed waits for is on record; null while it is not. */
export async function since(stage: Stage, { invoice, is }: Milestone): Promise<LocalDate | null> {
  const id = invoiceId(stage, invoice);
  switch (is) {
    case 'noticePosted': {
      const letters = await lettersAbout(stage, invoice);
      return letters.find((l) => l.kind === 'formalNotice' && l.post?.dispatchedOn)?.post?.dispatchedOn ?? null;
    }
    case 'placed': {
      const [placement] = await stage.client.list<{ placedOn: LocalDate }>(`/v1/placements?invoiceId=${id}`);
      return placement?.placedOn ?? null;
    }
    case 'onTerms':
      return await onTerms(stage, invoice);
    case 'writtenOff': {
      const events = await stage.client.list<{ kind: string; data: { on?: LocalDate } }>(`/v1/invoices/${id}/timeline`);
      return events.find(({ kind }) => kind === 'writtenOff')?.data.on ?? null;
    }
  }
}

async function agree(stage: Stage, key: string, day: number, deed: BranchDeed & { do: 'plan' }): Promise<Outcome> {
  const { client, progress } = stage;
  // A plan has no date in the past: its dates are kept before it is sent, so that a repeat has the same.
  const drafted = `plan:${deed.name}:from`;
  if (!progress.has(drafted)) progress.add(drafted, later(await today(stage), dayOf(day)));
  const from = progress.of<string>(drafted);
  const instalments = deed.instalments.map(({ day: due, amount }) => ({ dueOn: addDays(from, due - day), amount }));
  const invoiceIds = deed.invoices.map((number) => invoiceId(stage, number));
  const body = { invoiceIds, instalments };
  if (!(await unlessChanged(client.post('/v1/plans', `${key}:${from}`, body, OFFICE)))) {
    // It was sent so late that its first date had passed.
    progress.add(drafted, await today(stage));
    return 'notYet';
  }
  const { currency } = bookOf(deed.invoices[0]!);
  const parts = instalments.map(({ dueOn, amount }) => `${money(amount, currency)} on ${shortDate(dueOn)}`);
  return {
    tell: `terms are agreed with ${nameOf(deed.name)} for ${list(deed.invoices.map(numberOf))}: ${list(parts)}`,
  };
}

interface Plan extends WithId {
  readonly status: string;
  readonly agreedOn: LocalDate;
  readonly invoiceIds: string[];
}

/** Far enough away that whoever pays now keeps it. */
const NEW_TERMS_DAYS = 40;

/** Since when terms hold over an invoice. Broken ones are agreed anew over what is owed, as one date. */
async function onTerms(stage: Stage, invoice: number): Promise<LocalDate | null> {
  const { client, progress } = stage;
  const plans = await client.list<Plan>(`/v1/plans?invoiceId=${invoiceId(stage, invoice)}`);
  const [plan] = plans;
  if (plan === undefined) return null;
  if (plan.status !== 'broken') return plan.agreedOn;
  const rests = await Promise.all(
    plan.invoiceIds.map((id) => client.get<{ id: string; balance: string; currency: string }>(`/v1/invoices/${id}`)),
  );
  const open = rests.filter(({ balance }) => Number(balance) !== 0);
  const owed = open.reduce((sum, { balance, currency }) => sum + parseAmount(balance, currency), 0n);
  const drafted = `plan:again:${plan.id}:${owed}`;
  if (!progress.has(drafted)) progress.add(drafted, addDays(await today(stage), NEW_TERMS_DAYS));
  const instalments = [{ dueOn: progress.of(drafted), amount: formatAmount(owed, bookOf(invoice).currency) }];
  await unlessChanged(client.post('/v1/plans', drafted, { invoiceIds: open.map(({ id }) => id), instalments }, OFFICE));
  return null;
}

const WHAT: Readonly<Record<Branch, string>> = {
  formalNotice: 'the formal notice',
  placement: 'the hand-over to the agency',
  writeOff: 'the write-off',
};

async function approve(stage: Stage, key: string, deed: BranchDeed & { do: 'approve' }): Promise<Outcome> {
  const { client, progress } = stage;
  const tasks = await client.list<Task>(`/v1/tasks?kind=approve&invoiceId=${invoiceId(stage, deed.invoice)}`);
  const ours = tasks.filter(({ step }) => step === deed.step);
  const open = ours.find(({ status }) => status === 'open');
  const answered = ours.some(({ status }) => status === 'done');
  if (open === undefined && !answered) return 'notYet';
  if (open !== undefined) {
    const agencyId = deed.step === 'placement' ? { agencyId: progress.of<WithId>('agency').id } : {};
    const body = { decision: 'approved', note: deed.note, ...agencyId };
    const done = await unlessChanged(client.post(`/v1/tasks/${open.id}/completion`, `${key}:${open.id}`, body, HEAD));
    if (!done) return 'notYet';
  }
  return { tell: `${WHAT[deed.step]} for ${numberOf(deed.invoice)} is approved: ${deed.note}` };
}

/** The date of the creditor. */
const today = async ({ client }: Stage): Promise<LocalDate> =>
  localDate(parseInstant((await client.get<{ now: string }>('/v1/clock')).now), ZONE);

/** False where the service says that it is not, or no longer, so: the next look sees what is. */
async function unlessChanged(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof Refusal && (error.status === 409 || error.status === 422)) return false;
    throw error;
  }
}

const lettersAbout = async (stage: Stage, invoice: number): Promise<Letter[]> =>
  (await stage.client.list<Letter>(`/v1/contacts?invoiceId=${invoiceId(stage, invoice)}`)).filter(
    ({ channel, status }) => channel !== 'email' && channel !== 'call' && status !== 'withdrawn',
  );

async function post(stage: Stage, key: string, invoice: number): Promise<Outcome> {
  const { client } = stage;
  const letters = await lettersAbout(stage, invoice);
  const letter = letters.find(({ post: posted }) => posted?.dispatchedOn === null);
  if (letter === undefined) {
    return letters.length > 0 ? { tell: null } : await askedAgain(stage, key, invoice);
  }
  const batch = await printed(stage, `${key}:${letter.id}:${letter.status}`, letter);
  if (batch === null) return 'notYet';
  const on = localDate(parseInstant(batch.createdAt), ZONE);
  const trackingNumbers = await numbersOf(stage, batch.id);
  await client.post(
    `/v1/print-batches/${batch.id}/dispatch`,
    `${key}:${batch.id}`,
    { on, trackingNumbers },
    MAILING_HOUSE,
  );
  const what = batch.letters === 1 ? `the letter about ${numberOf(invoice)}` : `${batch.letters} letters`;
  return { tell: `the mailing house prints and posts ${what}` };
}

/** The numbers on the registered letters of a batch, by contact, in the order in which they were written. */
async function numbersOf({ client }: Stage, batchId: string): Promise<Record<string, string>> {
  const letters = (await client.list<Letter>('/v1/contacts')).filter(
    ({ channel, post: posted }) => channel === 'registeredLetter' && posted?.printBatchId === batchId,
  );
  // Follows from the batch alone: a repeat says the same.
  const series = String(Buffer.from(batchId).reduce((sum, byte) => (sum * 31 + byte) % 1_000, 0)).padStart(3, '0');
  return Object.fromEntries(
    letters.map(({ id }, index) => [id, `RK 26 ${series} ${String(index + 1).padStart(3, '0')} 0 FR`]),
  );
}

interface Batch extends WithId {
  readonly letters: number;
  readonly createdAt: string;
}

/** The batch with the letter, a new one where it is in none; null where it was taken back at the last look. */
async function printed({ client }: Stage, key: string, { channel, post: posted }: Letter): Promise<Batch | null> {
  if (posted?.printBatchId) return await client.get<Batch>(`/v1/print-batches/${posted.printBatchId}`);
  try {
    return await client.post<Batch>('/v1/print-batches', key, { channels: [channel], duplex: true }, MAILING_HOUSE);
  } catch (error) {
    if (error instanceof Refusal && error.status === 409) return null;
    throw error;
  }
}

/** A notice that was taken back before it was posted is asked for anew. */
async function askedAgain(stage: Stage, key: string, invoice: number): Promise<Outcome> {
  const note = 'Approved once more, as asked.';
  const open = `/v1/tasks?kind=approve&status=open&invoiceId=${invoiceId(stage, invoice)}`;
  const [task] = (await stage.client.list<Task>(open)).filter(({ step }) => step === 'formalNotice');
  if (task !== undefined) {
    const body = { decision: 'approved', note };
    await unlessChanged(stage.client.post(`/v1/tasks/${task.id}/completion`, `${key}:${task.id}`, body, HEAD));
  }
  return 'notYet';
}

async function delivered(stage: Stage, key: string, day: number, invoice: number): Promise<Outcome> {
  const letters = await lettersAbout(stage, invoice);
  const letter = letters.find(({ post: posted }) => posted?.dispatchedOn);
  const dispatchedOn = letter?.post?.dispatchedOn;
  if (!letter || !dispatchedOn) return 'notYet';
  const on = later(dispatchedOn, dayOf(day));
  await stage.client.post(
    `/v1/contacts/${letter.id}/delivery`,
    `${key}:${letter.id}`,
    { status: 'delivered', on },
    MAILING_HOUSE,
  );
  return { tell: `the post: registered letter ${letter.post?.trackingNumber} to ${payerOf(invoice)} is delivered` };
}

async function giveUp(stage: Stage, key: string, deed: BranchDeed & { do: 'agencyGivesUp' }): Promise<Outcome> {
  const agency = stage.client.withKey(stage.progress.of<{ key: string }>('agency').key);
  const [placement] = await agency.list<WithId>(`/v1/placements?invoiceId=${invoiceId(stage, deed.invoice)}`);
  if (placement === undefined) return 'notYet';
  const report = { kind: 'givenUp', reference: `R-26-${deed.invoice}`, note: deed.note };
  await agency.post(`/v1/placements/${placement.id}/reports`, key, report);
  return { tell: `the agency gives ${numberOf(deed.invoice)} up: ${deed.note}` };
}

async function read(stage: Stage, key: string, deed: BranchDeed & { do: 'read' }): Promise<Outcome> {
  const { client } = stage;
  const tasks = await client.list<Task>(`/v1/tasks?kind=readReply&customerId=${customerId(stage, deed.customer)}`);
  const task = tasks.find(({ status }) => status === 'open') ?? tasks.find(({ status }) => status === 'done');
  if (task === undefined) return 'notYet';
  const payOn = dayOf(deed.payOnDay);
  await client.post(
    `/v1/tasks/${task.id}/completion`,
    `${key}:${task.id}`,
    { invoiceId: invoiceId(stage, deed.invoice), promise: { payOn }, note: deed.note },
    OFFICE,
  );
  return { tell: `the mail of ${nameOf(deed.customer)} is read; it promises to pay by ${shortDate(payOn)}` };
}

async function command(
  stage: Stage,
  key: string,
  deed: BranchDeed & { do: 'pauseAll' | 'resumeAll' },
): Promise<Outcome> {
  const body = {
    filter: { customerId: customerId(stage, deed.customer) },
    command: { kind: deed.do === 'pauseAll' ? 'pause' : 'resume', reason: deed.reason },
  };
  const { id, total } = await stage.client.post<WithId & { total: number }>(
    '/v1/invoices/bulk',
    `${key}:list`,
    body,
    OFFICE,
  );
  await stage.client.post('/v1/invoices/bulk', `${key}:do`, { ...body, dryRun: false, dryRunId: id }, OFFICE);
  const cases = total === 1 ? 'the open case' : `all ${total} open cases`;
  const what = deed.do === 'pauseAll' ? 'paused' : 'resumed';
  return { tell: `${cases} of ${nameOf(deed.customer)} are ${what} with one command: ${deed.reason}` };
}
