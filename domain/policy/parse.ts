import { DomainError } from '../errors.ts';
import { Faults, Form } from './form.ts';
import { StepOrder } from './step-order.ts';
import { isBeforeDue } from './steps.ts';
import { isTemplateName, TEMPLATE_NAMES, TEMPLATES } from './templates.ts';
import {
  CONTACT_ROLES,
  TONES,
  type Channel,
  type ContactWindow,
  type FormalNoticePolicy,
  type InterestPolicy,
  type PlacementPolicy,
  type Policy,
  type Step,
  type StepAnchor,
  type WriteOffPolicy,
} from './types.ts';
import { parseWeekdays } from './weekdays.ts';

export { policyDocument } from './document.ts';
export { isBeforeDue, stepByKey, validateStepOf } from './steps.ts';

const CHANNELS = ['email', 'call', 'letter', 'registeredLetter'] as const satisfies readonly Channel[];
const NOTICE_CHANNELS = ['registeredLetter', 'letter', 'email'] as const satisfies readonly Channel[];
const ANCHORS = ['due', 'issued', 'previous'] as const satisfies readonly StepAnchor[];
const APPROVERS = ['approver', 'operator'] as const;

const MAX_STEPS = 30;
const FIRST_DAY = -60;
const LAST_DAY = 730;

/** Letters, digits, dot, underscore and hyphen: a name stands in a path, a key beside others in one text. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}$/;
const STEP_KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,39}$/;
/** Values of `interest.claim` that are not the key of a step. */
const CLAIM_WORDS = ['never', 'always', 'fromNotice'];

/**
 * What stands in for a part that is absent. The contact window, gap and cap are those of reference law section 10:
 * Monday to Friday 08:30 to 18:30 of the customer, one message in 72 hours, four in 30 days.
 */
export const DEFAULTS = {
  entry: 'first',
  late: 'merge',
  noAddress: 'task',
  call: { retryWorkingDays: 2, attempts: 3 },
  promise: { graceDays: 2, maxDays: 30, maxBroken: 2 },
  dispute: { reviewDays: 10 },
  plan: { maxInstalments: 12, graceDays: 5 },
  unappliedCash: { holdShare: '0.5', holdWorkingDays: 3 },
  contact: {
    weekdays: [1, 2, 3, 4, 5],
    from: '08:30',
    to: '18:30',
    minimumGapDays: 3,
    maximumPer30Days: 4,
    holidays: 'customer',
  },
} as const;

/** `contact: null`: at any hour of any day, as often as the steps say. The cap is the greatest that can be written. */
const NO_LIMITS: ContactWindow = {
  weekdays: [1, 2, 3, 4, 5, 6, 7],
  from: '00:00',
  to: '24:00',
  minimumGapDays: 0,
  maximumPer30Days: 10_000,
  holidays: 'none',
};

/** Days from the last step to the formal notice where its day is not given. */
const NOTICE_AFTER_LAST_STEP = 15;
const NOTICE_DAY = 40;

/**
 * Reads a policy as a creditor writes it (api.md, "A policy") and fills in every default. Only `name` and `steps` are
 * required. Absent is not the same as `null`:
 *
 * | field | absent | `null` |
 * |---|---|---|
 * | `entry`, `late`, `noAddress` | `first`, `merge`, `task` | the same |
 * | `call` | again after 2 working days, 3 attempts | one attempt |
 * | `promise` | grace 2 days, up to 30 days ahead, 2 broken | promises hold nothing |
 * | `dispute`, `plan`, `unappliedCash` | review in 10 days; 12 instalments, grace 5; half of what is overdue, 3 working days | off |
 * | `thankYou`, `formalNotice`, `placement`, `writeOff`, `interest` | off | off |
 * | `tolerance`, `minimumAmount` | none | none |
 * | `approvalAbove` | nobody is asked | nobody is asked |
 * | `contact` | Monday to Friday 08:30-18:30, gap 3, cap 4, the customer's holidays | no limits |
 *
 * Throws `invalidPolicy` with every fault found, each with an RFC 6901 pointer and a stable code.
 */
