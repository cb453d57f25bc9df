import { describe, expect, it } from 'vitest';
import { DomainError, type Fault } from '../../../domain/errors.ts';
import { DEFAULTS, isBeforeDue, parsePolicy, stepByKey, validateStepOf } from '../../../domain/policy/parse.ts';

type Document = Record<string, unknown>;

/** The example of the contract, whole. */
const EXAMPLE: Document = {
  name: 'fr-business',
  entry: 'first',
  late: 'merge',
  steps: [
    { key: 'before-due', day: -5, from: 'due', channel: 'email', template: 'before-due', attachInvoice: true },
    { key: 'reminder-1', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    {
      key: 'reminder-2',
      day: 12,
      from: 'due',
      channel: 'email',
      template: 'reminder',
      tone: 'firm',
      to: ['billing'],
      cc: ['manager'],
    },
    { key: 'call', day: 19, from: 'due', channel: 'call', template: 'call-script' },
    { key: 'last', day: 25, from: 'due', channel: 'letter', template: 'last-reminder' },
  ],
  noAddress: 'task',
  call: { retryWorkingDays: 2, attempts: 3 },
  thankYou: 'thank-you',
  formalNotice: {
    day: 40,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 8,
    dispatchDays: 3,
    approval: 'approver',
  },
  placement: { daysAfterNotice: 15, approval: 'approver' },
  writeOff: { afterPlacementDays: 180, below: { EUR: '30.00' }, approval: 'approver' },
  promise: { graceDays: 2, maxDays: 30, maxBroken: 2 },
  dispute: { reviewDays: 10 },
  plan: { maxInstalments: 12, graceDays: 5 },
  unappliedCash: { holdShare: '0.5', holdWorkingDays: 3 },
  tolerance: { EUR: '0.10' },
  interest: { claim: 'fromNotice', whenPrincipalPaid: 'waive', contractRate: null },
  contact: {
    days: 'mon-fri',
    from: '08:30',
    to: '18:30',
    minimumGapDays: 3,
    maximumPer30Days: 4,
    holidays: 'customer',
  },
  minimumAmount: { EUR: '10.00' },
  approvalAbove: { EUR: '50000.00' },
};

const step = (change: Document = {}): Document => ({
  key: 'one',
  day: 5,
  channel: 'email',
  template: 'reminder',
  ...change,
});
const withSteps = (...steps: unknown[]): Document => ({ name: 'test', steps });
const withPart = (change: Document): Document => ({ name: 'test', steps: [step()], ...change });

function faultsOf(input: unknown): Fault[] {
  try {
    parsePolicy(input);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    expect(error.code).toBe('invalidPolicy');
    for (const fault of error.faults) expect(fault.message.length).toBeGreaterThan(10);
    return error.faults;
  }
  return [];
}
const marks = (input: unknown): string[] => faultsOf(input).map((fault) => `${fault.pointer} ${fault.code}`);

describe('names', () => {
  it('take letters of both cases, digits, dots, underscores and hyphens', () => {
    const policy = parsePolicy({ name: 'Net30_v2.fr', steps: [step({ key: 'firstReminder_1' })] });
    expect(policy.name).toBe('Net30_v2.fr');
    expect(policy.steps[0]?.key).toBe('firstReminder_1');
    for (const name of ['', '.hidden', 'a/b', 'a:b', 'x'.repeat(61)]) {
      expect(() => parsePolicy({ name, steps: [step()] })).toThrow(DomainError);
    }
  });
});

describe('a whole policy', () => {
  it('is read as the contract writes it', () => {
    const policy = parsePolicy(EXAMPLE);
    expect(policy).toMatchObject({ ...EXAMPLE, steps: expect.any(Array), contact: expect.any(Object) });
    expect(policy.contact).toEqual({
      weekdays: [1, 2, 3, 4, 5],
      from: '08:30',
      to: '18:30',
      minimumGapDays: 3,
      maximumPer30Days: 4,
      holidays: 'customer',
    });
    expect(policy.steps[0]).toEqual({
      key: 'before-due',
      day: -5,
      from: 'due',
      channel: 'email',
      template: 'before-due',
      tone: 'neutral',
      to: ['billing'],
      cc: [],
      attachInvoice: true,
    });
    expect(policy.steps.map(isBeforeDue)).toEqual([true, false, false, false, false]);
    expect(policy.formalNotice?.template).toBe('formal-notice');
  });

  it('fills in every default when only name and steps are there', () => {
    const { contact, ...others } = DEFAULTS;
    expect(parsePolicy(withSteps(step()))).toEqual({
      ...others,
      name: 'test',
      steps: [
        {
          key: 'one',
          day: 5,
          from: 'due',
          channel: 'email',
          template: 'reminder',
          tone: 'neutral',
          to: ['billing'],
          cc: [],
          attachInvoice: false,
        },
      ],
      thankYou: null,
      formalNotice: null,
      placement: null,
      writeOff: null,
      tolerance: {},
      interest: null,
      contact,
      minimumAmount: {},
      approvalAbove: null,
    });
  });

  it('lets each part be null, and the branch is off', () => {
    for (const part of Object.keys(EXAMPLE).filter((field) => field !== 'name' && field !== 'steps')) {
      expect(marks({ ...EXAMPLE, [part]: null }), part).toEqual([]);
    }
    const off = parsePolicy({
      ...EXAMPLE,
      promise: null,
      dispute: null,
      plan: null,
      unappliedCash: null,
      contact: null,
    });
    expect(off).toMatchObject({ promise: null, dispute: null, plan: null, unappliedCash: null });
    expect(off.contact).toMatchObject({
      weekdays: [1, 2, 3, 4, 5, 6, 7],
      from: '00:00',
      to: '24:00',
      minimumGapDays: 0,
    });
    expect(parsePolicy({ ...EXAMPLE, call: null }).call.attempts).toBe(1);
  });

  it('fills in what is missing within a part', () => {
    const policy = parsePolicy(
      withPart({
        formalNotice: {},
        placement: {},
        writeOff: {},
        interest: {},
        contact: { to: '12:00' },
        approvalAbove: {},
      }),
    );
    expect(policy.formalNotice).toEqual({
      day: 20,
      from: 'due',
      channel: 'registeredLetter',
      template: 'formal-notice',
      deadlineDays: 8,
      dispatchDays: 3,
      emailCopy: false,
      approval: 'approver',
    });
    expect(policy.placement).toEqual({ daysAfterNotice: 15, approval: 'approver' });
    expect(policy.writeOff).toEqual({ afterPlacementDays: 180, below: {}, approval: 'approver' });
    expect(policy.interest).toEqual({
      claim: 'fromNotice',
      whenPrincipalPaid: 'waive',
      contractRate: null,
      minimum: {},
    });
    expect(policy.contact).toMatchObject({ from: '08:30', to: '12:00', minimumGapDays: 3 });
    expect(policy.approvalAbove).toEqual({}); // present, without any currency: always asked
  });

  it('may be without limits on time, gap and cap', () => {
    const contact = { days: 'mon-sun', from: '00:00', to: '24:00', minimumGapDays: 0, maximumPer30Days: 9999 };
    expect(parsePolicy(withPart({ contact })).contact).toMatchObject({
      weekdays: [1, 2, 3, 4, 5, 6, 7],
      minimumGapDays: 0,
    });
  });
});

describe('the order of steps', () => {
  const due = (day: number, key = `due-${day}`): Document =>
    day < 0 ? step({ key, day, template: 'before-due' }) : step({ key, day });
  const issued = (day: number): Document => step({ key: `issued-${day}`, day, from: 'issued' });
  const previous = (day: number, key = `previous-${day}`): Document => step({ key, day, from: 'previous' });

  it.each([
    ['ascending', [due(-5), due(0), due(5), due(12)]],
    ['from issue, then from due, which do not compare', [issued(30), due(1), issued(45)]],
    ['counted from the previous step', [due(5), previous(7), previous(1, 'again'), due(14)]],
    [
      'a note after issue, then before due',
      [step({ key: 'a', day: 3, from: 'issued', template: 'before-due' }), due(-5)],
    ],
  ])('may be %s', (_, steps) => {
    expect(marks(withSteps(...steps))).toEqual([]);
  });

  it.each([
    ['descending', [due(5), due(3)], '/steps/1/day stepOrder'],
    ['two on one day', [due(5), due(5, 'twin')], '/steps/1/day stepOrder'],
    ['before due after overdue', [due(5), due(-5)], '/steps/1/day stepOrder'],
    ['before due after issue', [issued(30), due(-5)], '/steps/1/day stepOrder'],
    ['due before what previous has reached', [due(5), previous(7), due(12)], '/steps/2/day stepOrder'],
    ['issue day that is past by the due date', [due(20), issued(15)], '/steps/1/day stepOrder'],
    ['previous first', [previous(3)], '/steps/0/from previousWithoutStep'],
    ['previous on the same day', [due(5), previous(0)], '/steps/1/day outOfRange'],
    ['notice before the last step', [due(5), due(45)], '/formalNotice/day stepOrder'],
  ])('cannot be: %s', (what, steps, mark) => {
    const notice = what.startsWith('notice') ? { formalNotice: { day: 40 } } : {};
    expect(marks({ ...withSteps(...steps), ...notice })).toEqual([mark]);
  });
});

describe('an invalid policy', () => {
  const cases: [string, unknown, string[]][] = [
    ['no object', null, [' wrongType']],
    ['a list', [], [' wrongType']],
    ['a text', 'policy', [' wrongType']],
    ['nothing in it', {}, ['/name required', '/steps required']],
    ['unknown field', withPart({ steep: 1 }), ['/steep unknownField']],
    ['unknown field with / and ~', withPart({ 'a/b~c': 1 }), ['/a~1b~0c unknownField']],
    [
      'unknown field called __proto__',
      JSON.parse('{"name":"x","steps":[{"key":"a","day":1,"channel":"email","template":"reminder"}],"__proto__":{}}'),
      ['/__proto__ unknownField'],
    ],
    ['unknown field in a part', withPart({ promise: { grace: 1 } }), ['/promise/grace unknownField']],
    ['unknown field in a step', withSteps(step({ text: 'Pay!' })), ['/steps/0/text unknownField']],
    ['name with a space', withPart({ name: 'f r' }), ['/name formatInvalid']],
    ['name too long', withPart({ name: 'a'.repeat(61) }), ['/name formatInvalid']],
    ['name with a line break', withPart({ name: 'a\n' }), ['/name formatInvalid']],
    ['name a number', withPart({ name: 7 }), ['/name wrongType']],
    ['unknown entry', withPart({ entry: 'last' }), ['/entry unknownValue']],
    ['unknown late', withPart({ late: 'drop' }), ['/late unknownValue']],
    ['unknown noAddress', withPart({ noAddress: 'ignore' }), ['/noAddress unknownValue']],
    ['no steps', withSteps(), ['/steps tooFewItems']],
    ['steps no list', { name: 'test', steps: {} }, ['/steps wrongType']],
    ['steps null', { name: 'test', steps: null }, ['/steps wrongType']],
    [
      '31 steps',
      withSteps(...Array.from({ length: 31 }, (_, day) => step({ key: `s${day}`, day }))),
      ['/steps tooManyItems'],
    ],
    ['a step that is none', withSteps(step(), 'reminder'), ['/steps/1 wrongType']],
    [
      'an empty step',
      withSteps({}),
      ['/steps/0/key required', '/steps/0/day required', '/steps/0/channel required', '/steps/0/template required'],
    ],
    ['key with a space', withSteps(step({ key: 'a b' })), ['/steps/0/key formatInvalid']],
    ['key too long', withSteps(step({ key: 'k'.repeat(41) })), ['/steps/0/key formatInvalid']],
    ['key that means something else', withSteps(step({ key: 'never' })), ['/steps/0/key formatInvalid']],
    ['same key twice', withSteps(step(), step({ day: 9 })), ['/steps/1/key duplicate']],
    ['day too early', withSteps(step({ day: -61, template: 'before-due' })), ['/steps/0/day outOfRange']],
    ['day too late', withSteps(step({ day: 731 })), ['/steps/0/day outOfRange']],
    ['day before issue', withSteps(step({ day: -1, from: 'issued' })), ['/steps/0/day outOfRange']],
    ['half a day', withSteps(step({ day: 1.5 })), ['/steps/0/day wrongType']],
    ['day as text', withSteps(step({ day: '5' })), ['/steps/0/day wrongType']],
    ['day null', withSteps(step({ day: null })), ['/steps/0/day wrongType']],
    ['unknown anchor', withSteps(step({ from: 'paid' })), ['/steps/0/from unknownValue']],
    [
      'unknown channel',
      withSteps(step({ channel: 'fax', template: 'call-script' })),
      ['/steps/0/channel unknownValue'],
    ],
    ['unknown tone', withSteps(step({ tone: 'rude' })), ['/steps/0/tone unknownValue']],
    ['unknown role', withSteps(step({ to: ['billing', 'owner'] })), ['/steps/0/to/1 unknownValue']],
    ['role twice', withSteps(step({ cc: ['legal', 'legal'] })), ['/steps/0/cc/1 duplicate']],
    ['nobody addressed', withSteps(step({ to: [] })), ['/steps/0/to tooFewItems']],
    ['role no list', withSteps(step({ to: 'billing' })), ['/steps/0/to wrongType']],
    ['attachInvoice a word', withSteps(step({ attachInvoice: 'yes' })), ['/steps/0/attachInvoice wrongType']],
    ['unknown template', withSteps(step({ template: 'nudge' })), ['/steps/0/template unknownTemplate']],
    ['empty template', withSteps(step({ template: '' })), ['/steps/0/template unknownTemplate']],
    ['template constructor', withSteps(step({ template: 'constructor' })), ['/steps/0/template unknownTemplate']],
    ['template a number', withSteps(step({ template: 1 })), ['/steps/0/template wrongType']],
    ['call script by e-mail', withSteps(step({ template: 'call-script' })), ['/steps/0/template templateUnfit']],
    ['reminder by call', withSteps(step({ channel: 'call' })), ['/steps/0/template templateUnfit']],
    ['formal notice as a step', withSteps(step({ template: 'formal-notice' })), ['/steps/0/template templateUnfit']],
    ['before-due note after due', withSteps(step({ template: 'before-due' })), ['/steps/0/template templateUnfit']],
    [
      'before-due note on the due date',
      withSteps(step({ template: 'before-due', day: 0 })),
      ['/steps/0/template templateUnfit'],
    ],
    ['reminder before due', withSteps(step({ day: -3 })), ['/steps/0/template templateUnfit']],
    ['part no object', withPart({ promise: true }), ['/promise wrongType']],
    ['part a list', withPart({ dispute: [10] }), ['/dispute wrongType']],
    ['promise days negative', withPart({ promise: { graceDays: -1 } }), ['/promise/graceDays outOfRange']],
    ['no attempts', withPart({ call: { attempts: 0 } }), ['/call/attempts outOfRange']],
    ['unknown thank-you', withPart({ thankYou: 'merci' }), ['/thankYou unknownValue']],
    ['notice by call', withPart({ formalNotice: { channel: 'call' } }), ['/formalNotice/channel unknownValue']],
    ['notice before due', withPart({ formalNotice: { day: -1 } }), ['/formalNotice/day outOfRange']],
    [
      'notice without a deadline',
      withPart({ formalNotice: { deadlineDays: 0 } }),
      ['/formalNotice/deadlineDays outOfRange'],
    ],
    [
      'notice in the words of a reminder',
      withPart({ formalNotice: { template: 'reminder' } }),
      ['/formalNotice/template unknownValue'],
    ],
    ['approval by an agency', withPart({ placement: { approval: 'agency' } }), ['/placement/approval unknownValue']],
    [
      'amount with too many decimals',
      withPart({ minimumAmount: { EUR: '10.001' } }),
      ['/minimumAmount/EUR tooManyDecimals'],
    ],
    ['yen with decimals', withPart({ tolerance: { JPY: '1.00' } }), ['/tolerance/JPY tooManyDecimals']],
    ['amount with a sign', withPart({ writeOff: { below: { EUR: '-1' } } }), ['/writeOff/below/EUR amountInvalid']],
    ['amount a number', withPart({ approvalAbove: { EUR: 50000 } }), ['/approvalAbove/EUR wrongType']],
    ['unknown currency', withPart({ approvalAbove: { EURO: '1' } }), ['/approvalAbove/EURO unknownCurrency']],
    ['amounts no object', withPart({ approvalAbove: '50000' }), ['/approvalAbove wrongType']],
    ['amounts zero', withPart({ approvalAbove: 0 }), ['/approvalAbove wrongType']],
    ['share above 1', withPart({ unappliedCash: { holdShare: '1.1' } }), ['/unappliedCash/holdShare formatInvalid']],
    ['share a number', withPart({ unappliedCash: { holdShare: 0.5 } }), ['/unappliedCash/holdShare wrongType']],
    ['share negative', withPart({ unappliedCash: { holdShare: '-0.5' } }), ['/unappliedCash/holdShare formatInvalid']],
    ['interest from no step', withPart({ interest: { claim: 'two' } }), ['/interest/claim unknownStep']],
    [
      'unknown whenPrincipalPaid',
      withPart({ interest: { whenPrincipalPaid: 'ask' } }),
      ['/interest/whenPrincipalPaid unknownValue'],
    ],
    [
      'a contract rate of 0',
      withPart({ interest: { contractRate: '0.00' } }),
      ['/interest/contractRate formatInvalid'],
    ],
    ['rate above 100', withPart({ interest: { contractRate: '101' } }), ['/interest/contractRate formatInvalid']],
    ['days backwards', withPart({ contact: { days: 'fri-mon' } }), ['/contact/days formatInvalid']],
    ['days in French', withPart({ contact: { days: 'lun-ven' } }), ['/contact/days formatInvalid']],
    ['day twice', withPart({ contact: { days: 'mon-fri,mon' } }), ['/contact/days formatInvalid']],
    ['no days', withPart({ contact: { days: '' } }), ['/contact/days formatInvalid']],
    ['days null', withPart({ contact: { days: null } }), ['/contact/days wrongType']],
    ['time 24:01', withPart({ contact: { to: '24:01' } }), ['/contact/to formatInvalid']],
    ['time without a zero', withPart({ contact: { from: '8:30' } }), ['/contact/from formatInvalid']],
    ['window backwards', withPart({ contact: { from: '18:00', to: '08:00' } }), ['/contact/to windowEmpty']],
    ['window empty', withPart({ contact: { from: '19:00' } }), ['/contact/from windowEmpty']],
    ['gap negative', withPart({ contact: { minimumGapDays: -1 } }), ['/contact/minimumGapDays outOfRange']],
    ['cap zero', withPart({ contact: { maximumPer30Days: 0 } }), ['/contact/maximumPer30Days outOfRange']],
    ['unknown holidays', withPart({ contact: { holidays: 'all' } }), ['/contact/holidays unknownValue']],
  ];

  it.each(cases)('%s', (_, input, expected) => {
    expect(marks(input)).toEqual(expected);
  });

  it('tells all its faults at once', () => {
    const input = {
      name: 'x y',
      steps: [step({ day: 900 }), step({ key: 'two', template: 'nudge' })],
      promise: { maxDays: 0 },
      x: 1,
    };
    expect(marks(input)).toEqual([
      '/name formatInvalid',
      '/steps/0/day outOfRange',
      '/steps/1/template unknownTemplate',
      '/promise/maxDays outOfRange',
      '/x unknownField',
    ]);
  });

  it('says the first of them and how many more', () => {
    expect(() => parsePolicy({ name: 'a b' })).toThrow(
      'The policy is not valid: /steps: "steps" is required. (and 1 more)',
    );
  });

  it('does not report more than a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`field-${n}`, n]));
    expect(marks({ ...withSteps(step()), ...many })).toHaveLength(100);
  });
});

describe('looking a step up', () => {
  const policy = parsePolicy(EXAMPLE);
  it('finds it by key', () => {
    expect(stepByKey(policy, 'call')?.day).toBe(19);
    expect(validateStepOf(policy, 'call').channel).toBe('call');
  });
  it('says which there are', () => {
    expect(stepByKey(policy, 'fax')).toBeNull();
    expect(() => validateStepOf(policy, 'fax')).toThrow(expect.objectContaining({ code: 'unknownStep' }));
    expect(() => validateStepOf(policy, 'fax')).toThrow(/before-due, reminder-1, reminder-2, call, last/);
  });
});
