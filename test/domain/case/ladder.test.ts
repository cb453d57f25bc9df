import { FORMAL_NOTICE } from '../../../domain/case/requests.ts';
import { describe, expect, test } from 'vitest';
import { ladder } from '../../../domain/case/ladder.ts';
import {
  answer,
  at,
  change,
  customer,
  dispute,
  hold,
  invoice,
  lift,
  moveDue,
  pay,
  play,
  policy,
  promise,
  resolve,
  reverse,
  skip,
  steps,
  withdrawPromise,
  type Happening,
  type PlayOptions,
  type StepDraft,
} from './builders.ts';
import type { CaseFacts, CustomerFacts } from '../../../domain/case/facts.ts';

const START = at('2026-08-05');
const END = at('2027-06-30');
const NO_GAP = { contact: { days: 'mon-fri', from: '08:30', to: '18:30', minimumGapDays: 0, maximumPer30Days: 30 } };

function run(
  over: Partial<CaseFacts>,
  happenings: Happening[] = [],
  options: PlayOptions & { customer?: Partial<CustomerFacts> } = {},
) {
  const facts = invoice(over);
  const from = Math.max(START, facts.registeredAt);
  return play(customer([facts], options.customer), from, END, { ...options, happenings });
}

const outage = (from: string, to: string): PlayOptions => ({
  outages: [{ from: at(from, '06:00'), to: at(to, '10:00') }],
});

describe('the ladder, left alone', () => {
  test('steps leave on their days at the opening of the window', () => {
    const played = run({});
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-16', 's3 2026-09-23']);
    expect(played.sent.map((s) => s.at)).toEqual([at('2026-09-09'), at('2026-09-16'), at('2026-09-23')]);
  });

  test('weekends, holidays and closed weeks move a step to the next contact day', () => {
    expect(steps(run({ policy: policy([1]) }))).toEqual(['s1 2026-09-07']);
    expect(steps(run({ dueOn: '2026-11-06', policy: policy([5]) }))).toEqual(['s1 2026-11-12']);
    const closedWeeks = [{ from: '2026-09-07', to: '2026-09-13' }];
    expect(steps(run({ policy: policy([5]) }, [], { customer: { closedWeeks } }))).toEqual(['s1 2026-09-14']);
  });

  test('the holidays of the creditor count where the policy says so', () => {
    const contact = { ...NO_GAP.contact, holidays: 'creditor' };
    const creditorHolidays = new Set(['2026-09-09']);
    const played = run({ policy: policy([5], { contact }) }, [], { customer: { creditorHolidays } });
    expect(steps(played)).toEqual(['s1 2026-09-10']);
  });

  test('a gap of three lets Monday be followed by Thursday', () => {
    const p = policy([3, 4, 5], { late: 'shift' });
    // Monday 7th; the 8th is too soon, so is the 9th.
    expect(steps(run({ policy: p }))[1]).toBe('s2 2026-09-10');
  });

  test('a step that the gap delays past the next one’s own day is merged into it', () => {
    const played = run({ policy: policy([3, 4, 5, 20]) });
    expect(steps(played)).toEqual(['s1 2026-09-07', 's3 2026-09-10', 's4 2026-09-24']);
  });

  test('the cap counts the day itself and the 29 before', () => {
    const days = ['2026-09-01', '2026-09-02', '2026-09-03', '2026-09-04'];
    const contacts = days.map((day) => ({ day, channel: 'email' as const, recipientKey: 'b' }));
    const p = policy([5], { contact: { ...NO_GAP.contact, maximumPer30Days: 4 } });
    // On 30 September the 29 days before still hold the 1st; on 1 October they do not.
    expect(steps(run({ policy: p }, [], { customer: { contacts } }))).toEqual(['s1 2026-10-01']);
  });

  test('what leaves on one day counts once', () => {
    const contacts = ['call', 'email', 'letter'].map((channel) => ({
      day: '2026-09-01',
      channel: channel as 'email',
      recipientKey: 'x',
    }));
    const p = policy([5], { contact: { ...NO_GAP.contact, maximumPer30Days: 2 } });
    expect(steps(run({ policy: p }, [], { customer: { contacts } }))).toEqual(['s1 2026-09-09']);
  });

  test('`previous` counts from the day the step before really left', () => {
    const p = policy([5, { day: 8, from: 'previous' }], { late: 'merge' });
    const closedWeeks = [{ from: '2026-09-07', to: '2026-09-13' }];
    expect(steps(run({ policy: p }, [], { customer: { closedWeeks } }))).toEqual(['s1 2026-09-14', 's2 2026-09-22']);
  });

  test('what speaks of a late invoice and counts from its issue waits for the day after the due date', () => {
    const p = policy([
      { day: 10, from: 'issued' },
      { day: 40, from: 'issued' },
    ]);
    expect(steps(run({ policy: p }))).toEqual(['s1 2026-09-07', 's2 2026-09-14']);
  });

  test('two steps of one case never leave on one day, even where no gap is asked', () => {
    const p = policy([1, 2, 3], { ...NO_GAP, late: 'shift' });
    expect(steps(run({ policy: p }))).toEqual(['s1 2026-09-07', 's2 2026-09-08', 's3 2026-09-09']);
  });
});

