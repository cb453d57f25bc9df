import { amountFor } from '../money.ts';
import { localDate, type Instant } from '../time/zones.ts';
import { applyAct } from './apply.ts';
import { beyondLadder, ladderEndsAt, repeatsForNothing } from './beyond-ladder.ts';
import { chooseStep } from './choose-step.ts';
import type { Act, Decision, NextAction } from './decision.ts';
import type { CaseFacts, StepFact } from './facts.ts';
import { ladder, wasContacted, type Rung } from './ladder.ts';
import { channelOf, wayOf } from './moments.ts';
import { act, action, isBelowMinimum, lookAgain, nextOf, taskAt, tomorrowsLook, wait, type View } from './view.ts';

/** The course of a case along the steps of its policy: what waits with outreach, and what comes next. */

/**
 * A request is with outreach, or queued. Leaving does not wake the case: it looks again when, had the open one left as
 * planned, the next thing is to be done. If it has not left by then, it is overtaken.
 */
export function waitWithOpenStep(view: View, open: StepFact): Decision {
  const { facts, now, today } = view;
  if (open.status === 'requested') {
    const reason = whyNoLonger(view, open);
    if (reason !== null) return act({ act: 'withdrawRequest', step: open.step, reason, on: today });
  }
  const after = afterOpenStep(view, open);
  if (after.at !== null && after.at > now)
    return wait(view, after.at, nextOf(open.plannedAt, action(open), open, 'stepDue'));
  if (open.status === 'requested' && after.into !== null) {
    const { step, channel, plannedAt, plannedOn } = open;
    const acts: Act[] = [{ act: 'withdrawRequest', step, reason: 'overtaken', on: today }];
    if (wasContacted(facts) && facts.policy.late !== 'shift') {
      acts.push({ act: 'mergeStep', step, channel, plannedAt, plannedOn, into: after.into });
    }
    return { decision: 'act', acts };
  }
  // Still not gone: every day on which it might is worth a look.
  return wait(view, tomorrowsLook(view), nextOf(open.plannedAt, action(open), open, 'stepDue'));
}

/** Why a request cannot stand as it was asked; null while it can. */
function whyNoLonger(view: View, open: StepFact): string | null {
  const { facts, customer, here, now, today } = view;
  const rung = ladder(facts, today).find((r) => r.step.key === open.step);
  if (!rung) return 'policyChanged';
  if (rung.ownDay !== null && rung.ownDay > localDate(now, customer.zone)) return 'dueDateMoved';
  if (channelOf(customer, facts.policy, rung.step) !== open.channel) return 'addressChanged';
  if (repeatsForNothing(facts, open, here.asksMinor)) return 'amountChanged';
  return isBelowMinimum(facts, here) ? 'belowMinimum' : null;
}

/** When the case has its next thing to do if the open step leaves as planned, and which step that would be. */
function afterOpenStep(view: View, open: StepFact): { at: Instant | null; into: string | null } {
  const { now, today, open: _, ...rest } = view;
  const step = rest.facts.policy.steps.find((s) => s.key === open.step);
  const way = step ? wayOf(rest.customer, rest.facts.policy, step) : { channel: open.channel, recipientKey: '' };
  const customer = { ...rest.customer, contacts: [...rest.customer.contacts, { ...way, day: open.plannedOn }] };
  let facts: CaseFacts = {
    ...rest.facts,
    steps: rest.facts.steps.map((s) => (s === open ? { ...s, status: 'left' as const, leftOn: s.plannedOn } : s)),
  };
  for (;;) {
    const rungs = ladder(facts, today);
    const choice = chooseStep(facts, customer, rungs, now);
    switch (choice.do) {
      case 'leave':
        return { at: choice.at, into: choice.rung.step.key };
      case 'end':
        return { at: ladderEndsAt({ ...view, facts, customer }, rungs), into: null };
      case 'never':
        return { at: null, into: null };
      case 'drop':
        facts = choice.acts.reduce(applyAct, facts);
    }
  }
}

