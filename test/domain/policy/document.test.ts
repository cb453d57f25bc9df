import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBeforeDue, parsePolicy, policyDocument } from '../../../domain/policy/parse.ts';
import { PRESET_NAMES, PRESETS, presetFor } from '../../../domain/policy/presets.ts';
import { TEMPLATE_NAMES, TEMPLATES } from '../../../domain/policy/templates.ts';
import { formatWeekdays, parseWeekdays } from '../../../domain/policy/weekdays.ts';

/** Wire documents that are valid: ladders from the due date with every part absent, null or partly written. */
const amounts = fc.dictionary(fc.constantFrom('EUR', 'GBP', 'JPY'), fc.nat(9999).map(String));
const part = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<object | null> =>
  fc.option(fc.record(shape, { requiredKeys: [] }));
const weekdays = fc
  .uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 })
  .map((days) => days.sort((a, b) => a - b));
const approval = fc.constantFrom('approver', 'operator', null);
const roles = fc.uniqueArray(fc.constantFrom('billing', 'accounting', 'legal'), { minLength: 1 });
const steps = fc.uniqueArray(fc.integer({ min: -60, max: 300 }), { minLength: 1, maxLength: 30 }).chain((days) =>
  fc.tuple(
    ...days
      .sort((a, b) => a - b)
      .map((day, index) =>
        fc.record(
          {
            key: fc.constant(`step-${index}`),
            day: fc.constant(day),
            channel: fc.constantFrom('email', 'letter'),
            template: fc.constant(day < 0 ? 'before-due' : 'reminder'),
            tone: fc.constantFrom('courteous', 'neutral', 'firm', 'final'),
            to: roles,
            cc: roles,
            attachInvoice: fc.boolean(),
          },
          { requiredKeys: ['key', 'day', 'channel', 'template'] },
        ),
      ),
  ),
);
const documents = fc.record(
  {
    name: fc.stringMatching(/^[a-z0-9-]{1,60}$/),
    steps,
    entry: fc.constantFrom('first', 'byAge', 'hold'),
    late: fc.constantFrom('merge', 'skip', 'shift'),
    noAddress: fc.constantFrom('task', 'letter'),
    call: part({ retryWorkingDays: fc.integer({ min: 1, max: 30 }), attempts: fc.integer({ min: 1, max: 10 }) }),
    thankYou: fc.constantFrom('thank-you', null),
    formalNotice: part({
      day: fc.integer({ min: 301, max: 730 }),
      deadlineDays: fc.integer({ min: 1, max: 90 }),
      approval,
    }),
    placement: part({ daysAfterNotice: fc.nat(365), approval }),
    writeOff: part({ afterPlacementDays: fc.nat(3650), below: amounts, approval }),
    promise: part({ graceDays: fc.nat(60), maxBroken: fc.nat(20) }),
    dispute: part({ reviewDays: fc.integer({ min: 1, max: 365 }) }),
    plan: part({ graceDays: fc.nat(60) }),
    unappliedCash: part({
      holdShare: fc.nat(999).map((n) => `0.${n}`),
      holdWorkingDays: fc.integer({ min: 1, max: 60 }),
    }),
    tolerance: fc.option(amounts),
    interest: part({
      claim: fc.constantFrom('never', 'always', 'step-0'),
      contractRate: fc.constantFrom('12.5', null),
    }),
    contact: part({
      days: weekdays.map(formatWeekdays),
      from: fc.constantFrom('00:00', '08:30'),
      to: fc.constantFrom('18:30', '24:00'),
      minimumGapDays: fc.nat(365),
      maximumPer30Days: fc.integer({ min: 1, max: 10_000 }),
      holidays: fc.constantFrom('customer', 'creditor', 'none'),
    }),
    minimumAmount: fc.option(amounts),
    approvalAbove: fc.option(amounts),
  },
  { requiredKeys: ['name', 'steps'] },
);