describe('before the due date', () => {
  test('a note leaves before it', () => {
    expect(steps(run({ policy: policy([-5, 5]) }))).toEqual(['s1 2026-08-31', 's2 2026-09-09']);
  });

  test('a note that finds no day before it is dropped', () => {
    // Due on a Monday: its day is the Sunday, and the next contact day is the due date itself.
    const played = run({ dueOn: '2026-09-07', policy: policy([-1, 5]) });
    expect(steps(played)).toEqual(['s2 2026-09-14']);
    const [facts] = [...played.cases.values()];
    expect(facts!.steps[0]).toMatchObject({ step: 's1', status: 'skipped', reason: 'dueDateReached' });
  });

  test('a note that outreach could not send by then is dropped', () => {
    const contacts = [{ day: '2026-08-31', channel: 'email' as const, recipientKey: 'b' }];
    const played = run({ policy: policy([-3, 5]) }, [], { customer: { contacts } });
    expect(steps(played)).toEqual(['s1 2026-09-03', 's2 2026-09-09']);
    const blocked = [...contacts, { day: '2026-09-01', channel: 'email' as const, recipientKey: 'b' }];
    expect(steps(run({ policy: policy([-3, 5]) }, [], { customer: { contacts: blocked } }))).toEqual(['s2 2026-09-09']);
  });

  test('a policy of nothing but a note that cannot leave ends', () => {
    const played = run({ dueOn: '2026-09-07', policy: policy([-1]) });
    expect(steps(played)).toEqual([]);
    expect(played.tasks.map((t) => t.task)).toEqual(['ladderEnded']);
  });
});

describe('entry of an invoice that is late when it arrives', () => {
  const late = { registeredOn: '2026-10-01', registeredAt: at('2026-10-01', '07:00') };

  test('`first` starts at the first step and later ones keep their distance from it', () => {
    expect(steps(run({ ...late, policy: policy([-5, 5, 12, 19]) }))).toEqual([
      's2 2026-10-01',
      's3 2026-10-08',
      's4 2026-10-15',
    ]);
  });

  test('`first` goes on after `lastStepSent`', () => {
    expect(steps(run({ ...late, lastStepSent: 's1' }))).toEqual(['s2 2026-10-01', 's3 2026-10-08']);
  });

  test('`byAge` starts at the step of its age when somebody has written before', () => {
    const played = run({ ...late, lastStepSent: 's1', policy: policy([5, 12, 19, 40], { entry: 'byAge' }) });
    expect(steps(played)).toEqual(['s3 2026-10-01', 's4 2026-10-14']);
    expect([...played.cases.values()][0]!.steps[0]).toMatchObject({ step: 's2', status: 'merged' });
  });

  test('`byAge`: nobody’s first contact is a more advanced step', () => {
    expect(steps(run({ ...late, policy: policy([5, 12, 19], { entry: 'byAge' }) }))).toEqual([
      's1 2026-10-01',
      's2 2026-10-08',
      's3 2026-10-15',
    ]);
  });

  test('`byAge` within the first step’s age keeps the ladder where it was', () => {
    const young = { registeredOn: '2026-09-10', registeredAt: at('2026-09-10', '07:00') };
    expect(steps(run({ ...young, policy: policy([5, 12, 19], { entry: 'byAge' }) }))).toEqual([
      's1 2026-09-10',
      's2 2026-09-16',
      's3 2026-09-23',
    ]);
  });

  test('`hold` waits for a person, then starts at the first step', () => {
    const p = policy([5, 12], { entry: 'hold' });
    const waiting = run({ ...late, policy: p });
    expect(waiting.tasks.map((t) => t.task)).toEqual(['entryReview']);
    expect(waiting.sent).toEqual([]);
    const reviewed = change(at('2026-10-13', '11:00'), () => ({ entryReviewed: true }));
    expect(steps(run({ ...late, policy: p }, [reviewed]))).toEqual(['s1 2026-10-13', 's2 2026-10-20']);
  });

  test('an invoice that is not late when it arrives is not held at entry', () => {
    expect(steps(run({ policy: policy([5], { entry: 'hold' }) }))).toEqual(['s1 2026-09-09']);
  });

  test('nothing leaves before `chaseFrom`; the first step then re-anchors the ladder', () => {
    expect(steps(run({ chaseFrom: '2026-09-20' }))).toEqual(['s1 2026-09-21', 's2 2026-09-28', 's3 2026-10-05']);
    expect(steps(run({ chaseFrom: '2026-09-08' }))[0]).toBe('s1 2026-09-09');
  });
});

