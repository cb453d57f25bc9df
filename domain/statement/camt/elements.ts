/**
 * What of a camt message is kept while it is read: names without their prefixes, since banks choose prefixes freely and
 * versions change namespaces, and of the attributes the currency alone.
 */
export class XmlElement {
  readonly name: string;
  readonly currency: string | null;
  readonly parent: XmlElement | null;
  text = '';
  /** Its first child; each child knows the next. */
  first: XmlElement | null = null;
  private last: XmlElement | null = null;
  next: XmlElement | null = null;

  constructor(name: string, currency: string | null, parent: XmlElement | null) {
    this.name = name;
    this.currency = currency;
    this.parent = parent;
  }

  append(child: XmlElement): void {
    if (this.last === null) this.first = child;
    else this.last.next = child;
    this.last = child;
  }
}

/** The first child of that name. */
export function child(element: XmlElement | null, name: string): XmlElement | null {
  for (let one = element?.first ?? null; one !== null; one = one.next) if (one.name === name) return one;
  return null;
}

/** All children of that name. */
export function childrenOf(element: XmlElement | null, name: string): XmlElement[] {
  const found: XmlElement[] = [];
  for (let one = element?.first ?? null; one !== null; one = one.next) if (one.name === name) found.push(one);
  return found;
}

/** The first descendant by a path of names. */
export function find(element: XmlElement | null, ...path: string[]): XmlElement | null {
  let at = element;
  for (const name of path) at = child(at, name);
  return at;
}

/** Trimmed text of the first descendant by path; null when absent or empty. */
export function textOf(element: XmlElement | null, ...path: string[]): string | null {
  let at = element;
  for (const name of path) at = child(at, name);
  const text = at?.text.trim();
  return text === undefined || text === '' ? null : text;
}

/** A boolean of XML Schema: `true` and `1` are one. */
export function isTrue(element: XmlElement, name: string): boolean {
  const text = textOf(element, name);
  return text === 'true' || text === '1';
}
