import { parseInstant } from '../../domain/time/zones.ts';
import { CUSTOMERS } from './book.ts';
import type { Client } from './client.ts';
import type { Progress } from './progress.ts';
import type { Teller } from './teller.ts';
import { list, money } from './words.ts';

interface Invoice {
  readonly id: string;
  readonly number: string;
  readonly customerId: string;
}

interface Contact {
  readonly id: string;
  readonly customerId: string;
  readonly kind: string;
  readonly channel: string;
  readonly status: string;
  readonly tone: string;
  readonly plannedAt: string;
  readonly sentAt: string | null;
  readonly finishedAt: string | null;
  readonly items: { invoiceId: string; amount: string; currency: string }[];
}

interface Event {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
}

interface Task {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly subject: string;
  readonly openedAt: string;
}

const DAY_MS = 86_400_000;

/** Looks at the service from outside, through its API, and tells what it has done since the last look. */
export class Watcher {
  readonly #client: Client;
  readonly #progress: Progress;
  readonly #teller: Teller;
  readonly #seen = new Set<string>();
  readonly #invoices = new Map<string, string>();
  #names = new Map<string, string>();

  constructor(client: Client, progress: Progress, teller: Teller) {
    this.#client = client;
    this.#progress = progress;
    this.#teller = teller;
  }

  async look(): Promise<void> {
    if (this.#names.size === 0) {
      this.#names = new Map(
        Object.entries(CUSTOMERS).map(([key, { name }]) => [
          this.#progress.of<{ id: string }>(`customer:${key}`).id,
          name,
        ]),
      );
    }
    const invoices = await this.#client.list<Invoice>('/v1/invoices');
    const numbers = new Map(invoices.map(({ id, number }) => [id, number]));
    for (const contact of await this.#client.list<Contact>('/v1/contacts')) this.#tellContact(contact, numbers);
    for (const task of await this.#client.list<Task>('/v1/tasks')) this.#tellTask(task);
    for (const invoice of invoices) {
      // Whatever happens to a case shows in where it stands, so an unchanged one has nothing to tell.
      const standing = JSON.stringify(invoice);
      if (this.#invoices.get(invoice.id) === standing) continue;
      const events = await this.#client.list<Event>(`/v1/invoices/${invoice.id}/timeline`);
      for (const event of events) this.#tellEvent(invoice, event);
      this.#invoices.set(invoice.id, standing);
    }
  }

  #once(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #tellContact(contact: Contact, numbers: ReadonlyMap<string, string>): void {
    if (contact.channel === 'call') return;
    const name = this.#names.get(contact.customerId) ?? contact.customerId;
    const state = contact.status === 'delivered' || contact.status === 'refused' ? 'sent' : contact.status;
    const how = contact.channel === 'email' ? 'mail' : 'letter';
    if (state === 'queued' || state === 'sending' || !this.#once(`${contact.id}:${state}`)) return;
    const about = list(contact.items.map(({ invoiceId }) => numbers.get(invoiceId) ?? invoiceId));
    if (state === 'sent') {
      const sums = list(sumsOf(contact.items));
      this.#teller.tell(
        momentOf(contact),
        `   ${titleOf(contact)}${how === 'letter' ? ' by post' : ''} to ${name}: ${about}, ${sums}`,
      );
      return;
    }
    const what = { failed: 'came back', withdrawn: 'was stopped before it left', unknown: 'may or may not have left' }[
      state
    ];
    const at = parseInstant(contact.finishedAt ?? contact.sentAt ?? contact.plannedAt);
    this.#teller.tell(at, `   the ${how} to ${name} about ${about} ${what ?? `is ${state}`}`);
  }

  #tellTask(task: Task): void {
    if (!this.#once(`${task.id}:opened`)) return;
    this.#teller.tell(parseInstant(task.openedAt), `   for a person: ${task.subject}`);
  }

  #tellEvent({ number, customerId }: Invoice, event: Event): void {
    const text = textOf(event);
    if (text === null || !this.#once(event.id)) return;
    this.#teller.tell(parseInstant(event.at), `   ${number} (${this.#names.get(customerId) ?? ''}) ${text}`);
  }
}

/** The moment it was meant for: in compressed time the seconds that a mail takes to leave are half a day. */
function momentOf({ plannedAt, sentAt }: Contact): number {
  const planned = parseInstant(plannedAt);
  const sent = parseInstant(sentAt ?? plannedAt);
  return sent - planned < DAY_MS ? planned : sent;
}

function titleOf({ kind, tone }: Contact): string {
  if (kind === 'beforeDue') return 'note before the due date';
  if (kind === 'thankYou') return 'thanks';
  if (kind === 'formalNotice') return 'formal notice';
  if (kind === 'plan') return 'note about the terms';
  return `${tone === 'neutral' ? '' : `${tone} `}reminder`;
}

function sumsOf(items: Contact['items']): string[] {
  const sums = new Map<string, bigint>();
  for (const { amount, currency } of items) {
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amount.replace('.', '')));
  }
  return [...sums].map(([currency, minor]) => {
    const digits = String(minor).padStart(3, '0');
    return money(`${digits.slice(0, -2)}.${digits.slice(-2)}`, currency);
  });
}

/** Only what the driver and the contacts do not tell already. */
function textOf({ kind }: Event): string | null {
  switch (kind) {
    case 'settled':
      return 'is settled';
    case 'cancelled':
      return 'is cancelled: credited in full before any payment';
    case 'reopened':
      return 'is open again';
    case 'promiseKept':
      return 'keeps its promise';
    case 'promiseBroken':
      return 'breaks its promise';
    case 'planKept':
      return 'keeps its terms to the end';
    case 'planBroken':
      return 'breaks its terms: all of it is due at once';
    case 'placed':
      return 'is handed over to the agency';
    case 'recalled':
      return 'is taken back from the agency';
    case 'recovered':
      return 'is paid after all: a recovery';
    case 'collectionFailed':
      return 'could not be collected; now it is chased';
    default:
      return null;
  }
}