export function parsePolicy(input: unknown): Policy {
  const faults = new Faults();
  const form = Form.of(input, '', faults);
  const policy = form && readPolicy(form);
  if (policy && faults.list.length === 0) return policy;
  const [first, ...others] = faults.list;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const where = first?.pointer ? `${first.pointer}: ` : '';
  throw new DomainError('invalidPolicy', `The policy is not valid: ${where}${first?.message}${more}`, faults.list);
}

function readPolicy(form: Form): Policy {
  form.required('name', 'steps');
  const order = new StepOrder();
  const name = form.text('name', NAME, '1 to 60 letters, digits, ".", "_" and "-"', '');
  const steps = readSteps(form, order);
  const policy: Policy = {
    name,
    entry: optionalChoice(form, 'entry', ['first', 'byAge', 'hold'], DEFAULTS.entry),
    late: optionalChoice(form, 'late', ['merge', 'skip', 'shift'], DEFAULTS.late),
    steps,
    noAddress: optionalChoice(form, 'noAddress', ['task', 'letter'], DEFAULTS.noAddress),
    call: form.part('call', { ...DEFAULTS.call }, { retryWorkingDays: 1, attempts: 1 }, (part) => ({
      retryWorkingDays: part.whole('retryWorkingDays', 1, 30, DEFAULTS.call.retryWorkingDays),
      attempts: part.whole('attempts', 1, 10, DEFAULTS.call.attempts),
    })),
    thankYou: form.choiceOrNull('thankYou', ['thank-you'], null),
    formalNotice: form.part<FormalNoticePolicy | null>('formalNotice', null, null, (part) => readNotice(part, order)),
    placement: form.part<PlacementPolicy | null>('placement', null, null, (part) => ({
      daysAfterNotice: part.whole('daysAfterNotice', 0, 365, 15),
      approval: part.choiceOrNull('approval', APPROVERS, 'approver'),
    })),
    writeOff: form.part<WriteOffPolicy | null>('writeOff', null, null, (part) => ({
      afterPlacementDays: part.whole('afterPlacementDays', 0, 3650, 180),
      below: part.amounts('below'),
      approval: part.choiceOrNull('approval', APPROVERS, 'approver'),
    })),
    promise: form.part<Policy['promise']>('promise', { ...DEFAULTS.promise }, null, (part) => ({
      graceDays: part.whole('graceDays', 0, 60, DEFAULTS.promise.graceDays),
      maxDays: part.whole('maxDays', 1, 365, DEFAULTS.promise.maxDays),
      maxBroken: part.whole('maxBroken', 0, 20, DEFAULTS.promise.maxBroken),
    })),
    dispute: form.part<Policy['dispute']>('dispute', { ...DEFAULTS.dispute }, null, (part) => ({
      reviewDays: part.whole('reviewDays', 1, 365, DEFAULTS.dispute.reviewDays),
    })),
    plan: form.part<Policy['plan']>('plan', { ...DEFAULTS.plan }, null, (part) => ({
      maxInstalments: part.whole('maxInstalments', 1, 120, DEFAULTS.plan.maxInstalments),
      graceDays: part.whole('graceDays', 0, 60, DEFAULTS.plan.graceDays),
    })),
    unappliedCash: form.part<Policy['unappliedCash']>('unappliedCash', { ...DEFAULTS.unappliedCash }, null, (part) => ({
      holdShare: part.text('holdShare', SHARE, 'a decimal from "0" to "1"', DEFAULTS.unappliedCash.holdShare),
      holdWorkingDays: part.whole('holdWorkingDays', 1, 60, DEFAULTS.unappliedCash.holdWorkingDays),
    })),
    tolerance: form.amounts('tolerance'),
    interest: form.part<InterestPolicy | null>('interest', null, null, (part) => readInterest(part, steps)),
    contact: form.part<ContactWindow>('contact', { ...DEFAULTS.contact }, NO_LIMITS, readContact),
    minimumAmount: form.amounts('minimumAmount'),
    approvalAbove: form.amountsOrNull('approvalAbove'),
  };
  form.close();
  return policy;
}