export function nextOnLadder(view: View): Decision {
  const { facts, customer, here, now, today } = view;
  const redraw = facts.steps.find((s) => s.redraw && s.status === 'left');
  if (redraw && !isBelowMinimum(facts, here)) return act({ act: 'redrawTask', step: redraw.step });

  const rungs = ladder(facts, today);
  const choice = chooseStep(facts, customer, rungs, now);
  switch (choice.do) {
    case 'end':
      return beyondLadder(view, rungs);
    case 'drop':
      return waitToDrop(view, choice) ?? act(...choice.acts);
    case 'never':
      return wait(view, lookAgain(now), null);
    case 'leave': {
      const way = howItLeaves(view, rungs, choice.rung);
      if (choice.at > now) return wait(view, choice.at, foreseen(choice.at, choice.rung, way));
      return { decision: 'act', acts: leaveNow(view, way, choice.rung, choice.merged, choice.reanchors) };
    }
  }
}

/**
 * A note for which no day is free is kept until its due date begins, or until what follows it may leave: the due date may
 * move, and it must not matter whether the case happened to look before it did. What is next is what follows. Null once
 * the note can go.
 */
function waitToDrop(view: View, { acts, notBefore }: { acts: Act[]; notBefore?: Instant }): Decision | null {
  if (notBefore === undefined || notBefore <= view.now) return null;
  const without = nextOnLadder({ ...view, facts: acts.reduce(applyAct, view.facts) });
  if (without.decision !== 'wait') return null;
  return wait(view, Math.min(notBefore, without.until ?? notBefore), without.next);
}

/** How a step goes out once its moment has come, or why it does not. */
type Leaving =
  | { how: 'request' | 'askApproval'; channel: StepFact['channel'] }
  | { how: 'skip'; reason: 'belowMinimum' | 'noAddress' | 'firstContact' };

export function howItLeaves({ facts, customer, here }: View, rungs: readonly Rung[], rung: Rung): Leaving {
  const { policy, currency, approvedSteps } = facts;
  if (isBelowMinimum(facts, here)) return { how: 'skip', reason: 'belowMinimum' };
  const channel = channelOf(customer, policy, rung.step);
  if (channel === null) return { how: 'skip', reason: 'noAddress' };
  if (warnsStranger(facts, rungs, rung)) return { how: 'skip', reason: 'firstContact' };
  if (policy.approvalAbove === null || approvedSteps.includes(rung.step.key)) return { how: 'request', channel };
  // An `approvalAbove` that lacks the currency asks always (api.md).
  const ceiling = amountFor(policy.approvalAbove, currency);
  return { how: ceiling === null || here.asksMinor > ceiling ? 'askApproval' : 'request', channel };
}

function foreseen(at: Instant, rung: Rung, way: Leaving): NextAction | null {
  const { key } = rung.step;
  if (way.how === 'skip') return way.reason === 'noAddress' ? { ...taskAt(at, 'missingAddress'), step: key } : null;
  const { channel } = way;
  if (way.how === 'askApproval') return { at, action: 'approval', step: key, channel, reason: 'approvalAbove' };
  return { at, action: action(way), step: key, channel, reason: 'stepDue' };
}

function leaveNow(view: View, way: Leaving, rung: Rung, merged: readonly Rung[], reanchors: boolean): Act[] {
  const { facts, customer, here, now, today } = view;
  const planned = { plannedAt: now, plannedOn: localDate(now, customer.zone) };
  const { key: step } = rung.step;
  if (way.how === 'skip') {
    // What would have been merged into it has no better fate.
    const skipped = [...merged, rung].map<Act>((r) => ({
      act: 'skipStep',
      step: r.step.key,
      channel: r.step.channel,
      ...planned,
      reason: way.reason,
    }));
    return way.reason === 'noAddress'
      ? [...skipped, { act: 'openTask', task: 'missingAddress', step, on: today }]
      : skipped;
  }
  return [
    ...merged.map<Act>((r) => ({
      act: 'mergeStep',
      step: r.step.key,
      channel: r.step.channel,
      ...planned,
      into: step,
    })),
    {
      act: way.how,
      step,
      occurrence: 1 + facts.steps.filter((s) => s.step === step).length,
      channel: way.channel,
      ...planned,
      reanchors,
      asksMinor: here.asksMinor,
      on: today,
    },
  ];
}

/** Nobody's first contact is a last warning, also where the milder steps found no address. */
function warnsStranger(facts: CaseFacts, rungs: readonly Rung[], rung: Rung): boolean {
  const milderBefore = rungs.some((r) => !r.beforeDue && r.index < rung.index);
  return milderBefore && rung.step.tone === 'final' && !wasContacted(facts);
}