describe('late: nothing ran at a step’s moment', () => {
  const p = (late: string) => policy([5, 12, 19, 40], { late });

  test('`merge` lets only the most advanced step leave', () => {
    expect(steps(run({ policy: p('merge') }, [], outage('2026-09-15', '2026-09-24')))).toEqual([
      's1 2026-09-09',
      's3 2026-09-24',
      's4 2026-10-14',
    ]);
  });

  test('`skip` drops what was missed', () => {
    expect(steps(run({ policy: p('skip') }, [], outage('2026-09-15', '2026-09-18')))).toEqual([
      's1 2026-09-09',
      's3 2026-09-23',
      's4 2026-10-14',
    ]);
  });

  test('`shift` moves all later steps by as many days', () => {
    expect(steps(run({ policy: p('shift') }, [], outage('2026-09-15', '2026-09-18')))).toEqual([
      's1 2026-09-09',
      's2 2026-09-18',
      's3 2026-09-25',
      's4 2026-10-16',
    ]);
  });

  test('a short outage of the same day is nothing', () => {
    for (const late of ['merge', 'skip', 'shift']) {
      expect(steps(run({ policy: p(late) }, [], outage('2026-09-16', '2026-09-16')))).toContain('s2 2026-09-16');
    }
  });

  test('whoever was not contacted yet gets the first step, under every rule', () => {
    const merged = run({ policy: p('merge') }, [], outage('2026-09-08', '2026-09-24'));
    expect(steps(merged)).toEqual(['s1 2026-09-24', 's2 2026-10-01', 's3 2026-10-08', 's4 2026-10-29']);
    const shifted = run({ policy: p('shift') }, [], outage('2026-09-08', '2026-09-24'));
    expect(steps(shifted)).toEqual(steps(merged));
    // What was missed is dropped, so the next day of the ladder is the fourth step's; the first leaves on it.
    expect(steps(run({ policy: p('skip') }, [], outage('2026-09-08', '2026-09-24')))[0]).toBe('s1 2026-10-14');
  });

  test('a hold is no outage', () => {
    const held = [hold(at('2026-09-10'), '2026-09-20')];
    for (const late of ['merge', 'skip', 'shift']) {
      expect(steps(run({ policy: p(late) }, held))).toEqual([
        's1 2026-09-09',
        's2 2026-09-28',
        's3 2026-10-05',
        's4 2026-10-26',
      ]);
    }
  });

  test('a missed note before due: dropped under `skip`, still sent under `merge`', () => {
    expect(steps(run({ policy: policy([-5, 5], { late: 'skip' }) }, [], outage('2026-08-30', '2026-09-02')))).toEqual([
      's2 2026-09-09',
    ]);
    expect(steps(run({ policy: policy([-5, 5]) }, [], outage('2026-08-30', '2026-09-02')))).toEqual([
      's1 2026-09-02',
      's2 2026-09-09',
    ]);
  });
});

