import { isBeforeDue } from './steps.ts';
import type { Step, StepAnchor } from './types.ts';

/** The least number of days after the due date and after the issue date that the ladder has reached; unknown: none. */
interface Reached {
  due: number;
  issued: number;
}

/**
 * Walks up a ladder and tells whether each step can come after those before it, as far as days from different anchors
 * compare. From one anchor days must ascend. Whatever counts from the due date also lies at least as many days after the
 * issue date, since no invoice is due before it is issued; the reverse is not known. `previous` adds to both.
 */
export class StepOrder {
  readonly #reached: Reached = { due: -Infinity, issued: -Infinity };
  #overdueKey: string | null = null;
  #lastKey: string | null = null;

  /** Takes the next step and returns what is wrong with its place, `null` when nothing is. */
  next(step: Pick<Step, 'key' | 'from' | 'day' | 'template'>): string | null {
    const wrong = this.#wrongPlace(step);
    this.#reach(step);
    if (!isBeforeDue(step)) this.#overdueKey = step.key;
    this.#lastKey = step.key;
    return wrong;
  }

  /** The least number of days from this anchor at which all steps so far have left; `null` when it cannot be told. */
  reached(from: StepAnchor): number | null {
    if (from === 'previous') return 0;
    return Number.isFinite(this.#reached[from]) ? this.#reached[from] : null;
  }

  #wrongPlace(step: Pick<Step, 'from' | 'day' | 'template'>): string | null {
    if (isBeforeDue(step) && this.#overdueKey !== null) {
      return `A step before the due date cannot come after the step "${this.#overdueKey}".`;
    }
    if (step.from === 'previous' || step.day > this.#reached[step.from]) return null;
    const what = step.from === 'due' ? 'due date' : 'issue date';
    const least = this.#reached[step.from];
    return `Steps ascend: "${this.#lastKey}" leaves on day ${least} from the ${what} or later, so day ${step.day} is too early.`;
  }

  #reach(step: Pick<Step, 'from' | 'day'>): void {
    const reached = this.#reached;
    if (step.from === 'previous') {
      reached.due += step.day;
      reached.issued += step.day;
      return;
    }
    reached[step.from] = Math.max(reached[step.from], step.day);
    if (step.from === 'due') reached.issued = Math.max(reached.issued, step.day);
  }
}
