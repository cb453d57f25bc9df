import { describe, expect, test } from 'vitest';
import type { CaseFacts, CustomerFacts, StepFact } from '../../../domain/case/facts.ts';
import { planContacts } from '../../../domain/case/plan-contacts.ts';
import type { LocalDate } from '../../../domain/time/dates.ts';
import { at, customer, invoice, pay, play, policy, type StepDraft } from './builders.ts';

const NOW = at('2026-09-09');

function requested(step: string, plannedOn: LocalDate = '2026-09-09'): StepFact {
  const left = { amountMinor: null, leftOn: null, reanchors: false, reason: null, redraw: false };
  return {
    id: null,
    step,
    occurrence: 1,
    status: 'requested',
    channel: 'email',
    plannedAt: at(plannedOn),
    plannedOn,
    ...left,
  };
}

const asking = (draft: (number | StepDraft)[], step: string, over: Partial<CaseFacts> = {}, rest = {}): CaseFacts =>
  invoice({ policy: policy(draft, rest), steps: [requested(step)], ...over });

const plan = (cases: CaseFacts[], over: Partial<CustomerFacts> = {}, now = NOW) =>
  planContacts(customer(cases, over), now);

const both = {
  recipients: [
    { role: 'billing' as const, key: 'b', usable: true },
    { role: 'manager' as const, key: 'm', usable: true },
  ],
};

describe('what leaves together', () => {
  test('two invoices go in one message; the firmest tone wins and brings its template', () => {
    const { messages, until } = plan([
      asking([{ day: 5, tone: 'courteous' }], 's1'),
      asking([{ day: 5, tone: 'firm', template: 'last-reminder' }], 's1', { balanceMinor: 50_000n }),
    ]);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ kind: 'reminder', tone: 'firm', template: 'last-reminder', day: '2026-09-09' });
    expect(messages[0]!.items.map((i) => i.amountMinor)).toEqual([120_000n, 50_000n]);
    expect(until).toBeNull();
  });

  test('nobody gets two messages a day, also where the addresses only overlap', () => {
    const { messages } = plan(
      [
        asking([{ day: 5, to: ['billing'] }], 's1'),
        asking([{ day: 5, to: ['manager'] }], 's1'),
        asking([{ day: 5, to: ['billing', 'manager'] }], 's1'),
      ],
      both,
    );
    expect(messages.map((m) => m.recipients.to)).toEqual([['b', 'm']]);
    expect(messages[0]!.items).toHaveLength(3);
  });

  test('other recipients and other channels get messages of their own', () => {
    const call = { ...requested('s1'), channel: 'call' as const };
    const { messages } = plan(
      [
        asking([{ day: 5, to: ['billing'] }], 's1'),
        asking([{ day: 5, to: ['manager'] }], 's1'),
        asking([{ day: 5, channel: 'call' }], 's1', { steps: [call] }),
      ],
      both,
    );
    expect(messages.map((m) => m.recipients.recipientKey).sort()).toEqual(['b', 'call', 'm']);
  });

  test('copies are for whoever does not get the message itself', () => {
    const { messages } = plan(
      [asking([{ day: 5, cc: ['manager'] }], 's1'), asking([{ day: 5, to: ['billing', 'manager'] }], 's1')],
      both,
    );
    expect(messages.map((m) => m.recipients)).toEqual([{ to: ['b', 'm'], cc: [], recipientKey: 'b+m' }]);
  });

  test('a note before due is not mixed with an overdue one and tries another day', () => {
    const { messages, until } = plan([asking([-5], 's1', { dueOn: '2026-09-14' }), asking([5], 's1')]);
    expect(messages.map((m) => m.kind)).toEqual(['reminder']);
    // Thursday and Friday are within the gap of three; the 14th is a Monday, and no note leaves on the due date.
    // On that day its case has to look: nothing else would wake it.
    expect(until).toBe(at('2026-09-14', '00:00'));
    const late = plan([asking([-5], 's1', { invoiceId: 'inv_note', dueOn: '2026-09-14' })], {}, until!);
    expect(late).toEqual({ messages: [], until: null, expired: ['inv_note'] });
  });

  test('each item obeys the contact rules of its own policy', () => {
    const contacts = [{ day: '2026-09-08', channel: 'email' as const, recipientKey: 'x' }];
    const free = { contact: { minimumGapDays: 0, maximumPer30Days: 10 } };
    const patient = asking([5], 's1');
    const hasty = asking([5], 's1', {}, free);
    const { messages, until } = plan([patient, hasty], { contacts });
    expect(messages.flatMap((m) => m.items.map((i) => i.invoiceId))).toEqual([hasty.invoiceId]);
    // The gap counts what leaves today.
    expect(until).toBe(at('2026-09-14'));
  });

  test('outside the window nothing leaves', () => {
    expect(plan([asking([5], 's1')], {}, at('2026-09-12', '12:00'))).toEqual({
      messages: [],
      until: at('2026-09-14'),
      expired: [],
    });
    expect(plan([asking([5], 's1')], {}, at('2026-09-09', '18:30')).until).toBe(at('2026-09-10'));
  });
});

describe('what does not leave', () => {
  const nothing = { messages: [], until: null, expired: [] };
  const held = { id: 'h', kind: 'pause' as const, fromOn: '2026-09-09', untilOn: null, liftedOn: null };

  test.each<[string, Partial<CaseFacts>, Record<string, unknown>]>([
    ['held', { holds: [held] }, {}],
    ['disputed whole', { disputes: [{ id: 'd', amountMinor: null, openedOn: '2026-09-08', resolvedOn: null }] }, {}],
    ['paid', { balanceMinor: 0n }, {}],
    ['under the minimum', { balanceMinor: 500n }, { minimumAmount: { EUR: '10.00' } }],
    ['time-barred', { limitationOn: '2026-09-08' }, {}],
    ['not due any more', { dueOn: '2026-09-30' }, {}],
  ])('%s', (_why, over, rest) => {
    expect(plan([asking([5], 's1', over, rest)])).toEqual(nothing);
  });

  test('without an address that works', () => {
    const bounced = { recipients: [{ role: 'billing' as const, key: 'b', usable: false }] };
    expect(plan([asking([5], 's1')], bounced)).toEqual(nothing);
  });
});

test('a thank-you counts for gap and cap but is not delayed by them', () => {
  const free = { thankYou: 'thank-you', contact: { minimumGapDays: 10, maximumPer30Days: 1 } };
  const one = invoice({ policy: policy([5], free) });
  const two = invoice({ policy: policy([7], free) });
  const played = play(customer([one, two]), at('2026-08-05'), at('2026-12-01'), {
    happenings: [pay(at('2026-09-10', '10:00'), 120_000n, one.invoiceId)],
  });
  expect(played.messages.map((m) => `${m.kind} ${m.day}`)).toEqual([
    'reminder 2026-09-09',
    'thankYou 2026-09-10',
    // The cap of one in 30 days counts the thank-you's day.
    'reminder 2026-10-12',
  ]);
});

test('a bounced address stops a request that waits: the step becomes a task', () => {
  const facts = asking([5], 's1', { registeredOn: '2026-08-05' });
  const played = play(
    customer([facts], { recipients: [{ role: 'billing', key: 'b', usable: false }] }),
    NOW,
    at('2026-12-01'),
  );
  expect(played.sent).toEqual([]);
  expect(played.tasks.map((t) => t.task)).toEqual(['missingAddress', 'ladderEnded']);
});
