import { DomainError, type Fault } from '../errors.ts';
import { parseAmount } from '../money.ts';
import type { AmountsByCurrency } from './types.ts';

/** Enough to mend a policy by; a hostile body does not get a report longer than itself. */
const MAX_FAULTS = 100;

/** Gathers what is wrong with an input instead of stopping at the first fault. */
export class Faults {
  readonly list: Fault[] = [];

  add(pointer: string, code: string, message: string): void {
    if (this.list.length < MAX_FAULTS) this.list.push({ pointer, code, message });
  }
}

/**
 * One JSON object being read field by field. A missing field yields its default; a wrong one leaves a fault and yields
 * the default too, so that reading goes on. `close` reports the fields nobody asked for.
 */
export class Form {
  readonly pointer: string;
  readonly faults: Faults;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  private constructor(values: Readonly<Record<string, unknown>>, pointer: string, faults: Faults) {
    this.#values = values;
    this.pointer = pointer;
    this.faults = faults;
  }

  /** The form over a JSON object; anything else is a fault and yields `null`. */
  static of(value: unknown, pointer: string, faults: Faults): Form | null {
    if (isObject(value)) return new Form(value, pointer, faults);
    faults.add(pointer, 'wrongType', 'An object is expected here.');
    return null;
  }

  /** RFC 6901 pointer to a field of this object. */
  at(field: string): string {
    return `${this.pointer}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#values, field) && this.#values[field] !== undefined;
  }

  raw(field: string): unknown {
    this.#known.add(field);
    return this.has(field) ? this.#values[field] : undefined;
  }

  fault(field: string, code: string, message: string): void {
    this.faults.add(this.at(field), code, message);
  }

  required(...fields: string[]): void {
    for (const field of fields) if (!this.has(field)) this.fault(field, 'required', `"${field}" is required.`);
  }

  /** A text that matches the pattern. */
  text(field: string, pattern: RegExp, hint: string, otherwise: string): string {
    const value = this.raw(field);
    if (value === undefined) return otherwise;
    if (typeof value !== 'string') this.fault(field, 'wrongType', `"${field}" is a text: ${hint}.`);
    else if (!pattern.test(value)) this.fault(field, 'formatInvalid', `"${field}" is ${hint}.`);
    else return value;
    return otherwise;
  }

  /** One of a few words. */
  choice<T extends string>(field: string, words: readonly T[], otherwise: T): T {
    const value = this.raw(field);
    if (value === undefined) return otherwise;
    const word = words.find((known) => known === value);
    if (word === undefined) this.fault(field, 'unknownValue', `"${field}" is one of: ${words.join(', ')}.`);
    return word ?? otherwise;
  }

  /** One of a few words, or `null`. */
  choiceOrNull<T extends string>(field: string, words: readonly T[], otherwise: T | null): T | null {
    if (this.raw(field) === null) return null;
    if (!this.has(field)) return otherwise;
    return this.choice(field, words, words[0] as T);
  }

  /** A list of different words. */
  choices<T extends string>(
    field: string,
    words: readonly T[],
    atLeast: number,
    otherwise: readonly T[],
  ): readonly T[] {
    const value = this.raw(field);
    if (value === undefined) return otherwise;
    if (!Array.isArray(value)) {
      this.fault(field, 'wrongType', `"${field}" is a list of: ${words.join(', ')}.`);
      return otherwise;
    }
    if (value.length < atLeast) this.fault(field, 'tooFewItems', `"${field}" names at least ${atLeast}.`);
    const found: T[] = [];
    for (const [index, item] of value.slice(0, words.length + 1).entries()) {
      const word = words.find((known) => known === item);
      const pointer = `${this.at(field)}/${index}`;
      if (word === undefined) this.faults.add(pointer, 'unknownValue', `One of: ${words.join(', ')}.`);
      else if (found.includes(word)) this.faults.add(pointer, 'duplicate', `"${word}" is named twice.`);
      else found.push(word);
    }
    return found;
  }

  /** A whole number within bounds, both included. */
  whole(field: string, least: number, most: number, otherwise: number): number {
    const value = this.raw(field);
    if (value === undefined) return otherwise;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      this.fault(field, 'wrongType', `"${field}" is a whole number from ${least} to ${most}.`);
    } else if (value < least || value > most) {
      this.fault(field, 'outOfRange', `"${field}" is from ${least} to ${most}, not ${value}.`);
    } else return value === 0 ? 0 : value; // JSON can hold -0
    return otherwise;
  }

  flag(field: string, otherwise: boolean): boolean {
    const value = this.raw(field);
    if (value === undefined) return otherwise;
    if (typeof value === 'boolean') return value;
    this.fault(field, 'wrongType', `"${field}" is true or false.`);
    return otherwise;
  }

  /** Decimal strings by currency, each with no more decimals than its currency; `null` stands for none. */
  amounts(field: string): AmountsByCurrency {
    const value = this.raw(field);
    if (value === undefined || value === null) return {};
    const form = Form.of(value, this.at(field), this.faults);
    if (!form) return {};
    const found: [string, string][] = [];
    for (const [currency, amount] of Object.entries(form.#values)) {
      if (typeof amount !== 'string') {
        form.fault(currency, 'wrongType', 'An amount is a decimal text like "30.00".');
        continue;
      }
      try {
        parseAmount(amount, currency);
        found.push([currency, amount]);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        form.fault(currency, error.code, error.message);
      }
    }
    return Object.fromEntries(found);
  }

  /** As `amounts`, where having no list at all means something else than an empty one. */
  amountsOrNull(field: string): AmountsByCurrency | null {
    return (this.raw(field) ?? null) === null ? null : this.amounts(field);
  }

  /**
   * A part of its own: `absent` when it is not there, `off` when it is `null`, else what `read` makes of it. What `read`
   * leaves unread is an unknown field.
   */
  part<T>(field: string, absent: T, off: T, read: (form: Form) => T): T {
    const value = this.raw(field);
    if (value === undefined) return absent;
    if (value === null) return off;
    const form = Form.of(value, this.at(field), this.faults);
    if (!form) return absent;
    const result = read(form);
    form.close();
    return result;
  }

  close(): void {
    for (const field of Object.keys(this.#values)) {
      if (this.#known.has(field)) continue;
      const known = [...this.#known].join(', ');
      this.fault(field, 'unknownField', `There is no such field here; there are: ${known}.`);
    }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
