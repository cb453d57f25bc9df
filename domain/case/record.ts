/**
 * How facts and decisions are written down and read again: as JSON, whatever fields they have. Amounts become `#` and
 * digits; what is shared and kept elsewhere (a policy's version, a table of holidays) becomes a reference.
 */
export type Reference = { readonly [name: string]: string | number };

/** `refOf`: the reference of an object that is kept elsewhere; null for every other. */
export function toRecord(value: unknown, refOf: (value: object) => Reference | null): unknown {
  if (typeof value === 'bigint') return `#${value}`;
  if (typeof value !== 'object' || value === null) return value;
  const ref = refOf(value);
  if (ref !== null) return ref;
  if (Array.isArray(value)) return value.map((one) => toRecord(one, refOf));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [[name, toRecord(member, refOf)]])),
  );
}

/** The other way round. `known`: what a reference stands for; undefined where the object is none. */
export function fromRecord(value: unknown, known: (value: Reference) => unknown): unknown {
  if (typeof value === 'string') return /^#-?\d+$/.test(value) ? BigInt(value.slice(1)) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => fromRecord(one, known));
  const kept = known(value as Reference);
  if (kept !== undefined) return kept;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fromRecord(member, known)]));
}

/** Where two records differ first, as a path such as `steps.2.status`, and what stands there; null where they agree. */
export function firstDifference(
  recorded: unknown,
  derived: unknown,
  path = '',
): { path: string; recorded: unknown; derived: unknown } | null {
  if (isComposite(recorded) && isComposite(derived) && Array.isArray(recorded) === Array.isArray(derived)) {
    const names = [...new Set([...Object.keys(recorded), ...Object.keys(derived)])].sort();
    for (const name of names) {
      const at = path === '' ? name : `${path}.${name}`;
      const found = firstDifference(recorded[name], derived[name], at);
      if (found) return found;
    }
    return null;
  }
  return recorded === derived ? null : { path, recorded: recorded ?? null, derived: derived ?? null };
}

const isComposite = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
