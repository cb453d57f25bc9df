/** How a column writes amounts; null when none of its values tells. `mixed`: as many values say one as the other. */
export type DecimalMark = ',' | '.' | 'mixed' | null;

export type AmountText =
  { negative: boolean; decimal: string; currency: string | null } | { problem: 'amountInvalid' | 'amountAmbiguous' };

interface Parts {
  negative: boolean;
  /** Digits, points and commas only. */
  body: string;
  currency: string | null;
}

/** Space, no-break, narrow and thin spaces, and the Swiss apostrophes: never a decimal mark. */
const GROUPING = /[\s\u00a0\u202f\u2009\u2007'’]/g;
const SYMBOLS: Record<string, string> = { '€': 'EUR', '£': 'GBP' };

function parts(text: string): Parts | null {
  let rest = text.replace(/[\u2212\u2013]/g, '-').trim();
  let negative = false;
  const parentheses = /^\((.*)\)$/.exec(rest);
  if (parentheses) {
    negative = true;
    rest = parentheses[1]!.trim();
  }
  let currency: string | null = null;
  const named = /^([A-Z]{3}|[€£$])\s*([-+]?.*)$/.exec(rest) ?? /^(.*?)\s*([A-Z]{3}|[€£$])\s*([-+]?)$/.exec(rest);
  if (named) {
    const inFront = /^(?:[A-Z]{3}|[€£$])$/.test(named[1]!);
    const mark = inFront ? named[1]! : named[2]!;
    rest = (inFront ? named[2]! : named[1]! + named[3]!).trim();
    currency = /^[A-Z]{3}$/.test(mark) ? mark : (SYMBOLS[mark] ?? null);
  }
  const sign = /^([-+]?)\s*(.*?)\s*([-+]?)$/.exec(rest)!;
  const [, lead = '', inner = '', trail = ''] = sign;
  if (lead !== '' && trail !== '') return null;
  if (lead === '-' || trail === '-') {
    if (negative) return null;
    negative = true;
  }
  if (!spacesGroup(inner)) return null;
  const body = inner.replace(GROUPING, '');
  return /^\d[\d.,]*$|^[.,]\d+$/.test(body) ? { negative, body, currency } : null;
}

/** Spaces and apostrophes must stand between groups of three: `12 5,00` is two numbers, not one. */
const spacesGroup = (text: string): boolean =>
  !new RegExp(GROUPING.source).test(text) || new RegExp(`^\\d{1,3}(${GROUPING.source}\\d{3})+([.,]\\d*)?$`).test(text);

const GROUPED_BY: Record<',' | '.', RegExp> = {
  '.': /^\d{1,3}(\.\d{3})+(,\d*)?$/,
  ',': /^\d{1,3}(,\d{3})+(\.\d*)?$/,
};

/** The decimal mark that a single value proves, or null: `1.234` may be either. */
function proves(body: string, spaced: boolean): ',' | '.' | null {
  const points = body.split('.').length - 1;
  const commas = body.split(',').length - 1;
  if (points && commas) return body.lastIndexOf('.') > body.lastIndexOf(',') ? '.' : ',';
  if (points > 1) return ',';
  if (commas > 1) return '.';
  if (points + commas === 0) return null;
  const mark = points ? '.' : ',';
  const [whole = '', behind = ''] = body.split(mark);
  const couldGroup = !spaced && behind.length === 3 && /^[1-9]\d{0,2}$/.test(whole);
  return couldGroup ? null : mark;
}

/** Gathers over a column what its amounts show about their decimal mark. */
export class DecimalEvidence {
  private readonly seen = { ',': 0, '.': 0 };

  see(text: string): void {
    const read = parts(text);
    const mark = read && proves(read.body, hasGroupingSpace(text));
    if (mark) this.seen[mark]++;
  }

  mark(): DecimalMark {
    const { ',': comma, '.': point } = this.seen;
    if (comma === 0 && point === 0) return null;
    return comma === point ? 'mixed' : comma > point ? ',' : '.';
  }
}

const hasGroupingSpace = (text: string): boolean => /\d[\s\u00a0\u202f\u2009\u2007'’]\d/.test(text);

/**
 * An amount as a column writes it, to sign and plain decimal (`1234.5`). A value that contradicts its column's mark is
 * `amountInvalid`; one that could be read two ways where the column does not tell is `amountAmbiguous`: a wrong guess would
 * ask a customer for a thousand times the amount.
 */
export function parseAmountText(text: string, mark: DecimalMark): AmountText {
  const read = parts(text);
  if (!read) return { problem: 'amountInvalid' };
  const { body } = read;
  const done = (decimal: string): AmountText => ({
    negative: read.negative,
    decimal: decimal.replace(/^0+(?=\d)/, ''),
    currency: read.currency,
  });
  if (/^\d+$/.test(body)) return done(body);
  if (mark === null || mark === 'mixed') return { problem: 'amountAmbiguous' };
  const grouping = mark === ',' ? '.' : ',';
  if (body.includes(grouping) && !GROUPED_BY[grouping].test(body)) return { problem: 'amountInvalid' };
  const [whole = '', behind = '', ...more] = body.replaceAll(grouping, '').split(mark);
  if (more.length > 0) return { problem: 'amountInvalid' };
  return done(behind === '' ? whole : `${whole === '' ? '0' : whole}.${behind}`);
}
