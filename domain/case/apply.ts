import type { LocalDate } from '../time/dates.ts';
import type { Instant } from '../time/zones.ts';
import type { Act, CaseTaskKind } from './decision.ts';
import type { CaseFacts, StepFact } from './facts.ts';
import { approvalKey, FORMAL_NOTICE, PLACEMENT, WRITE_OFF } from './requests.ts';
import { collectionTaskKey } from './collection.ts';
import { warningKey, warningOf } from './limitation-warnings.ts';
import { onceKey } from './once.ts';

/**
 * The facts after an act was carried out. The turn and every forecast use this same function, so that what is foretold
 * and what is decided cannot drift apart. Returns a new object; `facts` is left as it is.
 */
export function applyAct(facts: CaseFacts, act: Act): CaseFacts {
  switch (act.act) {
    case 'keepPromise':
    case 'breakPromise': {
      const status = act.act === 'keepPromise' ? ('kept' as const) : ('broken' as const);
      const promises = facts.promises.map((p) => (p.id === act.promiseId ? { ...p, status, endedOn: act.on } : p));
      return released({ ...facts, promises }, act.at);
    }
    case 'endHold':
      return released(
        { ...facts, holds: facts.holds.map((h) => (h.id === act.holdId ? { ...h, liftedOn: act.on } : h)) },
        act.at,
      );
    case 'skipStep':
    case 'mergeStep':
      return withStep(facts, {
        id: null,
        step: act.step,
        occurrence: nextOccurrence(facts, act.step),
        status: act.act === 'skipStep' ? 'skipped' : 'merged',
        channel: act.channel,
        plannedAt: act.plannedAt,
        plannedOn: act.plannedOn,
        amountMinor: null,
        leftOn: null,
        reanchors: false,
        reason: act.act === 'skipStep' ? act.reason : null,
        redraw: false,
      });
    case 'request':
    case 'askApproval': {
      const asked = withStep(facts, {
        id: null,
        step: act.step,
        occurrence: act.occurrence,
        status: act.act === 'request' ? 'requested' : 'awaitingApproval',
        channel: act.channel,
        plannedAt: act.plannedAt,
        plannedOn: act.plannedOn,
        amountMinor: act.asksMinor,
        leftOn: null,
        reanchors: act.reanchors,
        reason: null,
        redraw: false,
      });
      return act.act === 'request' ? asked : holdForApproval(asked, act.on);
    }
    case 'withdrawRequest':
      // What a person said was said of this question: the next one, for another amount, is put to them again.
      return {
        ...liftApproval(facts, act.on),
        approvalAnswer: null,
        approvalAgencyId: null,
        steps: facts.steps.filter((s) => !(s.step === act.step && isWaiting(s))),
      };
    case 'approve':
      return {
        ...liftApproval(released(facts, act.at), act.on),
        steps: facts.steps.map((s) =>
          s.step === act.step && s.status === 'awaitingApproval'
            ? { ...s, status: 'requested' as const, plannedAt: act.plannedAt, plannedOn: act.plannedOn }
            : s,
        ),
        approvedSteps: [...facts.approvedSteps, approvalKey(act.step, amountAskedBy(facts, act.step))],
        approvalAnswer: null,
      };
    case 'refuse':
      return {
        ...liftApproval(released(facts, act.at), act.on),
        steps: facts.steps.map((s) =>
          s.step === act.step && s.status === 'awaitingApproval'
            ? { ...s, status: 'skipped' as const, reason: 'refused' }
            : s,
        ),
        approvalAnswer: null,
      };
    case 'keepPlan':
    case 'breakPlan': {
      const status = act.act === 'keepPlan' ? ('kept' as const) : ('broken' as const);
      const plans = facts.plans.map((p) => (p.id === act.planId ? { ...p, status, endedOn: act.on } : p));
      const holds = facts.holds.map((h) => (h.kind === 'plan' && h.liftedOn === null ? { ...h, liftedOn: act.on } : h));
      return released({ ...facts, plans, holds }, act.at);
    }
    case 'place':
      return {
        ...takeBranch(facts, PLACEMENT, act.asksMinor, act.on, act.at),
        placement: { id: '', status: 'active', placedOn: act.on, endedOn: null },
      };
    case 'writeOff':
      return {
        ...takeBranch(facts, WRITE_OFF, act.balanceMinor, act.on, act.at),
        balanceMinor: facts.balanceMinor - act.balanceMinor,
        movements: [...facts.movements, { on: act.on, amountMinor: -act.balanceMinor, kind: 'writeOff' }],
      };
    case 'redrawTask':
      return { ...facts, steps: facts.steps.map((s) => (s.step === act.step ? { ...s, redraw: false } : s)) };
    case 'openTask': {
      return { ...facts, tasksOpened: [...facts.tasksOpened, rememberedAs(facts, act.task, act.on)] };
    }
  }
}