const SHARE = /^(0(\.\d{1,6})?|1(\.0{1,6})?)$/;
/** Not 0: who claims no interest says so by `claim`, and a clause of 0 % is for a lawyer. */
const RATE = /^(?=.*[1-9])(\d{1,2}(\.\d{1,6})?|100(\.0{1,6})?)$/;
const TIME = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** For the fields that are no branch and cannot be off: `null` means what their absence means. */
function optionalChoice<T extends string>(form: Form, field: string, words: readonly T[], otherwise: T): T {
  return form.choiceOrNull(field, words, otherwise) ?? otherwise;
}

function readSteps(form: Form, order: StepOrder): Step[] {
  const value = form.raw('steps');
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    form.fault('steps', 'wrongType', `"steps" is a list of 1 to ${MAX_STEPS} steps.`);
    return [];
  }
  if (value.length === 0) form.fault('steps', 'tooFewItems', 'A policy has at least one step.');
  if (value.length > MAX_STEPS) form.fault('steps', 'tooManyItems', `A policy has at most ${MAX_STEPS} steps.`);

  const steps: Step[] = [];
  const keys = new Set<string>();
  for (const [index, item] of value.slice(0, MAX_STEPS).entries()) {
    const part = Form.of(item, `${form.at('steps')}/${index}`, form.faults);
    if (!part) continue;
    const faultsBefore = form.faults.list.length;
    const step = readStep(part, index);
    if (keys.has(step.key)) part.fault('key', 'duplicate', `Another step has the key "${step.key}" already.`);
    if (step.key) keys.add(step.key);
    // A step whose own fields are wrong says nothing reliable about its place.
    const wrongPlace = form.faults.list.length === faultsBefore ? order.next(step) : null;
    if (wrongPlace) part.fault('day', 'stepOrder', wrongPlace);
    steps.push(step);
  }
  return steps;
}

function readStep(form: Form, index: number): Step {
  const faultsBefore = form.faults.list.length;
  form.required('key', 'day', 'channel', 'template');
  const from = form.choice('from', ANCHORS, 'due');
  const step: Step = {
    key: form.text('key', STEP_KEY, '1 to 40 letters, digits, ".", "_" and "-"', ''),
    day: form.whole('day', firstDayFrom(from), LAST_DAY, LAST_DAY),
    from,
    channel: form.choice('channel', CHANNELS, 'email'),
    template: form.text('template', /^/, 'the name of a template', ''),
    tone: form.choice('tone', TONES, 'neutral'),
    to: form.choices('to', CONTACT_ROLES, 1, ['billing']),
    cc: form.choices('cc', CONTACT_ROLES, 0, []),
    attachInvoice: form.flag('attachInvoice', false),
  };
  form.close();

  if (CLAIM_WORDS.includes(step.key)) {
    form.fault(
      'key',
      'formatInvalid',
      `"${step.key}" has a meaning of its own in "interest.claim"; choose another key.`,
    );
  }
  if (from === 'previous' && index === 0) {
    form.fault('from', 'previousWithoutStep', 'The first step has no previous step to count from.');
  }
  if (typeof form.raw('template') === 'string') {
    // Whether a text fits its step can be told only where the step itself is right.
    checkTemplate(form, step, form.faults.list.length === faultsBefore);
  }
  return step;
}

/** Nothing is said of an invoice before it is issued, and two steps of one case never leave on one day. */
function firstDayFrom(anchor: StepAnchor): number {
  if (anchor === 'previous') return 1;
  return anchor === 'issued' ? 0 : FIRST_DAY;
}

function checkTemplate(form: Form, step: Step, stepIsRight: boolean): void {
  const name = step.template;
  if (!isTemplateName(name)) {
    form.fault('template', 'unknownTemplate', `There is no such template; there are: ${TEMPLATE_NAMES.join(', ')}.`);
    return;
  }
  if (!stepIsRight) return;
  const fit = TEMPLATES[name];
  if (fit.use !== 'step') {
    form.fault('template', 'templateUnfit', `The template "${name}" is not for a step.`);
  } else if (!fit.channels.includes(step.channel)) {
    form.fault(
      'template',
      'templateUnfit',
      `The template "${name}" goes by ${fit.channels.join(', ')}, not by ${step.channel}.`,
    );
  } else if (name === 'before-due' && (step.from === 'previous' || (step.from === 'due' && step.day >= 0))) {
    form.fault('template', 'templateUnfit', 'A note before the due date needs a day before it, such as -5 from "due".');
  } else if (name !== 'before-due' && name !== 'call-script' && isBeforeDue(step)) {
    form.fault(
      'template',
      'templateUnfit',
      `"${name}" speaks of a late invoice; before the due date use "before-due".`,
    );
  }
}

