import { formatAmount, parseAmount, share } from '../../domain/money.ts';
import { addDays, later } from '../../domain/time/dates.ts';
import { localDate, parseInstant } from '../../domain/time/zones.ts';
import { AGENCY, CUSTOMERS, dayOf, POLICIES, type BookInvoice, type CustomerKey } from './book.ts';
import { bankFile, type Booking, type Reversal } from './bank-file.ts';
import { carryOutBranch, since } from './branch-deeds.ts';
import { invoiceFile } from './invoice-file.ts';
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
import { numberOf, STORY, type Deed } from './story.ts';
import { list, money, shortDate, ZONE } from './words.ts';

/** Policies, customers, the bank's feed and the agency: what is there before the first invoice. */
export async function setUp({ client, progress, creditorId }: Stage): Promise<void> {
  await inParallel(POLICIES, async (policy) => {
    const key = `policy:${policy.name}`;
    if (!progress.has(key)) progress.add(key, await client.put(`/v1/policies/${policy.name}`, policy));
  });
  await inParallel(Object.entries(CUSTOMERS), async ([name, { iban: _, ...customer }]) => {
    const key = `customer:${name}`;
    if (progress.has(key)) return;
    const { id } = await client.post<WithId>('/v1/customers', key, customer);
    progress.add(key, { id });
  });
  if (!progress.has('feed')) {
    const { id, secret } = await client.post<{ id: string; secret: string }>('/v1/feeds', 'feed', {
      kind: 'standard',
      name: 'Current account',
    });
    progress.add('feed', { id, secret });
  }
  if (!progress.has('agency')) {
    const { id } = await client.post<WithId>('/v1/agencies', 'agency', AGENCY);
    const name = AGENCY.name;
    const made = await client.post<{ key: string }>(`/v1/creditors/${creditorId}/keys`, 'agencyKey', {
      name,
      role: 'agency',
      agencyId: id,
    });
    progress.add('agency', { id, key: made.key });
  }
}

/** A few at a time, as a billing system that is in a hurry would. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
}

/** The billing system hands an invoice over, with its PDF where it has one. */
export async function register(stage: Stage, invoice: BookInvoice): Promise<WithId> {
  const { client } = stage;
  const { id } = await client.post<WithId>('/v1/invoices', `invoice:${invoice.number}`, {
    number: invoice.number,
    customerId: customerId(stage, invoice.customer),
    issuedOn: dayOf(invoice.issued),
    dueOn: dayOf(invoice.due),
    amount: invoice.amount,
    currency: invoice.currency,
    vat: vatOf(invoice),
    ...(invoice.directDebit ? { collection: { method: 'directDebit', on: dayOf(invoice.due) } } : {}),
  });
  if (invoice.withFile) await client.putPdf(`/v1/invoices/${id}/file`, await invoiceFile(invoice));
  return { id };
}

/** What the bank's webhooks told so far. */
function tellings({ progress }: Stage): { bookings: Booking[]; reversals: Reversal[] } {
  const told = { bookings: [] as Booking[], reversals: [] as Reversal[] };
  for (const { deed } of STORY) {
    if ((deed.do !== 'pay' && deed.do !== 'return') || !progress.has(deed.id)) continue;
    // A deed that was refused has left nothing.
    const message = progress.of<{ message: { data: Booking & Reversal } } | null>(deed.id)?.message;
    if (message === undefined) continue;
    if (deed.do === 'pay') told.bookings.push(message.data);
    else told.reversals.push(message.data);
  }
  return told;
}

/**
 * Does what a scene says. Bodies depend on the story and on what Relance has stored alone, never on the moment, so that a
 * repeat after a crash is the same request.
 * @param key the scene's own, for all attempts
 * @throws Refusal where the service says no
 */
