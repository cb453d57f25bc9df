import {
  BreakTag,
  CaseTag,
  ContinueTag,
  evalToken,
  ForTag,
  IfTag,
  Liquid,
  UnlessTag,
  type Context,
  type Emitter,
  type Parser,
  type TagToken,
  type Template,
  type TopLevelToken,
} from 'liquidjs';

/**
 * Renders the parts of a text. Creditors write them, so the engine knows only what a letter needs: no tag that reads
 * files or prints unescaped, no filter with a clock or chance in it (a text must be the same when it is made again).
 */
const TAGS: ReadonlySet<string> = new Set([
  'assign',
  'break',
  'case',
  'comment',
  'continue',
  'for',
  'if',
  'unless',
  '#',
]);

/** The filters that texts may use; docs/policies.md lists them. */
export const FILTERS: readonly string[] = [
  'append',
  'capitalize',
  'default',
  'downcase',
  'first',
  'join',
  'last',
  'minus',
  'plus',
  'prepend',
  'remove',
  'replace',
  'size',
  'strip',
  'truncate',
  'truncatewords',
  'upcase',
];

/**
 * Counted, not timed, so that one text over one model always has the same outcome: characters that were printed or made
 * by filters, and for each pass of a loop the length of its source. Far above what a message of a thousand invoices needs.
 */
const BUDGET = 2_000_000;
/** What no count foresees is stopped by time, in milliseconds. */
export const TIME_LIMIT_MS = 5_000;

/**
 * The engine of the parts.
 * @param every runs every branch of every condition and the body of every loop once, and goes on after a fault
 */
export function partsEngine(every: boolean): Liquid {
  const made = new Liquid({
    parseLimit: 200_000,
    memoryLimit: BUDGET,
    renderLimit: TIME_LIMIT_MS,
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    catchAllErrors: every,
    // No text can reach the disk: includes would be looked up in this empty table alone.
    templates: {},
    outputEscape: printable as (value: unknown) => string,
  });
  for (const name of Object.keys(made.tags)) if (!TAGS.has(name)) delete made.tags[name];
  for (const name of Object.keys(made.filters)) if (!FILTERS.includes(name)) delete made.filters[name];
  made.registerTag('for', every ? EveryFor : CountedFor);
  if (every) {
    made.registerTag('if', EveryIf);
    made.registerTag('unless', EveryUnless);
    made.registerTag('case', EveryCase);
    made.registerTag('break', GoOnBreak);
    made.registerTag('continue', GoOnContinue);
  }
  return made;
}

/** What is printed: one value that is there. A gap in a sentence is no better than an unknown word. */
function printable(this: { context: Context }, value: unknown): unknown {
  if (value === null || value === undefined) {
    throw new Error('a value that is not always there is printed without asking for it with "if"');
  }
  if (typeof value === 'object') throw new Error('a group of values cannot be printed, name one of them');
  this.context.memoryLimit.use(typeof value === 'string' ? value.length : 20);
  return value;
}

/** A loop whose passes are paid for. */
class CountedFor extends ForTag {
  constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid, parser: Parser) {
    super(token, remaining, liquid, parser);
    const cost = (remaining[0]?.begin ?? token.input.length) - token.begin;
    this.templates.unshift({ token, render: (context: Context) => context.memoryLimit.use(cost) });
  }
}

/** One pass over the first item, and the branch for an empty list. */
class EveryFor extends ForTag {
  override *render(context: Context, emitter: Emitter): Generator<unknown, void, Template[]> {
    const list: unknown = yield evalToken(this.collection, context);
    yield this.hash.render(context);
    if (!Array.isArray(list)) throw new Error('a loop goes over a list');
    const forloop = { index: 1, index0: 0, rindex: 1, rindex0: 0, first: true, last: true, length: 1 };
    context.push({ forloop, [this.variable]: list[0] ?? '' });
    try {
      yield this.liquid.renderer.renderTemplates(this.templates, context, emitter);
    } finally {
      context.pop();
    }
    yield this.liquid.renderer.renderTemplates(this.elseTemplates, context, emitter);
  }
}

class EveryIf extends IfTag {
  override *render(context: Context, emitter: Emitter): Generator<unknown, void, string> {
    for (const { value } of this.branches) yield value.value(context, false);
    const all = [...this.branches.flatMap((branch) => branch.templates), ...(this.elseTemplates ?? [])];
    yield this.liquid.renderer.renderTemplates(all, context, emitter);
  }
}

class EveryUnless extends UnlessTag {
  override *render(context: Context, emitter: Emitter): Generator<unknown, unknown, unknown> {
    for (const { value } of this.branches) yield value.value(context, false);
    const all = [...this.branches.flatMap((branch) => branch.templates), ...this.elseTemplates];
    return yield this.liquid.renderer.renderTemplates(all, context, emitter);
  }
}

class EveryCase extends CaseTag {
  override *render(context: Context, emitter: Emitter): Generator<unknown, void, unknown> {
    yield this.value.value(context, false);
    for (const token of this.branches.flatMap((branch) => branch.values)) yield evalToken(token, context, false);
    const all = [...this.branches.flatMap((branch) => branch.templates), ...this.elseTemplates];
    yield this.liquid.renderer.renderTemplates(all, context, emitter);
  }
}

class GoOnBreak extends BreakTag {
  override render(): void {}
}

class GoOnContinue extends ContinueTag {
  override render(): void {}
}
