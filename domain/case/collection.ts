import { nextMomentOnOrAfterDay } from '../time/contact-window.ts';
import type { LocalDate } from '../time/dates.ts';
import { addWorkingDays } from '../time/working-days.ts';
import type { Instant } from '../time/zones.ts';
import type { CaseFacts, CustomerFacts } from './facts.ts';
import { calendarOf } from './moments.ts';

/** Working days after the collection date after which a missing direct debit becomes a person's task (api.md). */
const COLLECTION_WORKING_DAYS = 5;

/** The day on which the money was last expected: asked again, else agreed, else due. */
const expectedOn = ({ collection, dueOn }: CaseFacts): LocalDate => collection.askedOn ?? collection.on ?? dueOn;

/** The key under which `tasksOpened` remembers a task about one collection date. */
export const collectionTaskKey = (facts: CaseFacts): string => `collectionMissing:${expectedOn(facts)}`;

/** Whether the money is still expected by direct debit: such an invoice is chased only after that failed. */
export function isCollecting({ collection }: CaseFacts): boolean {
  return collection.method === 'directDebit' && collection.failedOn === null;
}

/** When the silence of a direct debit becomes a task; null when it has, or no day is free for more than a year. */
export function collectionMissingAt(facts: CaseFacts, customer: CustomerFacts): Instant | null {
  if (facts.tasksOpened.includes(collectionTaskKey(facts))) return null;
  const day = addWorkingDays(expectedOn(facts), COLLECTION_WORKING_DAYS, customer.customerHolidays);
  return nextMomentOnOrAfterDay(day, calendarOf(customer, facts.policy.contact));
}
