import type { LocalDate } from '../domain/time/dates.ts';
import { Problem } from './problem.ts';

/** A day that has come, `today` where none is named; any later one is refused at `pointer`. */
export function dayUpTo(today: LocalDate, day: LocalDate | undefined, pointer: string): LocalDate {
  if (day === undefined || day <= today) return day ?? today;
  const message = `Today is ${today}.`;
  throw new Problem('futureDate', 'What will be on a later day is not known yet.', {
    faults: [{ pointer, code: 'futureDate', message }],
  });
}

/** A period up to `to` (default today) from `from` (default 1 January of its year), both counted. */
export function periodUpTo(
  today: LocalDate,
  asked: { from?: LocalDate | undefined; to?: LocalDate | undefined },
): { from: LocalDate; to: LocalDate } {
  const to = dayUpTo(today, asked.to, '/to');
  const from = asked.from ?? `${to.slice(0, 4)}-01-01`;
  if (from <= to) return { from, to };
  const message = 'The period begins after it ends.';
  throw new Problem('periodInvalid', message, { faults: [{ pointer: '/from', code: 'periodInvalid', message }] });
}
