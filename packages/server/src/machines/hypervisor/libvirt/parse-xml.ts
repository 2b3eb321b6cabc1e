import { DOMParser, onWarningStopParsing } from '@xmldom/xmldom';
import type { Element, Node } from '@xmldom/xmldom';
import { HypervisorError } from '../hypervisor-error.ts';
import type { XmlElement, XmlNode } from './xml.ts';
import { element } from './xml.ts';

/** Deeper than any definition of libvirt. */
const maxDepth = 64;
const nodeTypes = { element: 1, text: 3, verbatim: 4, comment: 8 };

/**
 * Parses XML that libvirt prints: elements, attributes and text, with their prefixes. libvirt prints no document types and no
 * processing instructions. White space between elements and comments are dropped.
 * @throws HypervisorError `failed` for anything else
 */
export function parseXml(text: string): XmlElement {
  try {
    const parser = new DOMParser({ onError: onWarningStopParsing, locator: false });
    const { documentElement, childNodes } = parser.parseFromString(text.trim(), 'application/xml');
    const isPlain = [...childNodes].every(
      ({ nodeType }) => nodeType === nodeTypes.element || nodeType === nodeTypes.comment,
    );
    if (documentElement !== null && isPlain) return toElement(documentElement, 0);
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function toElement(found: Element, depth: number): XmlElement {
  if (depth > maxDepth) throw malformed();
  const attributes = [...found.attributes].map(({ name, value }) => [name, value] as const);
  const children = [...found.childNodes].flatMap((child) => toNodes(child, depth));
  return element(found.nodeName, Object.fromEntries(attributes), withoutIndentation(children));
}

function toNodes(node: Node, depth: number): XmlNode[] {
  if (node.nodeType === nodeTypes.element) return [toElement(node as Element, depth + 1)];
  if (node.nodeType === nodeTypes.comment) return [];
  // Only what other programs keep in the metadata is verbatim.
  if (node.nodeType === nodeTypes.text || node.nodeType === nodeTypes.verbatim) return [node.nodeValue ?? ''];
  throw malformed();
}

/** White space is indentation, unless it is all that an element contains. */
function withoutIndentation(children: readonly XmlNode[]): XmlNode[] {
  const hasElements = children.some((child) => typeof child === 'object');
  return children.filter((child) => !hasElements || typeof child !== 'string' || child.trim() !== '');
}

function malformed(cause?: unknown): HypervisorError {
  return new HypervisorError('failed', { detail: 'libvirt answered with malformed XML', cause });
}
