import { SaxesParser } from 'saxes';
import { DomainError } from '../errors.ts';
import { decodeXml } from '../text/encoding.ts';

/** One element: names without their prefixes, since producers choose prefixes freely and versions change namespaces. */
export interface XmlNode {
  name: string;
  attributes: Record<string, string>;
  children: XmlNode[];
  text: string;
}

/** Bounds of what is built. The reader itself is linear but for nesting (20,000 levels take seconds). */
const MAX_BYTES = 20_000_000;
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 100_000;
const MAX_TEXT = 100_000;
const MAX_ATTRIBUTES = 64;

/** Lines of an invoice and attachments in it are of no use here and can be most of a file. */
const SKIPPED = new Set([
  'IncludedSupplyChainTradeLineItem',
  'InvoiceLine',
  'CreditNoteLine',
  'AttachmentBinaryObject',
  'EmbeddedDocumentBinaryObject',
  'UBLExtensions',
]);

/**
 * A small tree of an XML document. Throws `xmlTooLarge`, `xmlEncoding`, `xmlDoctype` (refused whole: no entity is ever
 * expanded or fetched), `xmlTooDeep` or `xmlBroken` with the line.
 */
export function readXml(bytes: Uint8Array): XmlNode {
  if (bytes.byteLength > MAX_BYTES) throw new DomainError('xmlTooLarge', `The XML is larger than ${MAX_BYTES} bytes.`);
  const top: XmlNode = { name: '', attributes: {}, children: [], text: '' };
  const path = [top];
  let depth = 0;
  let skippedFrom = 0;
  let elements = 0;

  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw new DomainError('xmlBroken', `The XML is not well-formed: ${error.message}`);
  });
  parser.on('doctype', () => {
    throw new DomainError('xmlDoctype', 'The XML has a document type declaration, which is refused.');
  });
  parser.on('opentag', (tag) => {
    if (++depth > MAX_DEPTH) throw new DomainError('xmlTooDeep', `The XML is nested deeper than ${MAX_DEPTH} levels.`);
    if (skippedFrom > 0) return;
    if (SKIPPED.has(tag.local)) {
      skippedFrom = depth;
      return;
    }
    if (++elements > MAX_ELEMENTS)
      throw new DomainError('xmlTooLarge', `The XML has more than ${MAX_ELEMENTS} elements.`);
    const attributes: Record<string, string> = {};
    const given = Object.values(tag.attributes);
    if (given.length > MAX_ATTRIBUTES) throw new DomainError('xmlTooLarge', 'An XML element has too many attributes.');
    for (const { local, value } of given) attributes[local] = value;
    const node: XmlNode = { name: tag.local, attributes, children: [], text: '' };
    path.at(-1)!.children.push(node);
    path.push(node);
  });
  const addText = (text: string): void => {
    if (skippedFrom > 0) return;
    const node = path.at(-1)!;
    if (node.text.length + text.length > MAX_TEXT)
      throw new DomainError('xmlTooLarge', `A text in <${node.name}> is too long.`);
    node.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    if (skippedFrom > 0) {
      if (depth === skippedFrom) skippedFrom = 0;
    } else {
      path.pop();
    }
    depth--;
  });

  parser.write(decodeXml(bytes).trimStart()).close();
  const [root] = top.children;
  if (!root) throw new DomainError('xmlBroken', 'The XML has no element.');
  return root;
}

/** The root's local name without reading further, or null where there is none to be found. */
export function xmlRootName(bytes: Uint8Array): string | null {
  class Found extends Error {}
  let name: string | null = null;
  const parser = new SaxesParser({ xmlns: false });
  parser.on('error', () => {
    throw new Found();
  });
  parser.on('opentagstart', (tag) => {
    name = tag.name.replace(/^.*:/, '');
    throw new Found();
  });
  try {
    parser.write(decodeXml(bytes.subarray(0, MAX_BYTES)).trimStart()).close();
  } catch (error) {
    if (!(error instanceof Found) && !(error instanceof DomainError)) throw error;
  }
  return name;
}

/** The first descendant by a path of local names, or undefined. */
export const find = (node: XmlNode | undefined, ...path: string[]): XmlNode | undefined =>
  path.reduce<XmlNode | undefined>((at, name) => at?.children.find((child) => child.name === name), node);

/** All children of that name under the given path. */
export function findAll(node: XmlNode | undefined, ...path: string[]): XmlNode[] {
  return path.reduce<XmlNode[]>(
    (at, name) => at.flatMap((parent) => parent.children.filter((child) => child.name === name)),
    node ? [node] : [],
  );
}

/** Trimmed text of the first descendant by path; null when absent or empty. */
export function textOf(node: XmlNode | undefined, ...path: string[]): string | null {
  const text = find(node, ...path)?.text.trim() ?? '';
  return text === '' ? null : text;
}
