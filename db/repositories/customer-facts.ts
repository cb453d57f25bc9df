import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { ContactFact, CustomerFacts, InsolvencyFact, RecipientFact } from '../../domain/case/facts.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import type { Holidays } from '../../domain/time/working-days.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import type { Db, Tx } from '../database.ts';

/** Public holidays of a country, by postcode where regions differ, for whole years; injected, since they are looked up. */
export type HolidaysOf = (
  country: string,
  postalCode: string | null,
  fromYear: number,
  toYear: number,
) => readonly LocalDate[];

/** Contacts older than this matter to no gap and no cap. */
const CONTACT_MEMORY_DAYS = 60;

/** The key of an address: equal addresses have equal keys, and nobody can be read from one. */
export function recipientKeyOf(email: string): string {
  return createHash('sha256').update(email.trim().toLowerCase()).digest('hex').slice(0, 20);
}

export type Shared = CustomerFacts & { creditorId: string; insolvency: InsolvencyFact | null };

export async function loadShared(db: Db | Tx, customerId: string, holidays: HolidaysOf, now: Instant): Promise<Shared> {
  const row = await db
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select([
      'u.creditor_id',
      'u.kind',
      'u.country',
      'u.time_zone',
      'u.address',
      'u.contacts',
      'c.country as creditor_country',
      'c.time_zone as creditor_zone',
      'c.closed_weeks',
      'c.address as creditor_address',
      // Where the creditor has chosen none, the only agency there is.
      sql<string | null>`coalesce(c.default_agency, (select min(id) from agencies
        where creditor_id = c.id and closed_at is null having count(*) = 1))`.as('agency_id'),
      sql<InsolvencyFact | null>`(select jsonb_build_object('judgmentOn', judgment_on, 'outcome', outcome)
        from insolvencies where customer_id = u.id and (status = 'open' or outcome = 'noAssets')
        order by seq desc limit 1)`.as('insolvency'),
      sql<boolean>`exists (select from stopped_addresses where creditor_id = c.id and lifted_at is null)`.as(
        'any_stopped',
      ),
    ])
    .where('u.id', '=', customerId)
    .executeTakeFirstOrThrow();
  const emails = row.contacts.flatMap((p) => (p.email ? [p.email.toLowerCase()] : []));
  const stoppedSet = row.any_stopped ? await stoppedAmong(db, row.creditor_id, emails) : new Set<string>();
  const since = addDays(localDate(now, row.time_zone), -CONTACT_MEMORY_DAYS);
  const contacts = await db
    .selectFrom('contacts')
    .select(['day', 'channel', 'recipient_key'])
    .where('customer_id', '=', customerId)
    .where('day', '>=', since)
    .where('status', 'not in', ['withdrawn', 'failed'])
    .execute();
  const recipients: RecipientFact[] = row.contacts.flatMap((p) =>
    p.email
      ? [{ role: p.role ?? 'billing', key: recipientKeyOf(p.email), usable: !stoppedSet.has(p.email.toLowerCase()) }]
      : [],
  );
  const year = Number(localDate(now, row.time_zone).slice(0, 4));
  const postalCode = row.address?.postalCode ?? null;
  return {
    creditorId: row.creditor_id,
    insolvency: row.insolvency,
    agencyId: row.agency_id,
    customerId,
    kind: row.kind,
    country: row.country,
    zone: row.time_zone,
    creditorZone: row.creditor_zone,
    customerHolidays: holidaySet(holidays, row.country, postalCode, year),
    creditorHolidays: holidaySet(holidays, row.creditor_country, row.creditor_address?.postalCode ?? null, year),
    closedWeeks: row.closed_weeks,
    recipients,
    hasAddress: row.address !== null,
    contacts: contacts.map<ContactFact>((c) => ({
      day: c.day,
      channel: c.channel,
      recipientKey: c.recipient_key,
    })),
    cases: [],
  };
}

async function stoppedAmong(db: Db | Tx, creditorId: string, emails: readonly string[]): Promise<Set<string>> {
  if (emails.length === 0) return new Set();
  const rows = await db
    .selectFrom('stopped_addresses')
    .select('email')
    .where('creditor_id', '=', creditorId)
    .where('lifted_at', 'is', null)
    .where('email', 'in', emails)
    .execute();
  return new Set(rows.map((r) => r.email));
}

const holidaySets = new Map<string, Holidays>();

/** Three years around now: further than any calendar looks that matters. Cached for the life of the process. */
function holidaySet(of: HolidaysOf, country: string, postalCode: string | null, year: number): Holidays {
  const key = `${country}/${postalCode ?? ''}/${year}`;
  let set = holidaySets.get(key);
  if (!set) {
    if (holidaySets.size > 5_000) holidaySets.clear();
    set = new Set(of(country, postalCode, year - 1, year + 3));
    holidaySets.set(key, set);
  }
  return set;
}