describe('promises', () => {
  const grace2 = { promise: { graceDays: 2, maxDays: 30, maxBroken: 2 } };

  test('the example of design rule 9, to the day', () => {
    const facts = invoice({ policy: policy([5, 12, 19], grace2) });
    const played = play(customer([facts]), START, END, {
      happenings: [promise(at('2026-09-11', '14:00'), '2026-09-18')],
    });
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-21', 's3 2026-10-02']);
    expect(played.promises).toEqual([{ at: at('2026-09-20', '24:00'), invoiceId: facts.invoiceId, became: 'broken' }]);
  });

  test('paid in time it is kept, and the rest of the ladder is gone', () => {
    const played = run({}, [promise(at('2026-09-11'), '2026-09-18'), pay(at('2026-09-17'), 120_000n)]);
    expect(steps(played)).toEqual(['s1 2026-09-09']);
    expect(played.promises.map((p) => p.became)).toEqual(['kept']);
    expect([...played.closed.values()]).toEqual([{ decision: 'close', stage: 'settled', thank: false }]);
  });

  test('withdrawn, it shifts by the days it held', () => {
    const played = run({}, [promise(at('2026-09-11'), '2026-09-25'), withdrawPromise(at('2026-09-14', '11:00'))]);
    // 11th to 14th: three days.
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-21', 's3 2026-09-28']);
  });

  test('of a part: the rest is asked, nothing shifts, broken the part rejoins', () => {
    const played = run({ policy: policy([5, 12, 19], grace2) }, [promise(at('2026-09-11'), '2026-09-18', 50_000n)]);
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-16', 's3 2026-09-23']);
    expect(played.sent.map((s) => s.amountMinor)).toEqual([120_000n, 70_000n, 120_000n]);
  });

  test('of a part, partly paid: what is paid lowers what is promised, not what is asked', () => {
    const played = run({ policy: policy([5, 12], grace2) }, [
      promise(at('2026-09-11'), '2026-09-18', 50_000n),
      pay(at('2026-09-14'), 20_000n),
    ]);
    expect(played.sent.map((s) => s.amountMinor)).toEqual([120_000n, 70_000n]);
    expect(played.promises.map((p) => p.became)).toEqual(['broken']);
  });

  test('one payment does not keep two promises', () => {
    const played = run({ policy: policy([5, 30], grace2) }, [
      promise(at('2026-09-10'), '2026-09-18', 30_000n),
      promise(at('2026-09-11'), '2026-09-14', 30_000n),
      pay(at('2026-09-14'), 30_000n),
    ]);
    expect(played.promises.map((p) => `${p.became} ${p.at === at('2026-09-14') ? 'then' : 'later'}`)).toEqual([
      'kept then',
      'broken later',
    ]);
  });

  test('two parts that leave nothing count as a hold on the whole', () => {
    const played = run({ policy: policy([5, 12, 19], grace2) }, [
      dispute(at('2026-09-11', '10:00'), 70_000n),
      promise(at('2026-09-11', '11:00'), '2026-09-18', 50_000n),
    ]);
    // Held from the 11th to the 20th; then the promised part is asked for at once, the disputed one is not.
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-21', 's3 2026-10-02']);
    expect(played.sent.map((s) => s.amountMinor)).toEqual([120_000n, 50_000n, 50_000n]);
  });

  test('beyond the limits it stops nothing', () => {
    expect(steps(run({}, [promise(at('2026-09-11'), '2026-11-30')]))).toEqual([
      's1 2026-09-09',
      's2 2026-09-16',
      's3 2026-09-23',
    ]);
    const again = [promise(at('2026-09-07'), '2026-09-08'), promise(at('2026-09-11'), '2026-09-14')];
    const third = promise(at('2026-09-18'), '2026-10-10');
    const none = { promise: { graceDays: 0, maxDays: 30, maxBroken: 1 } };
    const played = run({ policy: policy([5, 30], none) }, [...again, third]);
    expect(played.promises.map((p) => p.became)).toEqual(['broken', 'broken', 'broken']);
    expect([...played.cases.values()][0]!.promises.map((p) => p.holds)).toEqual([true, false, false]);
  });

  test('a step that is skipped after a broken promise does not pull the next one along', () => {
    const played = run({ policy: policy([5, 12, 19], grace2) }, [
      promise(at('2026-09-11'), '2026-09-18'),
      skip(at('2026-09-21', '00:30')),
    ]);
    expect(steps(played)).toEqual(['s1 2026-09-09', 's3 2026-10-02']);
  });
});

