import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { AgencyMessageKind, JsonObject, PlacementStatus } from '../types.ts';
import { cancelChaseTasks } from './chase-tasks.ts';
import { appendEvent } from './events.ts';
import { lockCustomers, lockInvoice } from './locks.ts';
import { pokeAgency, pokeOutreach } from './outbox.ts';
import { findPlacement, type PlacementReach } from './placement-list.ts';

/** The invoice that is handed over; the caller holds its customer's row and its own. */
export interface PlacedInvoice {
  creditorId: string;
  customerId: string;
  invoiceId: string;
  run: number;
  currency: string;
}

/**
 * Hands an invoice over to an agency: from here on the customer hears nothing from us about it. The agency is told by a
 * message that its own workflow delivers. `on` is the creditor's date.
 */
export async function placeWithAgency(
  tx: Tx,
  act: Act,
  invoice: PlacedInvoice,
  placing: { agencyId: string; amountMinor: bigint; on: LocalDate },
): Promise<string> {
  const id = newId('plc');
  const { invoiceId, customerId, creditorId, currency, run } = invoice;
  await tx
    .insertInto('placements')
    .values({
      id,
      creditor_id: creditorId,
      customer_id: customerId,
      invoice_id: invoiceId,
      agency_id: placing.agencyId,
      run,
      amount_minor: placing.amountMinor,
      currency,
      placed_on: placing.on,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  const amount = formatAmount(placing.amountMinor, currency);
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'placed',
    data: { placementId: id, agencyId: placing.agencyId, amount, currency, on: placing.on },
    text: act.reason ?? null,
  });
  await tellAgency(tx, act, {
    agencyId: placing.agencyId,
    placementId: id,
    kind: 'handover',
    data: { amount, currency },
  });
  await cancelChaseTasks(tx, act, [invoiceId], 'placed');
  await pokeOutreach(tx, customerId);
  return id;
}

/** Refuses an agency that is another creditor's, or closed: `unknownAgency`. */
export async function requireAgency(
  db: Db | Tx,
  creditorId: string,
  agencyId: string,
  pointer = '/agencyId',
): Promise<void> {
  const agency = await db
    .selectFrom('agencies')
    .select('id')
    .where('creditor_id', '=', creditorId)
    .where('id', '=', agencyId)
    .where('closed_at', 'is', null)
    .executeTakeFirst();
  if (agency) return;
  throw new DomainError('unknownAgency', 'There is no such agency.', [
    { pointer, code: 'unknownAgency', message: 'It is none of the creditor’s, or it is closed.' },
  ]);
}

/** The hand-over that is open for this invoice; undefined without one. */
export async function openPlacement(tx: Tx, invoiceId: string) {
  return await tx
    .selectFrom('placements')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .where('status', 'in', ['active', 'givenUp'])
    .executeTakeFirst();
}

/**
 * Takes a case back from its agency, which is told: by a person (`recalled`), or since there is nothing left to collect
 * (`ended`). False when no agency has it. The case's stage follows at its next turn.
 */
export async function endPlacement(
  tx: Tx,
  act: Act,
  invoiceId: string,
  ending: { status: Extract<PlacementStatus, 'recalled' | 'ended'>; reason: string; on: LocalDate },
): Promise<boolean> {
  const placement = await openPlacement(tx, invoiceId);
  if (!placement) return false;
  await tx
    .updateTable('placements')
    .set({ status: ending.status, ended_on: ending.on, end_reason: ending.reason })
    .where('id', '=', placement.id)
    .execute();
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'recalled',
    data: { placementId: placement.id, agencyId: placement.agency_id, reason: ending.reason, on: ending.on },
    text: act.reason ?? null,
  });
  await tellAgency(tx, act, {
    agencyId: placement.agency_id,
    placementId: placement.id,
    kind: 'recall',
    data: { reason: ending.reason, on: ending.on },
  });
  return true;
}

/**
 * Money or credit reached us directly, or was taken back, while an agency has the case: it is told the new balance. A
 * balance of zero is a recall, which the closing of the case tells.
 */
export async function tellAgencyOfBalance(
  tx: Tx,
  act: Act,
  invoiceId: string,
  balance: { balanceMinor: bigint; currency: string },
): Promise<void> {
  if (balance.balanceMinor === 0n) return;
  const placement = await openPlacement(tx, invoiceId);
  if (!placement) return;
  await tellAgency(tx, act, {
    agencyId: placement.agency_id,
    placementId: placement.id,
    kind: 'balance',
    data: { balance: formatAmount(balance.balanceMinor, balance.currency), currency: balance.currency },
  });
}

/**
 * The file of a placement is to be built anew, since documents came after it was handed over, and the agency told. A
 * file that is not built yet will hold them anyway. Locks the customer, then the invoice. Throws `notFound`,
 * `placementEnded`.
 */
export async function renewFile(tx: Tx, act: Act, reach: PlacementReach, placementId: string): Promise<void> {
  const known = await findPlacement(tx, reach, placementId);
  if (!known) throw new DomainError('notFound', 'There is no such placement.');
  await lockCustomers(tx, [known.customer_id]);
  await lockInvoice(tx, known.invoice_id);
  const placement = (await findPlacement(tx, reach, placementId))!;
  if (placement.status === 'recalled' || placement.status === 'ended') {
    throw new DomainError('placementEnded', 'The agency does not have the case any more.');
  }
  const unbuilt = await tx
    .selectFrom('agency_messages')
    .select('id')
    .where('placement_id', '=', placementId)
    .where('kind', '=', 'handover')
    .where('status', '=', 'pending')
    .where('document_id', 'is', null)
    .executeTakeFirst();
  if (unbuilt) return;
  const { balance_minor: balanceMinor, currency } = placement;
  await tellAgency(tx, act, {
    agencyId: placement.agency_id,
    placementId,
    kind: 'handover',
    data: { amount: formatAmount(balanceMinor, currency), currency, again: true },
  });
}

/** Puts a message to an agency in its line; the workflow of the agency delivers them in order. */
async function tellAgency(
  tx: Tx,
  act: Act,
  message: { agencyId: string; placementId: string; kind: AgencyMessageKind; data: JsonObject },
): Promise<void> {
  await tx
    .insertInto('agency_messages')
    .values({
      agency_id: message.agencyId,
      placement_id: message.placementId,
      kind: message.kind,
      data: json(message.data),
      at: instant(act.at),
    })
    .execute();
  await pokeAgency(tx, message.agencyId);
}