/** Comes after the whole ladder. Its day, where not given, is 15 days after the last step as far as that is known. */
function readNotice(form: Form, order: StepOrder): FormalNoticePolicy {
  const from = form.choice('from', ANCHORS, 'due');
  const ladderEnd = order.reached(from);
  const usualDay = ladderEnd === null ? NOTICE_DAY : Math.max(ladderEnd, 0) + NOTICE_AFTER_LAST_STEP;
  const notice: FormalNoticePolicy = {
    day: form.whole('day', 1, LAST_DAY, Math.min(usualDay, LAST_DAY)),
    from,
    channel: form.choice('channel', NOTICE_CHANNELS, 'registeredLetter'),
    template: form.choice('template', ['formal-notice'], 'formal-notice'),
    deadlineDays: form.whole('deadlineDays', 1, 90, 8),
    dispatchDays: form.whole('dispatchDays', 0, 30, 3),
    emailCopy: form.flag('emailCopy', false),
    approval: form.choiceOrNull('approval', APPROVERS, 'approver'),
  };
  if (notice.emailCopy && notice.channel === 'email') {
    form.fault('emailCopy', 'templateUnfit', 'Only a letter has a copy by e-mail; this notice goes by e-mail itself.');
  }
  if (ladderEnd !== null && notice.day <= ladderEnd) {
    form.fault(
      'day',
      'stepOrder',
      `The formal notice follows the last step, which leaves on day ${ladderEnd} or later.`,
    );
  }
  return notice;
}

function readInterest(form: Form, steps: readonly Step[]): InterestPolicy {
  const claim = form.text('claim', STEP_KEY, `${CLAIM_WORDS.join(', ')} or the key of a step`, 'fromNotice');
  if (!CLAIM_WORDS.includes(claim) && !steps.some((step) => step.key === claim)) {
    form.fault('claim', 'unknownStep', `"${claim}" is neither ${CLAIM_WORDS.join(', ')} nor the key of a step.`);
  }
  const rate = form.raw('contractRate') ?? null;
  return {
    claim,
    whenPrincipalPaid: form.choice('whenPrincipalPaid', ['waive', 'claim'], 'waive'),
    contractRate:
      rate === null ? null : form.text('contractRate', RATE, 'per cent a year, more than "0", up to "100"', '1'),
    minimum: form.amounts('minimum'),
  };
}

function readContact(form: Form): ContactWindow {
  const usual = DEFAULTS.contact;
  const window: ContactWindow = {
    weekdays: readWeekdays(form),
    from: form.text('from', TIME, 'a time HH:MM from 00:00 to 24:00', usual.from),
    to: form.text('to', TIME, 'a time HH:MM from 00:00 to 24:00', usual.to),
    minimumGapDays: form.whole('minimumGapDays', 0, 365, usual.minimumGapDays),
    maximumPer30Days: form.whole('maximumPer30Days', 1, NO_LIMITS.maximumPer30Days, usual.maximumPer30Days),
    holidays: form.choice('holidays', ['customer', 'creditor', 'none'], usual.holidays),
  };
  if (window.from >= window.to) {
    const field = form.has('to') ? 'to' : 'from';
    form.fault(field, 'windowEmpty', `The window from ${window.from} to ${window.to} is empty: "from" is before "to".`);
  }
  return window;
}

function readWeekdays(form: Form): readonly number[] {
  const text = form.text('days', /^/, 'weekdays such as "mon-fri" or "mon,wed,fri"', 'mon-fri');
  const weekdays = parseWeekdays(text);
  if (!weekdays)
    form.fault('days', 'formatInvalid', '"days" is weekdays such as "mon-fri", "mon-sun" or "mon,wed,fri".');
  return weekdays ?? DEFAULTS.contact.weekdays;
}