describe('the document of a policy', () => {
  it('reads back as the same policy, also after JSON, and is whole', () => {
    fc.assert(
      fc.property(documents, (input) => {
        const policy = parsePolicy(input);
        const document = policyDocument(policy);
        expect(parsePolicy(JSON.parse(JSON.stringify(document)))).toEqual(policy);
        expect(policyDocument(parsePolicy(document))).toEqual(document);
      }),
    );
  });

  it('keeps what was written', () => {
    const written = PRESETS['fr-business'];
    const document = policyDocument(parsePolicy(written));
    for (const field of Object.keys(written) as (keyof typeof written)[]) {
      if (field !== 'steps' && field !== 'formalNotice') expect(document[field], field).toEqual(written[field]);
    }
    expect(document['steps']).toMatchObject(written.steps);
    expect(document['formalNotice']).toMatchObject(written.formalNotice);
  });
});

describe('weekdays', () => {
  it.each([
    ['mon-fri', [1, 2, 3, 4, 5]],
    ['mon-sun', [1, 2, 3, 4, 5, 6, 7]],
    ['mon,wed,fri', [1, 3, 5]],
    ['mon-wed,fri', [1, 2, 3, 5]],
    ['sat,sun', [6, 7]],
    ['fri,mon', [1, 5]],
    ['tue', [2]],
  ])('%s', (text, days) => {
    expect(parseWeekdays(text)).toEqual(days);
  });

  it('are written so that they read back', () => {
    fc.assert(
      fc.property(weekdays, (days) => {
        expect(parseWeekdays(formatWeekdays(days))).toEqual(days);
      }),
    );
    expect(formatWeekdays([1, 2, 3, 4, 5])).toBe('mon-fri');
    expect(formatWeekdays([6, 7])).toBe('sat,sun');
  });

  it.each(['', 'mon-', '-fri', 'mon-wed-fri', 'Mon', 'mon, tue', 'monday', 'mon,,tue', 'sun-sat', 'mon,mon'])(
    'refuses "%s"',
    (text) => {
      expect(parseWeekdays(text)).toBeNull();
    },
  );
});

describe('presets', () => {
  it.each(PRESET_NAMES)('%s is a valid policy of its own name', (name) => {
    const policy = parsePolicy(PRESETS[name]);
    expect(policy.name).toBe(name);
    expect(policy.formalNotice?.approval).toBe('approver');
  });

  it.each(PRESET_NAMES)('%s keeps its ladder within its own gap and cap, and grows no softer', (name) => {
    const { steps, contact } = parsePolicy(PRESETS[name]);
    const tones = ['courteous', 'neutral', 'firm', 'final'];
    const days = steps.map((step) => step.day);
    for (const [index, day] of days.entries()) {
      if (index > 0) expect(day - (days[index - 1] as number)).toBeGreaterThanOrEqual(contact.minimumGapDays);
      const within30 = days.filter((other) => other > day - 30 && other <= day);
      expect(within30.length).toBeLessThanOrEqual(contact.maximumPer30Days);
    }
    const written = steps.filter((step) => step.channel !== 'call' && !isBeforeDue(step));
    const firmness = written.map((step) => tones.indexOf(step.tone));
    expect(firmness).toEqual([...firmness].sort((a, b) => a - b));
  });

  it.each([
    ['FR', 'business', 'fr-business'],
    ['FR', 'consumer', 'fr-consumer'],
    ['FR', 'publicBody', 'fr-public-body'],
    ['DE', 'business', 'de-business'],
    ['DE', 'consumer', 'de-consumer'],
    ['DE', 'publicBody', null],
    ['GB', 'business', 'business'],
    ['JP', 'business', 'business'],
    ['GB', 'consumer', null],
    ['ES', 'publicBody', null],
    ['constructor', 'consumer', null],
  ] as const)('for %s %s: %s', (country, kind, expected) => {
    expect(presetFor(country, kind)).toBe(expected);
  });
});

describe('templates', () => {
  it('each have a use and a channel', () => {
    expect(Object.keys(TEMPLATES)).toEqual([...TEMPLATE_NAMES]);
    for (const name of TEMPLATE_NAMES) expect(TEMPLATES[name].channels.length).toBeGreaterThan(0);
  });
});
