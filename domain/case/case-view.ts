import type { Stage } from './facts.ts';

/** One line of what comes or came, with ids, dates and stable words only. */
export interface CalendarLine {
  on: string;
  step: string;
  channel: string;
}

/** What became of a step: left, failed, merged or skipped. */
export interface DoneLine extends CalendarLine {
  what: string;
}

/** What a case does by itself at its wake-up. `at` is an ISO 8601 instant of business time. */
export interface NextView {
  at: string;
  action: string;
  step: string | null;
  reason: string;
}

/** What the workflow of a case shows of it, and all that it keeps from its turns. */
export interface CaseView {
  stage: Stage;
  closed: boolean;
  /** Decimal string in `currency`. */
  balance: string;
  balanceMinor: string;
  currency: string;
  /** Kinds of the holds that lie over the case, each once. */
  holds: string[];
  /** Business instant of the wake-up, ISO 8601; null where nothing happens by itself. */
  wakeAt: string | null;
  next: NextView | null;
  /** The steps still to come, by their own day. */
  calendar: CalendarLine[];
  done: DoneLine[];
}

/**
 * What differs from the view the workflow has. Every turn's answer stays in Temporal's history for as long as the case
 * runs, while what a local activity is asked leaves no trace there; so the question carries the whole view, and the answer
 * only this. Lines are texts: `day step`, then the channel unless it is e-mail, then what became of it unless it left.
 */
export interface ViewChanges extends Partial<
  Pick<CaseView, 'stage' | 'closed' | 'balance' | 'balanceMinor' | 'currency' | 'holds' | 'wakeAt'>
> {
  /** Absent: the first line of the calendar, at the wake-up. */
  next?: NextView | null;
  /** So many lines at the top of the calendar are no longer to come. */
  passed?: number;
  /** The whole calendar, where more changed than that. */
  calendar?: string[];
  /** So many lines of what is done stay as they were; absent: all. */
  kept?: number;
  /** Lines that come after those. */
  done?: string[];
}

const PLAIN = ['stage', 'closed', 'balance', 'balanceMinor', 'currency', 'holds', 'wakeAt'] as const;

const BEFORE: CaseView = {
  stage: 'upcoming',
  closed: false,
  balance: '',
  balanceMinor: '',
  currency: '',
  holds: [],
  wakeAt: null,
  next: null,
  calendar: [],
  done: [],
};

/** What has to be said to whoever knows `known` (null: nothing) so that they know `now`. */
export function changesOf(known: CaseView | null, now: CaseView): ViewChanges {
  const before = known ?? BEFORE;
  const changes: ViewChanges = {};
  for (const field of PLAIN) {
    if (JSON.stringify(before[field]) !== JSON.stringify(now[field])) Object.assign(changes, { [field]: now[field] });
  }
  if (!isSame(now.next, ordinaryNext(now))) changes.next = now.next;

  const passed = before.calendar.length - now.calendar.length;
  if (passed >= 0 && isSame(before.calendar.slice(passed), now.calendar)) {
    if (passed > 0) changes.passed = passed;
  } else changes.calendar = now.calendar.map((line) => lineText(line));

  const differing = now.done.findIndex((line, index) => !isSame(line, before.done[index]));
  const kept = differing < 0 ? now.done.length : differing;
  if (kept < before.done.length) changes.kept = kept;
  if (kept < now.done.length) changes.done = now.done.slice(kept).map((line) => lineText(line, line.what));
  return changes;
}

/** The inverse of `changesOf`. */
export function withChanges(known: CaseView | null, changes: ViewChanges): CaseView {
  const { next, passed, calendar, kept, done, ...plain } = changes;
  const before = known ?? BEFORE;
  const now: CaseView = {
    ...before,
    ...plain,
    calendar: calendar ? calendar.map((text) => lineOf(text)) : before.calendar.slice(passed ?? 0),
    done: [...before.done.slice(0, kept), ...(done ?? []).map((text) => lineOf(text))],
  };
  return { ...now, calendar: now.calendar.map(withoutOutcome), next: next === undefined ? ordinaryNext(now) : next };
}

/** What nearly every case waits for: the next step of its calendar. */
export function ordinaryNext({ wakeAt, calendar }: Pick<CaseView, 'wakeAt' | 'calendar'>): NextView | null {
  const [line] = calendar;
  if (wakeAt === null || !line) return null;
  return { at: wakeAt, action: line.channel === 'email' ? 'contact' : 'task', step: line.step, reason: 'stepDue' };
}

function lineText({ on, step, channel }: CalendarLine, what = 'left'): string {
  if (what !== 'left') return `${on} ${step} ${channel} ${what}`;
  return channel === 'email' ? `${on} ${step}` : `${on} ${step} ${channel}`;
}

function lineOf(text: string): DoneLine {
  const [on = '', step = '', channel = 'email', what = 'left'] = text.split(' ');
  return { on, step, channel, what };
}

const withoutOutcome = ({ on, step, channel }: CalendarLine): CalendarLine => ({ on, step, channel });

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
