import { expect } from 'vitest';
import { stageOf } from '../../../domain/case/decide.ts';
import { isOpen, type CaseFacts, type Stage } from '../../../domain/case/facts.ts';
import {
  FORMAL_NOTICE,
  isAside,
  isBranch,
  PLACEMENT,
  planNoteOf,
  THANK_YOU,
  WRITE_OFF,
} from '../../../domain/case/requests.ts';
import { amountFor } from '../../../domain/money.ts';
import { addDays, daysBetween, type LocalDate } from '../../../domain/time/dates.ts';
import { instantAt, localDate, type Instant } from '../../../domain/time/zones.ts';
import type { Played, Sent } from './builders.ts';

/** The model of the model-based test: what a careful clerk with a pencil would know of a customer's invoices. */

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const positive = (a: bigint): bigint => (a > 0n ? a : 0n);

export interface Word {
  /** Null: all of it. */
  amount: bigint | null;
  lastDay: LocalDate;
  paidBefore: bigint;
  holds: boolean;
  status: 'active' | 'kept' | 'broken' | 'withdrawn';
}

export interface PlanSheet {
  agreedOn: LocalDate;
  shares: Map<string, bigint>;
  instalments: { dueOn: LocalDate; amount: bigint }[];
  graceDays: number;
  status: 'active' | 'kept' | 'broken' | 'cancelled';
}

/** One invoice on the clerk's desk. */
export class Sheet {
  readonly id: string;
  readonly facts: CaseFacts;
  owed: bigint;
  paid = 0n;
  closed: Stage | null = null;
  writtenOff = false;
  /** Last days of pauses and holds of the customer; null: until somebody lifts it. */
  pauses: (LocalDate | null)[] = [];
  insolvent = false;
  disputes: (bigint | null)[] = [];
  word: Word | null = null;
  brokenWords = 0;
  plan: PlanSheet | null = null;
  /** Whether a step after the due date has left, and the most a written one asked for. */
  reminded: boolean;
  mostWritten: bigint;
  notice: { leftOn: LocalDate; dispatchedOn: LocalDate | null; deliveredOn: LocalDate | null } | null = null;
  placed = false;
  /** `step@amount` of what a person approved. */
  approved = new Set<string>();
  /** A person gives it up without being asked. */
  givenUpByHand = false;
  left: Sent[] = [];

  constructor(facts: CaseFacts) {
    this.id = facts.invoiceId;
    this.facts = facts;
    this.owed = facts.balanceMinor;
    this.reminded = facts.lastStepSent !== null;
    this.mostWritten = this.reminded ? facts.amountMinor : 0n;
  }

  get asks(): bigint {
    const disputed = least(
      this.disputes.reduce<bigint>((sum, part) => sum + (part ?? this.owed), 0n),
      this.owed,
    );
    return this.owed - disputed - least(this.wordRest(), this.owed - disputed);
  }

  /** What is still to come of a promise that holds. */
  wordRest(): bigint {
    if (this.word?.status !== 'active' || !this.word.holds) return 0n;
    return this.word.amount === null ? this.owed : this.#restOf(this.word.amount, this.word.paidBefore);
  }

  #restOf(amount: bigint, paidBefore: bigint): bigint {
    return positive(amount - positive(this.paid - paidBefore));
  }

  held(today: LocalDate): boolean {
    const paused = this.pauses.some((until) => until === null || today <= until);
    return paused || this.insolvent || this.plan?.status === 'active' || this.asks === 0n;
  }

  /** What a promise has come to by now. */
  judge(now: Instant, zone: string): void {
    const { word } = this;
    if (word?.status !== 'active') return;
    if (this.owed === 0n || (word.amount !== null && this.#restOf(word.amount, word.paidBefore) === 0n)) {
      word.status = 'kept';
    } else if (now >= instantAt(word.lastDay, '24:00', zone)) {
      word.status = 'broken';
      this.brokenWords += 1;
    }
  }
}

export class Clerk {
  readonly sheets: Sheet[];
  readonly zone: string;
  closedDays: { from: LocalDate; to: LocalDate }[] = [];
  #seenSent = 0;
  #seenApprovals = 0;

  constructor(cases: readonly CaseFacts[], zone: string) {
    this.sheets = cases.map((c) => new Sheet(c));
    this.zone = zone;
  }

  get plans(): PlanSheet[] {
    return [...new Set(this.sheets.flatMap((s) => s.plan ?? []))];
  }

  planPaid(plan: PlanSheet): bigint {
    return this.sheets.reduce((sum, s) => sum + positive((plan.shares.get(s.id) ?? s.owed) - s.owed), 0n);
  }

  /** The first instalment that is not paid, and what of it is missing. */
  openInstalment(plan: PlanSheet): { n: number; dueOn: LocalDate; rest: bigint } | null {
    let paid = this.planPaid(plan);
    for (const [index, { dueOn, amount }] of plan.instalments.entries()) {
      if (paid < amount) return { n: index + 1, dueOn, rest: amount - paid };
      paid -= amount;
    }
    return null;
  }