function rememberedAs(facts: CaseFacts, task: CaseTaskKind, on: LocalDate): string {
  if (task === 'collectionMissing') return collectionTaskKey(facts);
  const warning = task === 'limitationNear' ? warningOf(facts, on) : null;
  return warning === null ? onceKey(facts, task) : warningKey(warning.on, warning.days);
}

/** A branch that needs no message is taken at once: the approval it waited for, or a record of its own, has left. */
function takeBranch(facts: CaseFacts, step: string, amountMinor: bigint, on: LocalDate, at: Instant): CaseFacts {
  const free = liftApproval(released(facts, at), on);
  const waiting = free.steps.some((s) => s.step === step && s.status === 'awaitingApproval');
  const steps = waiting
    ? free.steps.map((s) =>
        s.step === step && s.status === 'awaitingApproval' ? { ...s, status: 'left' as const, leftOn: on } : s,
      )
    : [
        ...free.steps,
        {
          id: null,
          step,
          occurrence: nextOccurrence(free, step),
          status: 'left' as const,
          channel: 'letter' as const,
          plannedAt: at,
          plannedOn: on,
          amountMinor,
          leftOn: on,
          reanchors: false,
          reason: null,
          redraw: false,
        },
      ];
  return { ...free, steps, approvalAnswer: null, approvalAgencyId: null };
}

/** A message has left. The formal notice begins its deadline with it: by mail at once, by post once it is handed over. */
export function applyLeft(
  facts: CaseFacts,
  { step, occurrence, amountMinor }: { step: string; occurrence: number; amountMinor: bigint },
  day: LocalDate,
): CaseFacts {
  let channel: StepFact['channel'] = 'email';
  const steps = facts.steps.map((s) => {
    if (s.step !== step || s.occurrence !== occurrence || s.status !== 'requested') return s;
    channel = s.channel;
    return { ...s, status: 'left' as const, leftOn: day, amountMinor };
  });
  if (step !== FORMAL_NOTICE) return { ...facts, steps };
  const dispatchedOn = channel === 'email' ? day : null;
  return { ...facts, steps, notice: { leftOn: day, dispatchedOn, deliveredOn: null } };
}

const amountAskedBy = (facts: CaseFacts, step: string): bigint | null =>
  facts.steps.find((s) => s.step === step && s.status === 'awaitingApproval')?.amountMinor ?? null;

const isWaiting = (s: StepFact): boolean => s.status === 'requested' || s.status === 'awaitingApproval';

function nextOccurrence(facts: CaseFacts, step: string): number {
  return 1 + facts.steps.filter((s) => s.step === step).length;
}

/** Nothing counts as missed before the case was free again. */
const released = (facts: CaseFacts, at: Instant): CaseFacts => ({
  ...facts,
  releasedAt: Math.max(facts.releasedAt, at),
});

const withStep = (facts: CaseFacts, step: StepFact): CaseFacts => ({ ...facts, steps: [...facts.steps, step] });

/** In a forecast the approval's hold has no id of its own. */
const APPROVAL = 'approval';

function holdForApproval(facts: CaseFacts, on: LocalDate): CaseFacts {
  const hold = { id: APPROVAL, kind: 'approval' as const, fromOn: on, untilOn: null, liftedOn: null };
  return { ...facts, holds: [...facts.holds, hold] };
}

function liftApproval(facts: CaseFacts, on: LocalDate): CaseFacts {
  return {
    ...facts,
    holds: facts.holds.map((h) => (h.kind === 'approval' && h.liftedOn === null ? { ...h, liftedOn: on } : h)),
  };
}
