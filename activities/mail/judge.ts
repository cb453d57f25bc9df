import type { Fault } from '../../domain/errors.ts';
import type { KnownTemplate, Language, TemplateParts } from '../../domain/policy/templates.ts';
import { renderPart, tryEveryBranch } from './parts.ts';
import { unusable } from './render.ts';
import { fullView, sampleModel, sampleShapes } from './samples.ts';
import { readLabels } from './templates.ts';
import { partView, viewOf } from './view.ts';

/**
 * How long the judgement of one text may take in all, in real milliseconds; a usual one takes a few dozen. What a text costs
 * is counted (`parts-engine.ts`), so that it is judged the same on every machine: this only ends what nobody thought of.
 */
const JUDGE_MS = 10_000;

const PARTS = ['subject', 'lead', 'close'] as const;

/**
 * What is wrong with a text, each fault with a pointer to its part and the line in its message; none when it can be used.
 * It is read, then everything it names is looked up, in branches not taken too, then it is filled in for a case of every
 * shape: what fails for one of them would fail for a customer.
 */
export function templateFaults(name: KnownTemplate, language: Language, parts: TemplateParts): Fault[] {
  const until = performance.now() + JUDGE_MS;
  const left = (): number => Math.max(1, until - performance.now());
  const html = PARTS.flatMap((part) => htmlFaults(part, parts[part]));
  if (html.length > 0) return html;

  const everything = fullView(name, language);
  const unknown = PARTS.flatMap((part) => faultsOf(part, () => tryEveryBranch(parts[part], everything, left())));
  if (unknown.length > 0) return unknown;

  const found = new Map<string, Fault>();
  for (const shape of sampleShapes(name)) {
    const view = partView(viewOf(name, sampleModel(name, language, shape), readLabels(language)));
    for (const part of PARTS) {
      if (found.has(part)) continue;
      const [fault] = faultsOf(part, () => {
        const why = unusable(part, renderPart(parts[part], view, left()));
        if (why !== null) throw new Unusable(why);
      });
      if (fault) found.set(part, fault);
    }
  }
  return [...found.values()];
}

/** The layout makes the HTML. Tags and entities would be shown to the reader as they were typed. */
function htmlFaults(part: string, source: string): Fault[] {
  const text = withoutTags(source);
  const found = /<[a-z!/?]|&(?:[a-z]+|#\w+);/i.exec(text);
  if (!found) return [];
  const line = text.slice(0, found.index).split('\n').length;
  const message = `Line ${line}: HTML is not taken here, the layout makes it; write plain text.`;
  return [{ pointer: `/${part}`, code: 'htmlNotAllowed', message }];
}

/** Comparisons in a tag of Liquid are no HTML: tags become blanks, their line breaks stay. */
function withoutTags(source: string): string {
  let text = '';
  for (let at = 0; ;) {
    const begin = source.indexOf('{%', at);
    const end = begin < 0 ? -1 : source.indexOf('%}', begin) + 2;
    if (end < 2) return text + source.slice(at);
    text += source.slice(at, begin) + source.slice(begin, end).replace(/[^\n]/g, ' ');
    at = end;
  }
}

class Unusable extends Error {}

/** The faults that running a step shows; several only where the engine went on after the first. */
function faultsOf(part: string, run: () => void): Fault[] {
  try {
    run();
    return [];
  } catch (error) {
    const faults = single(error).map((one) => ({ pointer: `/${part}`, code: codeOf(one), message: messageOf(one) }));
    return faults.filter((fault, i) => faults.findIndex((other) => other.message === fault.message) === i);
  }
}

function single(error: unknown): unknown[] {
  const { errors } = error as { errors?: unknown };
  return Array.isArray(errors) ? errors.flatMap(single) : [error];
}

function codeOf(error: unknown): string {
  const { name, message } = error as Error;
  if (error instanceof Unusable) return 'templateUnusable';
  if (name === 'UndefinedVariableError') return 'unknownVariable';
  if (/limit exceeded/.test(message)) return 'templateTooCostly';
  if (/undefined filter|tag ".*" not found/.test(message)) return 'notAllowed';
  return name === 'RenderError' ? 'templateUnusable' : 'templateSyntax';
}

/** Liquid's own words with the line in front. They name what the source says, never a value. */
function messageOf(error: unknown): string {
  const { message, token } = error as Error & { token?: { getPosition?: () => [number, number] } };
  const line = token?.getPosition?.()[0];
  if (/limit exceeded/.test(message)) return 'It repeats or prints more than a message can hold.';
  const text = message.replace(/, line:\d+, col:\d+$/, '').replace(/^\w/, (letter) => letter.toLowerCase());
  return line === undefined ? `${text}.` : `Line ${line}: ${text}.`;
}