  /** Words and plans that time or money has ended. */
  judge(now: Instant): void {
    for (const sheet of this.sheets) sheet.judge(now, this.zone);
    for (const plan of this.plans) {
      if (plan.status !== 'active') continue;
      const open = this.openInstalment(plan);
      if (open === null) plan.status = 'kept';
      else if (now >= instantAt(addDays(open.dueOn, plan.graceDays), '24:00', this.zone)) plan.status = 'broken';
    }
  }

  /** Compares everything that happened at an instant with what the clerk would have allowed. */
  compare(played: Played, now: Instant): void {
    const today = localDate(now, this.zone);
    this.judge(now);
    for (const sent of played.sent.slice(this.#seenSent)) this.#checkSent(sent, played, today);
    this.#seenSent = played.sent.length;
    for (const sheet of this.sheets) this.#checkActs(sheet, played.cases.get(sheet.id)!, played, today);
    for (const asked of played.approvals.slice(this.#seenApprovals)) this.#checkApproval(asked, played);
    this.#seenApprovals = played.approvals.length;
    // A case that acted may have ended what others had together with it.
    this.judge(now);
    for (const sheet of this.sheets) this.#checkState(sheet, played, today);
  }

  #sheet = (id: string): Sheet => this.sheets.find((s) => s.id === id)!;

  #checkSent(sent: Sent, played: Played, today: LocalDate): void {
    const sheet = this.#sheet(sent.invoiceId);
    const { policy, limitationOn } = sheet.facts;
    const { dueOn } = played.cases.get(sheet.id)!;
    const what = `${sent.invoiceId} ${sent.step} of ${sent.amountMinor} on ${sent.day}`;
    expect(
      this.closedDays.some((d) => d.from <= sent.day && sent.day <= d.to),
      `${what}: closed`,
    ).toBe(false);
    if (sent.step === THANK_YOU) {
      expect([sheet.owed, sent.amountMinor], what).toEqual([0n, sheet.paid]);
      return;
    }
    expect([sheet.placed, limitationOn !== null && today > limitationOn], `${what}: placed or barred`).toEqual([
      false,
      false,
    ]);
    const note = planNoteOf(sent.step);
    if (note !== null) {
      const plan = sheet.plan!;
      const open = this.openInstalment(plan);
      const amount = note.note === 'agreed' ? plan.instalments.reduce((sum, i) => sum + i.amount, 0n) : open?.rest;
      expect([plan.status, sent.amountMinor], what).toEqual(['active', amount]);
      if (note.n !== null) expect(note.n, what).toBe(open?.n);
      expect(this.sheets.filter((s) => s.left.some((before) => before.step === sent.step))).toEqual([]);
      sheet.left.push(sent);
      return;
    }
    expect(sheet.owed > 0n && !sheet.held(today), `${what}: held or paid`).toBe(true);
    expect(sent.amountMinor, what).toBe(sheet.asks);
    const again = sent.message.items.find((i) => i.invoiceId === sheet.id)!.occurrence > 1;
    if (sent.step === FORMAL_NOTICE) {
      expect([sheet.notice, today > dueOn], `${what}: a second notice, or none is due`).toEqual([null, true]);
      expect(sent.amountMinor <= sheet.mostWritten, `${what}: never reminded of as much`).toBe(true);
      if (policy.formalNotice!.approval !== null) {
        expect([...sheet.approved], what).toContain(`${FORMAL_NOTICE}@${sent.amountMinor}`);
      }
      const byMail = sent.channel === 'email';
      sheet.notice = { leftOn: sent.day, dispatchedOn: byMail ? sent.day : null, deliveredOn: null };
      sheet.left.push(sent);
      return;
    }
    const before = sheet.left.filter((s) => s.step === sent.step && !isBranch(s.step));
    if (again) expect(sent.amountMinor > sheet.mostWritten, `${what}: again for no more`).toBe(true);
    else {
      expect(before, `${what}: twice`).toEqual([]);
      const rank = (key: string): number => policy.steps.findIndex((s) => s.key === key);
      const firmer = sheet.left.filter((s) => !isAside(s.step) && !isBranch(s.step) && rank(s.step) > rank(sent.step));
      expect(firmer, `${what}: after a firmer one`).toEqual([]);
      expect(rank(sent.step)).toBeGreaterThan(rank(sheet.facts.lastStepSent ?? ''));
    }
    const minimum = amountFor(policy.minimumAmount, 'EUR');
    if (minimum !== null) expect(sent.amountMinor >= minimum, `${what}: below the minimum`).toBe(true);
    sheet.left.push(sent);
    if (sent.message.kind !== 'reminder') return;
    sheet.reminded = true;
    if (sent.channel !== 'call' && sent.amountMinor > sheet.mostWritten) sheet.mostWritten = sent.amountMinor;
  }

  /** A branch is asked about only while it may be taken, and for what is owed then. */
  #checkApproval({ invoiceId, step, at }: Played['approvals'][number], played: Played): void {
    if (!isBranch(step)) return;
    const open = played.cases.get(invoiceId)!.steps.find((s) => s.step === step && s.status === 'awaitingApproval');
    const sheet = this.#sheet(invoiceId);
    // An answer that was there already, or a taking back, may have come at once.
    if (!open || open.plannedAt !== at) return;
    expect(open.amountMinor, `${invoiceId} asks for the approval of ${step}`).toBe(
      step === WRITE_OFF ? sheet.owed : sheet.asks,
    );
  }

  /** What a turn did that cannot be taken back: a hand-over, a write-off. */
  #checkActs(sheet: Sheet, facts: CaseFacts, played: Played, today: LocalDate): void {
    const { policy } = facts;
    const { placement } = facts;
    if (placement?.status === 'active' && !sheet.placed) {
      const { notice } = sheet;
      const reached =
        notice?.deliveredOn ??
        (notice?.dispatchedOn && addDays(notice.dispatchedOn, policy.formalNotice!.dispatchDays));
      expect(reached, `${sheet.id} placed without a notice`).toBeTruthy();
      expect(daysBetween(reached!, today), `${sheet.id} placed`).toBeGreaterThan(policy.formalNotice!.deadlineDays);
      expect(daysBetween(notice!.leftOn, today)).toBeGreaterThanOrEqual(policy.placement!.daysAfterNotice);
      const record = facts.steps.findLast((s) => s.step === PLACEMENT)!;
      expect([record.status, record.amountMinor, sheet.held(today)]).toEqual(['left', sheet.asks, false]);
      if (policy.placement!.approval !== null || played.customer.agencyId === null) {
        expect([...sheet.approved]).toContain(`${PLACEMENT}@${record.amountMinor}`);
      }
      sheet.placed = true;
    }
    const last = facts.movements.at(-1);
    if (facts.balanceMinor === 0n && sheet.owed > 0n) {
      expect(last, `${sheet.id} lost its balance`).toMatchObject({ kind: 'writeOff', amountMinor: -sheet.owed });
      const below = amountFor(policy.writeOff!.below, 'EUR');
      const small = below !== null && sheet.owed < below && sheet.asks === sheet.owed;
      const allowed = small || policy.writeOff!.approval === null || sheet.approved.has(`${WRITE_OFF}@${sheet.owed}`);
      expect(allowed || sheet.givenUpByHand, `${sheet.id} written off by nobody`).toBe(true);
      sheet.owed = 0n;
      sheet.writtenOff = true;
    }
  }

  #checkState(sheet: Sheet, played: Played, today: LocalDate): void {
    const facts = played.cases.get(sheet.id)!;
    const open = sheet.owed > 0n;
    const expected: Stage = sheet.writtenOff ? 'writtenOff' : sheet.paid > 0n ? 'settled' : 'cancelled';
    expect([facts.balanceMinor, facts.stage, isOpen(facts.stage)], `${sheet.id} owes`).toEqual([
      sheet.owed,
      open ? facts.stage : expected,
      open,
    ]);
    if (!open) {
      sheet.closed = expected;
      sheet.disputes = [];
      sheet.pauses = [];
      sheet.placed = false;
      return;
    }
    const stage = stageOf(facts);
    // What was asked of outreach and not sent yet counts already.
    const early = stage === 'reminding' && facts.steps.some((s) => s.status === 'requested' || s.status === 'failed');
    const foreseen = sheet.placed
      ? 'placed'
      : sheet.notice
        ? 'formalNotice'
        : sheet.reminded
          ? 'reminding'
          : 'upcoming';
    if (!(early && foreseen === 'upcoming')) expect(stage, `${sheet.id} stands`).toBe(foreseen);
    if (sheet.word !== null) expect(facts.promises.at(-1)!.status, `word of ${sheet.id}`).toBe(sheet.word.status);
    if (sheet.plan !== null) expect(facts.plans.at(-1)!.status, `plan of ${sheet.id}`).toBe(sheet.plan.status);
    const waiting = facts.steps.filter(
      (s) => !isAside(s.step) && (s.status === 'requested' || s.status === 'awaitingApproval'),
    );
    expect(waiting.length, `open steps of ${sheet.id}`).toBeLessThanOrEqual(1);
    if (played.wakeAt.has(sheet.id)) return;
    // Nothing will wake it by itself: something holds it, or somebody was asked.
    const posting = sheet.notice !== null && sheet.notice.dispatchedOn === null;
    const asked = posting || waiting.length > 0 || facts.tasksOpened.some((t) => t !== 'missingAddress');
    expect(sheet.held(today) || sheet.placed || asked, `${sheet.id} sleeps for ever`).toBe(true);
  }
}