export async function carryOut(stage: Stage, key: string, day: number, deed: Deed): Promise<Outcome> {
  const { client } = stage;
  switch (deed.do) {
    case 'pay': {
      const waitedFor = deed.after === undefined ? dayOf(day) : await since(stage, deed.after);
      if (waitedFor === null) return 'notYet';
      const bookedOn = later(dayOf(day), waitedFor);
      const { name, iban, country } = CUSTOMERS[deed.payer as CustomerKey];
      const currency = country === 'GB' ? 'GBP' : 'EUR';
      const message = {
        type: 'transaction.booked',
        timestamp: `${bookedOn}T07:00:00Z`,
        data: {
          id: deed.id,
          bookedOn,
          amount: deed.amount,
          currency,
          direction: 'credit',
          counterparty: { name, iban },
          remittance: deed.quotes,
        },
      };
      await client.webhook(stage.progress.of('feed'), `msg-${deed.id}`, message);
      return { keep: { message }, tell: `bank: ${money(deed.amount, currency)} from ${name}, "${deed.quotes}"` };
    }
    case 'statement': {
      const told = tellings(stage);
      const alone = deed.alone.map(({ id, amount, quotes, payer }): Booking => {
        const { name, iban, country } = CUSTOMERS[payer as CustomerKey];
        const counterparty = { name, iban: iban ?? null };
        return {
          id,
          bookedOn: dayOf(day),
          amount,
          currency: country === 'GB' ? 'GBP' : 'EUR',
          counterparty,
          remittance: quotes,
        };
      });
      const file = bankFile(dayOf(day), [...told.bookings, ...alone], told.reversals);
      const feed = stage.progress.of<{ id: string }>('feed');
      const taken = await client.postFile<{ receipts: number; duplicates: number }>(
        `/v1/feeds/${feed.id}/statements`,
        file,
      );
      return { tell: `bank: its statement has ${taken.duplicates} bookings that are known and ${taken.receipts} new` };
    }
    case 'return': {
      const { message } = stage.progress.of<{
        message: { data: { currency: string; counterparty: { name: string } } };
      }>(deed.of);
      const back = {
        type: 'transaction.returned',
        timestamp: `${dayOf(day)}T07:00:00Z`,
        data: {
          id: deed.id,
          originalId: deed.of,
          amount: deed.amount,
          currency: message.data.currency,
          bookedOn: dayOf(day),
          reasonCode: deed.code,
        },
      };
      await client.webhook(stage.progress.of('feed'), `msg-${deed.id}`, back);
      const { name } = message.data.counterparty;
      const amount = money(deed.amount, message.data.currency);
      return { keep: { message: back }, tell: `bank: ${amount} from ${name} went back (${deed.code})` };
    }
    case 'repeat': {
      const { message } = stage.progress.of<{ message: unknown }>(deed.of);
      await client.webhook(stage.progress.of('feed'), `msg-${deed.of}`, message);
      await client.webhook(stage.progress.of('feed'), `msg-${deed.of}-again`, message);
      return { tell: `bank: says that twice more, once in another message; it is one payment` };
    }
    case 'promise': {
      const { currency } = bookOf(deed.invoice);
      const said = await client.post<{ amount: string | null }>(
        `/v1/invoices/${invoiceId(stage, deed.invoice)}/promises`,
        key,
        {
          payOn: dayOf(deed.payOnDay),
          by: deed.by,
          ...(deed.amount === undefined ? {} : { amount: deed.amount }),
        },
      );
      const what = said.amount === null ? `the rest of ${numberOf(deed.invoice)}` : money(said.amount, currency);
      return { tell: `${payerOf(deed.invoice)} promises ${what} for ${shortDate(dayOf(deed.payOnDay))}` };
    }
    case 'dispute': {
      const { id } = await client.post<WithId>(`/v1/invoices/${invoiceId(stage, deed.invoice)}/disputes`, key, {
        category: deed.category,
        note: deed.note,
        ...(deed.amount === undefined ? {} : { amount: deed.amount }),
      });
      const what = deed.amount === undefined ? 'all' : money(deed.amount, bookOf(deed.invoice).currency);
      return {
        keep: { id },
        tell: `${payerOf(deed.invoice)} disputes ${what} of ${numberOf(deed.invoice)}: ${deed.note}`,
      };
    }
    case 'resolve': {
      const { id } = stage.progress.of<WithId>(`dispute:${deed.invoice}`);
      await client.post(`/v1/disputes/${id}/resolution`, key, {
        outcome: deed.outcome,
        note: deed.note,
        ...(deed.credit === undefined ? {} : { creditAmount: deed.credit }),
      });
      const credited =
        deed.credit === undefined ? '' : `, ${money(deed.credit, bookOf(deed.invoice).currency)} credited`;
      return { tell: `the dispute about ${numberOf(deed.invoice)} is decided: ${deed.outcome}${credited}` };
    }
    case 'credit': {
      const { currency } = bookOf(deed.invoice);
      await client.post(`/v1/invoices/${invoiceId(stage, deed.invoice)}/credit-notes`, key, {
        number: deed.number,
        amount: deed.amount,
        issuedOn: dayOf(day),
        reason: deed.reason,
      });
      return { tell: `credit note of ${money(deed.amount, currency)} on ${numberOf(deed.invoice)}: ${deed.reason}` };
    }
    case 'pause':
    case 'resume': {
      await client.post(`/v1/invoices/${invoiceId(stage, deed.invoice)}/${deed.do}`, key, { reason: deed.reason });
      return { tell: `${numberOf(deed.invoice)} is ${deed.do === 'pause' ? 'paused' : 'resumed'}: ${deed.reason}` };
    }
    case 'holdCustomer': {
      const { id } = await client.post<WithId>(`/v1/customers/${customerId(stage, deed.customer)}/holds`, key, {
        reason: deed.reason,
      });
      return { keep: { id }, tell: `no reminders to ${nameOf(deed.customer)} for now: ${deed.reason}` };
    }
    case 'liftHold': {
      await client.delete(`/v1/holds/${stage.progress.of<WithId>(`holdCustomer:${deed.customer}`).id}`);
      return { tell: `${nameOf(deed.customer)} may be reminded again` };
    }
    case 'newAddress':
      return newAddress(stage, key, deed);
    case 'task':
      return workOff(stage, key, deed);
    case 'allocate':
      return allocate(stage, key, deed);
    default:
      return carryOutBranch(stage, key, day, deed);
  }
}

