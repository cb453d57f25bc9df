import type { CalendarLine } from '../domain/case/case-view.ts';
import type { CaseState } from './messages.ts';

/** What the Temporal UI shows of a running case: Markdown with ids, dates, amounts and stable words only. */
export function caseDetails(state: CaseState, upcoming: readonly CalendarLine[]): string {
  const next = state.next
    ? `${state.next.action}${state.next.step ? ` \`${state.next.step}\`` : ''} on ${minute(state.next.at)} (${state.next.reason})`
    : 'nothing by itself: it waits for money, a message or a person';
  const lines = [
    `**Stage** ${state.stage} · **balance** ${state.balance} ${state.currency} · **run** ${state.run}`,
    `**Holds** ${state.holds.length > 0 ? state.holds.join(', ') : 'none'}`,
    `**Next** ${next}`,
  ];
  if (state.done.length > 0 || upcoming.length > 0) {
    lines.push(
      '',
      row(['day', 'step', 'channel', '']),
      '|---|---|---|---|',
      ...state.done.map((l) => row([l.on, l.step, l.channel, l.what])),
      ...upcoming.map((l) => row([l.on, l.step, l.channel, 'to come'])),
    );
  }
  return lines.join('\n');
}

/** The UI sets its tables without any space between columns: two no-break spaces keep them apart. */
const row = (cells: readonly string[]): string => `| ${cells.map((cell) => `${cell}\u00a0\u00a0`).join(' | ')} |`;

const minute = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
