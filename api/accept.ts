import { Problem } from './problem.ts';

/**
 * The first of the media types that an `Accept` header prefers and that can be answered, by its key in `known`; the first
 * of `known` where the header takes anything. Throws `notAcceptable`. RFC 9110, 12.5.1: the higher `q` is preferred, 0 is
 * refused.
 */
export function accepted<K extends string>(header: string | undefined, known: Readonly<Record<K, string>>): K {
  const keys = Object.keys(known) as K[];
  const wanted = (header ?? '*/*')
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith('q='));
      return { type, q: q === undefined ? 1 : Number(q.slice(2)) };
    })
    .sort((a, b) => b.q - a.q);
  const refused = new Set(wanted.filter(({ q }) => !(q > 0)).map(({ type }) => type));
  for (const { type } of wanted.filter(({ q }) => q > 0)) {
    const fits = (media: string): boolean =>
      !refused.has(media) && (type === '*/*' || type === media || type === `${media.split('/')[0]}/*`);
    const found = keys.find((key) => fits(known[key]));
    if (found !== undefined) return found;
  }
  throw new Problem('notAcceptable', `This can be ${Object.values(known).join(', ')}.`);
}
