import { DomainError } from '../../domain/errors.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { HoldKind } from '../types.ts';
import { cancelChaseTasks } from './chase-tasks.ts';
import { appendEvents, type EventKind } from './events.ts';
import { lockCustomers } from './locks.ts';
import { pokeOutreach, wakeCases } from './outbox.ts';

export interface NewHold {
  customerId: string;
  /** Null: all cases of the customer. */
  invoiceId: string | null;
  kind: HoldKind;
  /** The last day held; null: until it is lifted. Dates are the creditor's. */
  untilOn: LocalDate | null;
  /** What it hangs on, such as the receipt of unapplied money. */
  sourceId?: string | null;
}

/**
 * Holds one case or all cases of a customer from today on and returns the hold's id. Open call and letter tasks of the
 * cases are cancelled, each case learns of it. Locks the customer, then the invoices. Throws `notFound`,
 * `invoiceClosed`, and `untilInPast` when it would end before today. The reason is the act's.
 */
export async function setHold(tx: Tx, act: Act, hold: NewHold): Promise<string> {
  await lockCustomers(tx, [hold.customerId]);
  const { creditorId, today } = await homeOf(tx, act, hold.customerId);
  if (hold.untilOn !== null && hold.untilOn < today) {
    throw new DomainError('untilInPast', 'A hold cannot end before today.', [
      { pointer: '/until', code: 'untilInPast', message: `The last day held is ${today} or later.` },
    ]);
  }
  const affected = await openInvoices(tx, hold.customerId, hold.invoiceId);
  if (hold.invoiceId !== null && affected.length === 0) {
    throw new DomainError('invoiceClosed', 'The customer has no open invoice of that id.');
  }
  const id = newId('hol');
  await tx
    .insertInto('holds')
    .values({
      id,
      creditor_id: creditorId,
      customer_id: hold.customerId,
      invoice_id: hold.invoiceId,
      kind: hold.kind,
      reason: act.reason ?? null,
      from_on: today,
      until_on: hold.untilOn,
      source_id: hold.sourceId ?? null,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  const kind: EventKind = hold.kind === 'pause' ? 'paused' : 'held';
  await tell(tx, act, hold.customerId, affected, kind, {
    holdId: id,
    kind: hold.kind,
    until: hold.untilOn,
    scope: hold.invoiceId === null ? 'customer' : 'invoice',
    ...(hold.sourceId ? { sourceId: hold.sourceId } : {}),
  });
  await cancelChaseTasks(tx, act, affected, hold.kind);
  return id;
}

/**
 * Ends a hold today; false when it had ended before, by itself or by somebody, and nothing changes. Each case concerned
 * learns of it. Locks the customer, then the invoices. Throws `notFound`.
 */
export async function liftHold(tx: Tx, act: Act, holdId: string): Promise<boolean> {
  const known = await tx.selectFrom('holds').select('customer_id').where('id', '=', holdId).executeTakeFirst();
  if (!known) throw new DomainError('notFound', 'There is no such hold.');
  await lockCustomers(tx, [known.customer_id]);
  const { today } = await homeOf(tx, act, known.customer_id);
  const hold = await tx.selectFrom('holds').selectAll().where('id', '=', holdId).executeTakeFirstOrThrow();
  if (hold.lifted_on !== null || (hold.until_on !== null && hold.until_on < today)) return false;

  await tx
    .updateTable('holds')
    .set({ lifted_on: today, lifted_at: instant(act.at) })
    .where('id', '=', holdId)
    .execute();
  const affected = await openInvoices(tx, hold.customer_id, hold.invoice_id);
  const kind: EventKind = hold.kind === 'pause' ? 'resumed' : 'released';
  await tell(tx, act, hold.customer_id, affected, kind, {
    holdId,
    kind: hold.kind,
    scope: hold.invoice_id === null ? 'customer' : 'invoice',
  });
  return true;
}

/** Lifts what hangs on this source, such as a receipt whose money is applied by now. Locks the customers by id. */
export async function liftHoldsOfSource(tx: Tx, act: Act, sourceId: string): Promise<void> {
  const holds = await tx
    .selectFrom('holds')
    .select(['id', 'customer_id'])
    .where('source_id', '=', sourceId)
    .where('lifted_on', 'is', null)
    .orderBy('customer_id')
    .orderBy('id')
    .execute();
  for (const { id } of holds) await liftHold(tx, act, id);
}

/** The customers held because of this source, lifted or not: who lifts such holds locks them first. */
export async function customersHeldBy(tx: Tx, sourceId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('holds')
    .select('customer_id')
    .distinct()
    .where('source_id', '=', sourceId)
    .where('lifted_on', 'is', null)
    .execute();
  return rows.map((row) => row.customer_id);
}

async function openInvoices(tx: Tx, customerId: string, invoiceId: string | null): Promise<string[]> {
  const rows = await tx
    .selectFrom('invoices')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('stage', 'not in', ['writtenOff', 'settled', 'cancelled'])
    .$if(invoiceId !== null, (query) => query.where('id', '=', invoiceId))
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return rows.map(({ id }) => id);
}

async function tell(
  tx: Tx,
  act: Act,
  customerId: string,
  invoiceIds: readonly string[],
  kind: EventKind,
  data: Record<string, unknown>,
): Promise<void> {
  await appendEvents(
    tx,
    act,
    invoiceIds.map((invoiceId) => ({ invoiceId, kind, data, text: act.reason ?? null })),
  );
  await wakeCases(tx, invoiceIds);
  await pokeOutreach(tx, customerId);
}

async function homeOf(tx: Tx, act: Act, customerId: string): Promise<{ creditorId: string; today: LocalDate }> {
  const home = await tx
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select(['c.id', 'c.time_zone'])
    .where('u.id', '=', customerId)
    .executeTakeFirst();
  if (!home) throw new DomainError('notFound', 'There is no such customer.');
  return { creditorId: home.id, today: localDate(act.at, home.time_zone) };
}