describe('holds', () => {
  test('a pause until a date ends with that date and shifts by its length', () => {
    const played = run({}, [hold(at('2026-09-10', '12:00'), '2026-09-17')]);
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-23', 's3 2026-09-30']);
  });

  test('a dispute of the whole holds until it is resolved', () => {
    const played = run({}, [dispute(at('2026-09-10')), resolve(at('2026-10-08', '11:00'))]);
    // 28 days.
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-10-14', 's3 2026-10-21']);
  });

  test('a dispute of a part shifts nothing; its part is not asked for until it rejoins', () => {
    const played = run({}, [dispute(at('2026-09-10'), 20_000n), resolve(at('2026-09-17'))]);
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-16', 's3 2026-09-23']);
    expect(played.sent.map((s) => s.amountMinor)).toEqual([120_000n, 100_000n, 120_000n]);
  });

  test('overlaps count once', () => {
    const played = run({}, [
      hold(at('2026-09-10'), '2026-09-20'),
      dispute(at('2026-09-14')),
      resolve(at('2026-09-24', '11:00')),
    ]);
    // From the 10th to the 24th.
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-30', 's3 2026-10-07']);
  });

  test('days before the due date do not count', () => {
    expect(steps(run({}, [hold(at('2026-08-10'), '2026-08-30')]))[0]).toBe('s1 2026-09-09');
    // 4th to 7th: three days of a hold that began long before.
    expect(steps(run({}, [hold(at('2026-08-10'), '2026-09-07')]))[0]).toBe('s1 2026-09-14');
  });

  test('of the customer, on the whole', () => {
    const played = run({}, [hold(at('2026-09-09', '08:00'), null, 'customer'), lift(at('2026-09-11', '11:00'))]);
    expect(steps(played)).toEqual(['s1 2026-09-11', 's2 2026-09-18', 's3 2026-09-25']);
  });

  test('a request that has not left yet is taken back', () => {
    const contacts = [{ day: '2026-09-09', channel: 'email' as const, recipientKey: 'b' }];
    const played = run({}, [hold(at('2026-09-10', '12:00'), null, 'customer')], { customer: { contacts } });
    expect(steps(played)).toEqual([]);
  });

  test('days settled before a reversal count as held', () => {
    const played = run({}, [pay(at('2026-09-11'), 120_000n), reverse(at('2026-09-25', '11:00'), 120_000n)]);
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-30', 's3 2026-10-07']);
  });
});

describe('approval over the ceiling', () => {
  const asks = { approvalAbove: { EUR: '1000.00' } };

  test('is asked per step, holds the whole, and approved the step leaves', () => {
    const played = run({ policy: policy([5, 12], asks) }, [
      answer(at('2026-09-11', '11:00'), 'approved'),
      answer(at('2026-09-25', '11:00'), 'approved'),
    ]);
    expect(played.approvals.map((a) => a.step)).toEqual(['s1', 's2']);
    expect(steps(played)).toEqual(['s1 2026-09-11', 's2 2026-09-25']);
  });

  test('refused, the step is skipped', () => {
    const played = run({ policy: policy([5, 12], asks) }, [answer(at('2026-09-11', '11:00'), 'refused')]);
    expect(steps(played)).toEqual([]);
    const [facts] = [...played.cases.values()];
    expect(facts!.steps[0]).toMatchObject({ step: 's1', status: 'skipped', reason: 'refused' });
    expect(played.approvals.map((a) => a.step)).toEqual(['s1', 's2']);
  });

  test('a currency that is not listed is asked about always, one within the ceiling never', () => {
    expect(run({ currency: 'USD', policy: policy([5], asks) }).approvals).toHaveLength(1);
    expect(run({ amountMinor: 100_000n, policy: policy([5], asks) }).approvals).toHaveLength(0);
    expect(run({ policy: policy([5]) }).approvals).toHaveLength(0);
  });

  test('answered at night it leaves when the window opens', () => {
    const played = run({ policy: policy([5], asks) }, [answer(at('2026-09-11', '22:00'), 'approved')]);
    expect(played.sent.map((s) => s.at)).toEqual([at('2026-09-14')]);
  });

  test('a note that nobody approved by the due date is dropped and its hold lifted', () => {
    const played = run({ policy: policy([-5, 5], asks) }, [answer(at('2026-09-10', '11:00'), 'approved')]);
    expect(played.approvals.map((a) => a.step)).toEqual(['s1', 's2']);
    expect(steps(played)).toEqual(['s2 2026-09-10']);
  });

  test('paid while it is asked, nothing is left behind for the next run', () => {
    const played = run({ policy: policy([5, 12], asks) }, [
      pay(at('2026-09-10'), 120_000n),
      reverse(at('2026-09-14'), 120_000n),
      answer(at('2026-09-16', '11:00'), 'approved'),
    ]);
    expect(steps(played)).toEqual(['s1 2026-09-16']);
  });
});

