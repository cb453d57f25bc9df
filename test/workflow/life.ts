import { ServiceError, type WorkflowHandle } from '@temporalio/client';
import { systemAct } from '../../db/act.ts';
import { inTransaction, type Tx } from '../../db/database.ts';
import type { Act } from '../../db/act.ts';
import { newId } from '../../db/ids.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import type { CreditorRow } from '../../db/repositories/creditors.ts';
import type { CustomerRow } from '../../db/repositories/customers.ts';
import type { InvoiceInput } from '../../db/repositories/invoices.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { addDays } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import { caseWorkflowId } from '../../workflows/ids.ts';
import { commandUpdates, stateQuery, type CommandName, type CommandOutcome } from '../../workflows/messages.ts';
import { addCustomer, addInvoice, openBook } from '../support/book.ts';
import { until, type TestService } from '../support/service.ts';

/** One invoice on the real engine, and what its test asks and does. */
export class Life {
  readonly service: TestService;
  readonly creditor: CreditorRow;
  readonly customer: CustomerRow;
  readonly id: string;

  constructor(service: TestService, creditor: CreditorRow, customer: CustomerRow, id: string) {
    this.service = service;
    this.creditor = creditor;
    this.customer = customer;
    this.id = id;
  }

  /** The creditor's date at `at`, moved by some days. Within a transaction give it the act's: by the clock the next day may have begun. */
  day(days = 0, at = this.service.clock.now()): string {
    return addDays(localDate(at, 'Europe/Paris'), days);
  }

  get handle(): WorkflowHandle {
    return this.service.client.workflow.getHandle(caseWorkflowId(this.id));
  }

  within<T>(work: (tx: Tx, act: Act) => Promise<T>): Promise<T> {
    return inTransaction(this.service.db, (tx) => work(tx, systemAct(this.service.clock.now())));
  }

  pay(amountMinor: bigint, currency = 'EUR'): Promise<{ receiptId: string }> {
    const payment = { invoiceId: this.id, amountMinor, currency, receivedOn: this.day() };
    return this.within((tx, act) => recordPayment(tx, act, payment, this.service.deps.holidaySet));
  }

  async undo(receiptId: string): Promise<void> {
    const { id } = await this.service.db
      .selectFrom('allocations')
      .select('id')
      .where('receipt_id', '=', receiptId)
      .executeTakeFirstOrThrow();
    await this.within((tx, act) => undoAllocation(tx, act, id, 'returned'));
  }

  row() {
    return this.service.db.selectFrom('invoices').selectAll().where('id', '=', this.id).executeTakeFirstOrThrow();
  }

  /** `kind` or `kind:step` of everything on the timeline. */
  async timeline(): Promise<string[]> {
    const events = await this.service.db
      .selectFrom('events')
      .select(['kind', 'data'])
      .where('invoice_id', '=', this.id)
      .orderBy('n')
      .execute();
    return events.map((e) => (typeof e.data['step'] === 'string' ? `${e.kind}:${e.data['step']}` : e.kind));
  }

  happened(what: string, times = 1): Promise<true> {
    return until(`${what} on the timeline`, async () => {
      return (await this.timeline()).filter((kind) => kind === what).length >= times;
    });
  }

  tasks(kind: string) {
    return this.service.db
      .selectFrom('tasks')
      .selectAll()
      .where('kind', '=', kind)
      .where('invoice_id', '=', this.id)
      .orderBy('seq')
      .execute();
  }

  closed(): Promise<true> {
    return until('a closed workflow', async () => (await this.handle.describe()).status.name === 'COMPLETED');
  }

  /** The case has taken its first turn. */
  ready(): Promise<true> {
    return until('a first turn', async () => (await this.row()).turned_at !== null);
  }

  /** Everything that was to be told was told. */
  quiet(): Promise<true> {
    return until('an empty outbox', async () => {
      const rows = await this.service.db
        .selectFrom('outbox')
        .select('id')
        .where('target', 'in', [this.id, this.customer.id])
        .execute();
      return rows.length === 0;
    });
  }

  state() {
    return this.handle.query(stateQuery);
  }

  /** Stores a command and returns its id. */
  async write(kind: string, args: Record<string, string> = {}, by: Partial<Act> = {}): Promise<string> {
    const id = newId('cmd');
    await this.within((tx, act) => insertCommand(tx, { ...act, ...by }, { id, invoiceId: this.id, kind, args }));
    return id;
  }

  /** As the API does: a command that meets a case as it continues as new is handed over again, which its id allows. */
  async execute(name: CommandName, id: string): Promise<CommandOutcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.handle.executeUpdate(commandUpdates[name], { args: [{ id }], updateId: id });
      } catch (error) {
        if (attempt === 5 || !isFailedPrecondition(error)) throw error;
      }
    }
  }

  /** `by`: who asks, and why. */
  async command(name: CommandName, args: Record<string, string> = {}, by: Partial<Act> = {}): Promise<CommandOutcome> {
    await this.ready();
    return await this.execute(name, await this.write(name, args, by));
  }

  async events() {
    return (await this.handle.fetchHistory()).events ?? [];
  }

  /** What the customer was sent, oldest first, with plain spaces. */
  mails(): string[] {
    const own = `${this.customer.reference.toLowerCase()}@`;
    return this.service.mails
      .filter((mail) => mail.message.to.some((to) => to.startsWith(own)))
      .map((mail) => mail.message.text.replace(/\s+/g, ' '));
  }
}

function isFailedPrecondition(error: unknown): boolean {
  return error instanceof ServiceError && (error.cause as { code?: number } | undefined)?.code === 9;
}

/** A creditor with this policy, a customer and an invoice that falls due in so many days. */
export async function begin(
  service: TestService,
  policy: Record<string, unknown>,
  dueIn: number,
  input: Partial<InvoiceInput> = {},
): Promise<Life> {
  const creditor = await openBook(service, policy);
  const customer = await addCustomer(service, creditor);
  const today = localDate(service.clock.now(), 'Europe/Paris');
  const dueOn = addDays(today, dueIn);
  const issuedOn = addDays(today, Math.min(dueIn, -40));
  const id = await addInvoice(service, creditor, customer, { issuedOn, ...input, dueOn });
  return new Life(service, creditor, customer, id);
}