/** What later scenes look a deed's result up by. */
export function keptAs(deed: Deed): string | null {
  switch (deed.do) {
    case 'pay':
    case 'return':
    case 'statement':
      return deed.id;
    case 'dispute':
      return `dispute:${deed.invoice}`;
    case 'holdCustomer':
      return `holdCustomer:${deed.customer}`;
    default:
      return null;
  }
}

async function newAddress(stage: Stage, key: string, deed: Deed & { do: 'newAddress' }): Promise<Outcome> {
  const id = customerId(stage, deed.customer);
  const tasks = await openTasks(stage, 'returnedMail', `customerId=${id}`);
  const [task] = tasks;
  if (task === undefined) return 'notYet';
  await stage.client.patch(`/v1/customers/${id}`, { contacts: [{ role: 'billing', email: deed.email }] });
  await stage.client.post(`/v1/tasks/${task.id}/completion`, `${key}:${task.id}`, {
    note: 'The new address is entered.',
  });
  return { tell: `the right address of ${nameOf(deed.customer)} is found and entered` };
}

async function workOff(stage: Stage, key: string, deed: Deed & { do: 'task' }): Promise<Outcome> {
  const [task] = await openTasks(stage, deed.kind, `invoiceId=${invoiceId(stage, deed.invoice)}`);
  if (task === undefined) return 'notYet';
  const openedOn = localDate(parseInstant(task.openedAt), ZONE);
  const name = payerOf(deed.invoice);
  const complete = (body: object): Promise<unknown> =>
    stage.client.post(
      `/v1/tasks/${task.id}/completion`,
      `${key}:${task.id}`,
      { ...body, note: deed.note },
      'back office',
    );
  switch (deed.kind) {
    case 'call': {
      if (deed.answer === 'noAnswer') {
        await complete({ outcome: 'noAnswer' });
        return { tell: `${name} is called about ${numberOf(deed.invoice)}: no answer` };
      }
      const payOn = addDays(openedOn, 7);
      await complete({ outcome: 'reached', promise: { payOn } });
      return { tell: `${name} is called about ${numberOf(deed.invoice)} and promises to pay by ${shortDate(payOn)}` };
    }
    case 'letter':
      await complete({ sentOn: openedOn });
      return { tell: `the letter about ${numberOf(deed.invoice)} to ${name} is posted` };
    case 'approve':
      await complete({ decision: 'approved' });
      return { tell: `the next step for ${numberOf(deed.invoice)} is approved: ${deed.note}` };
    case 'collectionMissing':
      await complete({ outcome: 'failed' });
      return { tell: `the direct debit of ${numberOf(deed.invoice)} failed after all: ${deed.note}` };
  }
}

async function allocate(stage: Stage, key: string, deed: Deed & { do: 'allocate' }): Promise<Outcome> {
  const receipts = await stage.client.list<{ id: string; externalId: string | null }>('/v1/receipts');
  const receipt = receipts.find((one) => one.externalId === deed.receipt);
  if (receipt === undefined) return 'notYet';
  for (const { invoice, amount } of deed.to) {
    await stage.client.post(`/v1/receipts/${receipt.id}/allocations`, `${key}:${invoice}`, {
      invoiceId: invoiceId(stage, invoice),
      amount,
    });
  }
  const where = deed.to.map(
    ({ invoice, amount }) => `${money(amount, bookOf(invoice).currency)} to ${numberOf(invoice)}`,
  );
  return { tell: `somebody looks at the money that nobody could place: ${list(where)}` };
}

const openTasks = (stage: Stage, kind: string, of: string): Promise<Task[]> =>
  stage.client.list<Task>(`/v1/tasks?kind=${kind}&status=open&${of}`);

/** A French customer, and whoever buys in the shop, is billed with VAT at 20 %, included in the amount; one abroad without. */
function vatOf({ amount, currency, customer, inShop }: BookInvoice): { rate: string; net: string; vat: string }[] {
  const gross = parseAmount(amount, currency);
  const vat = inShop || CUSTOMERS[customer].country === 'FR' ? share(gross, '0.166666666666666667') : 0n;
  const text = (minor: bigint): string => formatAmount(minor, currency);
  return [{ rate: vat === 0n ? '0' : '20', net: text(gross - vat), vat: text(vat) }];
}