describe('amounts, addresses and the end', () => {
  test('under the minimum nothing is asked and the ladder ends', () => {
    const played = run({ amountMinor: 999n, policy: policy([5, 12], { minimumAmount: { EUR: '10.00' } }) });
    expect(played.sent).toEqual([]);
    expect(played.tasks.map((t) => t.task)).toEqual(['ladderEnded']);
  });

  test('a part payment below the minimum stops a request that still waits', () => {
    const contacts = [{ day: '2026-09-08', channel: 'email' as const, recipientKey: 'b' }];
    const p = policy([5, 12], { minimumAmount: { EUR: '10.00' } });
    const played = run({ policy: p }, [pay(at('2026-09-10'), 119_500n)], { customer: { contacts } });
    expect(played.sent).toEqual([]);
  });

  test('without an address: a task and the step is skipped, or a letter', () => {
    const nobody = { customer: { recipients: [] } };
    const played = run({ policy: policy([5]) }, [], nobody);
    expect(played.tasks.map((t) => `${t.task} ${t.step}`)).toEqual(['missingAddress s1', 'ladderEnded null']);
    const letters = run({ policy: policy([5], { noAddress: 'letter' }) }, [], nobody);
    expect(letters.sent.map((s) => s.channel)).toEqual(['letter']);
  });

  test('nobody’s first contact is a last warning', () => {
    const p = policy([5, { day: 19, tone: 'final', template: 'last-reminder', channel: 'letter' }]);
    const played = run({ policy: p }, [], { customer: { recipients: [] } });
    expect(played.sent).toEqual([]);
    expect(played.tasks.at(-1)!.task).toBe('ladderEnded');
  });

  test('the ladder ends on the day of the formal notice, else the day after the last step', () => {
    const notice = { day: 40, from: 'due' };
    // Call by call nobody was reminded in writing: there is nothing that a notice could follow.
    const calls = policy([{ day: 5, channel: 'call' }], { formalNotice: notice });
    expect(run({ policy: calls }).tasks).toMatchObject([{ task: 'ladderEnded', at: at('2026-10-14') }]);
    expect(run({ policy: policy([5]) }).tasks).toMatchObject([{ task: 'ladderEnded', at: at('2026-09-10') }]);
    const held = [hold(at('2026-09-10'), '2026-09-17')];
    expect(run({ policy: policy([5], { formalNotice: notice }) }, held).approvals).toMatchObject([
      { at: at('2026-10-21'), step: FORMAL_NOTICE },
    ]);
  });

  test('a time-barred claim is never chased', () => {
    const played = run({ limitationOn: '2026-09-10' });
    expect(steps(played)).toEqual(['s1 2026-09-09']);
    expect(played.tasks.map((t) => t.task)).toEqual(['limitationNear', 'limitationNear', 'timeBarred']);
  });

  test('settled, it thanks where the policy does; credited in full it is cancelled', () => {
    const paid = run({ policy: policy([5], { thankYou: 'thank-you' }) }, [pay(at('2026-09-10', '10:00'), 120_000n)]);
    expect([...paid.closed.values()]).toMatchObject([{ stage: 'settled', thank: true }]);
    expect(paid.messages.map((m) => `${m.kind} ${m.day}`)).toEqual(['reminder 2026-09-09', 'thankYou 2026-09-10']);
    const credited = run({}, [
      {
        ...pay(at('2026-09-10'), 0n),
        change: (f) => ({
          ...f,
          balanceMinor: 0n,
          movements: [{ on: '2026-09-10', amountMinor: -120_000n, kind: 'credit' }],
        }),
      },
    ]);
    expect([...credited.closed.values()]).toMatchObject([{ stage: 'cancelled', thank: false }]);
  });

  test('calls and letters leave as tasks and count', () => {
    const played = run({ policy: policy([5, { day: 6, channel: 'call' }, { day: 20, channel: 'letter' }]) });
    expect(steps(played)).toEqual(['s1 2026-09-09', 's2 2026-09-14', 's3 2026-09-24']);
  });
});

