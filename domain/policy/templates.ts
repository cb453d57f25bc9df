import type { Channel } from './types.ts';

/** The texts a policy can name; each exists in every language, chosen by the customer's locale. */
export const TEMPLATE_NAMES = [
  'before-due',
  'reminder',
  'last-reminder',
  'call-script',
  'thank-you',
  'formal-notice',
  'plan-note',
  'plan-due',
  'plan-late',
] as const;
export type KnownTemplate = (typeof TEMPLATE_NAMES)[number];

/** The languages that texts exist in. */
export const LANGUAGES = ['fr', 'de', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The three parts of a text, each Liquid: plain words, from which the layouts make text, HTML and paper. */
export interface TemplateParts {
  subject: string;
  /** Before the table of invoices. */
  lead: string;
  /** After it. */
  close: string;
}

/** Where in a policy a template belongs: a step of the ladder, the formal notice, or a note that outreach adds. */
export type TemplateUse = 'step' | 'formalNotice' | 'note';

interface TemplateFit {
  use: TemplateUse;
  /** Channels over which the text can go out. */
  channels: readonly Channel[];
}

export const TEMPLATES: Readonly<Record<KnownTemplate, TemplateFit>> = {
  'before-due': { use: 'step', channels: ['email', 'letter'] },
  reminder: { use: 'step', channels: ['email', 'letter', 'registeredLetter'] },
  'last-reminder': { use: 'step', channels: ['email', 'letter', 'registeredLetter'] },
  'call-script': { use: 'step', channels: ['call'] },
  'thank-you': { use: 'note', channels: ['email'] },
  'formal-notice': { use: 'formalNotice', channels: ['email', 'letter', 'registeredLetter'] },
  'plan-note': { use: 'note', channels: ['email', 'letter'] },
  'plan-due': { use: 'note', channels: ['email', 'letter'] },
  'plan-late': { use: 'note', channels: ['email', 'letter'] },
};

export function isTemplateName(name: string): name is KnownTemplate {
  return Object.hasOwn(TEMPLATES, name);
}
