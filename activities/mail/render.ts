import { Liquid, type Template } from 'liquidjs';
import { DomainError } from '../../domain/errors.ts';
import { parseAmount } from '../../domain/money.ts';
import { blocksOf, blockToHtml, blockToText, type Block } from './blocks.ts';
import { languageOf, type Language } from './format.ts';
import { collectorBlocks } from './collector.ts';
import type { MessageModel } from './message-model.ts';
import { renderPart } from './parts.ts';
import {
  isTemplateName,
  partsOf,
  readLabels,
  readLayout,
  readTemplate,
  type BuiltInTemplate,
  type TemplateParts,
} from './templates.ts';
import { partView, viewOf, type View } from './view.ts';

export { TEMPLATE_NAMES, type BuiltInTemplate } from './templates.ts';
export type { MessageModel, MessageRow, RowNote } from './message-model.ts';

export interface RenderedMessage {
  /** One line. */
  subject: string;
  /** Plain text, wrapped at 76 columns, lines ended by `\n`. */
  text: string;
  /** A whole HTML document with inline styles that loads nothing. */
  html: string;
}

/** For the layouts, which are ours; `parts.ts` has the engine of the texts in them. */
const LIMITS = { parseLimit: 200_000, renderLimit: 5_000, memoryLimit: 20_000_000 };
const COMMON = {
  ...LIMITS,
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  // No template can reach the disk: includes are looked up in this empty table alone.
  templates: {},
} as const;
const htmlEngine = new Liquid({ ...COMMON, outputEscape: 'escape' });
const textEngine = new Liquid(COMMON);

/** And spaces, but for those that hold words together. */
const LINE_BREAKS = /[ \t\r\n\u2028\u2029]+/g;
const PREHEADER_LENGTH = 140;
/** A header of a mail holds 998 characters (RFC 5322, 2.1.1). */
const SUBJECT_LENGTH = 900;

/** A message before it takes a form: what e-mail, text and letter are all made from. Nothing in it is escaped. */
export interface MessageParts {
  /** One line. */
  subject: string;
  /** What stands before the tables of invoices. */
  lead: Block[];
  /** What stands after them. */
  close: Block[];
}

/**
 * Renders a message in the model's language, in a creditor's own words where they are given, else in the built-in ones.
 * Either make plain text alone; HTML is that text escaped and put into the layout, so no words can become markup.
 * @throws DomainError `unknownTemplate`; `templateFailed` when the model lacks what the template names, or a limit was hit
 */
export function renderMessage(template: string, model: MessageModel, own?: TemplateParts): RenderedMessage {
  return rendering(template, model, (name, language, view) => {
    const { subject, lead, close } = partsIn(name, language, view, model, own);
    const { colon } = readLabels(language);
    const text = (blocks: Block[]): string => blocks.map((block) => blockToText(block, colon)).join('\n\n');
    return {
      subject,
      text: tidy(
        renderWith(textEngine, readLayout('text'), { ...view, subject, lead: text(lead), close: text(close) }),
      ),
      html: renderWith(htmlEngine, readLayout('html'), {
        ...view,
        subject,
        preheader: name === 'call-script' ? null : preheaderOf(lead),
        lead: lead.map(blockToHtml).join('\n'),
        close: close.map(blockToHtml).join('\n'),
      }),
    };
  });
}

/**
 * The parts of a message, for a form that lays them out itself (letters).
 * @throws DomainError as `renderMessage`
 */
export function renderParts(template: string, model: MessageModel, own?: TemplateParts): MessageParts {
  return rendering(template, model, (name, language, view) => partsIn(name, language, view, model, own));
}

function rendering<T>(
  template: string,
  model: MessageModel,
  render: (name: BuiltInTemplate, language: Language, view: View) => T,
): T {
  if (!isTemplateName(template)) throw new DomainError('unknownTemplate', `There is no template "${short(template)}".`);
  checkModel(template, model);
  const language = languageOf(model.locale);
  try {
    return render(template, language, viewOf(template, model, readLabels(language)));
  } catch (error) {
    // Liquid's messages name variables and lines of the template, never values.
    const reason = error instanceof Error ? error.message : 'unknown reason';
    throw new DomainError('templateFailed', `The template ${language}/${template} cannot be rendered: ${reason}`);
  }
}