describe('direct debit', () => {
  const collection = { method: 'directDebit' as const, on: null, failedOn: null, askedOn: null };

  test('is not chased; five working days after the due date its silence is a task', () => {
    const played = run({ collection, policy: policy([-5, 5]) });
    expect(played.sent).toEqual([]);
    expect(played.tasks).toMatchObject([{ task: 'collectionMissing', at: at('2026-09-11') }]);
  });

  test('asked again, another silence is another task', () => {
    const again = change(at('2026-09-14'), (f) => ({ collection: { ...f.collection, askedOn: '2026-09-14' } }));
    expect(run({ collection }, [again]).tasks).toMatchObject([{ at: at('2026-09-11') }, { at: at('2026-09-21') }]);
  });

  test('failed, it is chased from that day on', () => {
    const failed = change(at('2026-09-22', '07:00'), (f) => ({
      collection: { ...f.collection, failedOn: '2026-09-22' },
    }));
    expect(steps(run({ collection }, [failed]))).toEqual(['s1 2026-09-22', 's2 2026-09-29', 's3 2026-10-06']);
  });
});

describe('a due date that moves', () => {
  test('later: the steps follow, also after one re-anchored the ladder', () => {
    expect(steps(run({}, [moveDue(at('2026-09-07'), '2026-09-18')]))).toEqual([
      's1 2026-09-23',
      's2 2026-09-30',
      's3 2026-10-07',
    ]);
    const late = { registeredOn: '2026-10-01', registeredAt: at('2026-10-01', '07:00') };
    expect(steps(run(late, [moveDue(at('2026-10-02'), '2026-11-02')]))).toEqual([
      's1 2026-10-01',
      's2 2026-11-16',
      's3 2026-11-23',
    ]);
  });

  test('a request that has not left is taken back', () => {
    const contacts = [{ day: '2026-09-08', channel: 'email' as const, recipientKey: 'b' }];
    const played = run({}, [moveDue(at('2026-09-10'), '2026-10-02')], { customer: { contacts } });
    expect(steps(played)[0]).toBe('s1 2026-10-07');
  });
});

describe('clocks and zones', () => {
  test('the window is that of the customer, on days the clocks change too', () => {
    const zone = 'America/Los_Angeles';
    const played = run({ dueOn: '2026-10-28', policy: policy([5]) }, [], { customer: { zone } });
    expect(played.sent.map((s) => s.at)).toEqual([at('2026-11-02', '08:30', zone)]);
    const sunday = { contact: { ...NO_GAP.contact, days: 'mon-sun' } };
    const dst = run({ dueOn: '2026-10-20', policy: policy([5], sunday) });
    expect(dst.sent.map((s) => s.at)).toEqual([at('2026-10-25')]);
  });

  test('far to the east nothing is late while the creditor still counts the due date', () => {
    const zone = 'Pacific/Auckland';
    const p = policy([1, 8], { contact: { ...NO_GAP.contact, days: 'mon-sun' } });
    const played = run({ policy: p }, [], { customer: { zone } });
    expect(played.sent.map((s) => s.at)).toEqual([at('2026-09-04', '24:00'), at('2026-09-12', '08:30', zone)]);
  });

  test('a note is gone as soon as it is the due date for either', () => {
    const auckland = run({ policy: policy([-1]) }, [], { customer: { zone: 'Pacific/Auckland' } });
    expect(steps(auckland)).toEqual(['s1 2026-09-03']);
    const west = run({ policy: policy([-1], NO_GAP) }, [], {
      customer: { zone: 'America/Los_Angeles' },
      ...{ outages: [{ from: at('2026-09-03', '06:00'), to: at('2026-09-04', '01:00') }] },
    });
    // In Los Angeles it is still the 3rd, for the creditor it is the due date.
    expect(steps(west)).toEqual([]);
  });

  test('a promise breaks at the end of the creditor’s day', () => {
    const zone = 'America/Los_Angeles';
    const grace2 = { promise: { graceDays: 2, maxDays: 30, maxBroken: 2 } };
    const played = run({ policy: policy([5, 12, 19], grace2) }, [promise(at('2026-09-11'), '2026-09-18')], {
      customer: { zone },
    });
    expect(played.promises.map((p) => p.at)).toEqual([at('2026-09-20', '24:00')]);
    expect(steps(played)[1]).toBe('s2 2026-09-21');
  });
});

test('own days are known before anything left, but for what hangs on a step', () => {
  const draft: (number | StepDraft)[] = [5, { day: 7, from: 'previous' }];
  const facts = invoice({ policy: policy(draft) });
  expect(ladder(facts, '2026-08-05').map((r) => r.ownDay)).toEqual(['2026-09-09', null]);
});