function partsIn(
  name: BuiltInTemplate,
  language: Language,
  view: View,
  model: MessageModel,
  own?: TemplateParts,
): MessageParts {
  const source = own ?? partsOf(readTemplate(name, language));
  const seen = partView(view);
  const plain = (part: keyof TemplateParts): string => {
    const text = spaced(renderPart(source[part], seen), language);
    const why = unusable(part, text);
    if (why !== null) throw new Error(why);
    return text;
  };
  return {
    subject: plain('subject').replace(LINE_BREAKS, ' ').trim(),
    lead: blocksOf(plain('lead')),
    close: [...collectorBlocks(model), ...blocksOf(plain('close'))],
  };
}

/** Why a rendered part cannot be sent; null when it can. */
export function unusable(part: keyof TemplateParts, text: string): string | null {
  if (part !== 'close' && text.trim() === '') return `the ${part} is empty for some cases`;
  if (part === 'subject' && text.trim().length > SUBJECT_LENGTH) {
    return `the subject is longer than ${SUBJECT_LENGTH} characters for some cases`;
  }
  return null;
}

/**
 * Everything that decides how a template looks in a locale, for hashing and for keeping beside what was sent.
 * @throws DomainError `unknownTemplate`
 */
export function templateSource(name: string, locale: string): string {
  if (!isTemplateName(name)) throw new DomainError('unknownTemplate', `There is no template "${short(name)}".`);
  const language = languageOf(locale);
  const labels = JSON.stringify(readLabels(language));
  return [readTemplate(name, language), labels, readLayout('text'), readLayout('html')].join('\n');
}

const parsed = new Map<Liquid, Map<string, Template[]>>([
  [htmlEngine, new Map()],
  [textEngine, new Map()],
]);

function renderWith(engine: Liquid, source: string, view: View): string {
  const known = parsed.get(engine)!;
  const template = known.get(source) ?? engine.parse(source);
  known.set(source, template);
  return String(engine.renderSync(template, view));
}

/** French puts a space before : ; ? ! » and after «; a no-break one, so that no line begins with a colon. */
function spaced(text: string, language: Language): string {
  return language === 'fr' ? text.replace(/ (?=[:;?!»])/g, '\u00a0').replace(/« /g, '«\u00a0') : text;
}

/** No trailing spaces, no more than one blank line, one line end at the end. */
function tidy(text: string): string {
  return `${text
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

/** What mail programs show beside the subject: the first sentences after the salutation. */
function preheaderOf(lead: Block[]): string | null {
  const first = lead.slice(1).find((block) => block.kind === 'paragraph');
  return first?.kind === 'paragraph' ? short(first.text, PREHEADER_LENGTH) : null;
}

/** What a message cannot do without; Liquid would print a gap. */
function checkModel(template: BuiltInTemplate, model: MessageModel): void {
  const fail = (what: string): never => {
    throw new DomainError('templateFailed', `The template ${template} cannot be rendered: ${what}.`);
  };
  if (model.reference.trim() === '') fail('a reference is missing');
  if (template === 'thank-you') {
    if (!model.paid?.amounts.length || !model.paid.numbers.length) fail('what was paid is missing');
  } else if (template === 'plan-due' || template === 'plan-late') {
    if (!model.instalment) fail('the instalment is missing');
    if (template === 'plan-late' && !model.instalment?.lastGraceDay) fail('the last day of grace is missing');
  } else if (!model.tables.some((table) => table.rows.length > 0)) {
    fail('there is no invoice');
  }
  if (template === 'plan-note' && !model.instalments?.length) fail('the instalments are missing');
  if (model.claim && !addsUp(model.claim, model.tables)) fail('the claim does not add up');
  if (model.portalUrl !== null && !(/^https?:\/\//i.test(model.portalUrl) && URL.canParse(model.portalUrl))) {
    fail('the portal link must begin with https:// or http://');
  }
}

/** A claim asks for the principal of its currency's table and what is added to it, to the cent. */
function addsUp(claim: NonNullable<MessageModel['claim']>, tables: MessageModel['tables']): boolean {
  const table = tables.find((one) => one.currency === claim.currency);
  const minor = (amount: string | null | undefined): bigint => parseAmount(amount ?? '0', claim.currency);
  const parts = [claim.principal, claim.interest, claim.compensation, claim.costs].map(minor);
  return (
    table !== undefined &&
    minor(table.total) === minor(claim.principal) &&
    parts.reduce((sum, part) => sum + part, 0n) === minor(claim.total)
  );
}

function short(text: string, length = 60): string {
  const letters = Array.from(text);
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join('')}…`;
}
