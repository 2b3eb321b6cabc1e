import { attributeOf } from './elements.ts';
import type { XmlElement, XmlNode } from './xml.ts';
import { element } from './xml.ts';

/**
 * Changes only the parts of a definition that differ between two specifications. Everything else stays as libvirt has
 * it: addresses, and what other programs have added.
 * @param actual libvirt's definition
 */
export function mergeDomain(
  actual: XmlElement,
  { base, next }: { base: XmlElement; next: XmlElement },
): XmlElement {
  if (isSame(base, next)) return actual;
  const changed = (name: string): boolean => !isSame(partOf(base, name), partOf(next, name));
  const attributes = { ...actual.attributes };
  for (const key of new Set([...Object.keys(base.attributes), ...Object.keys(next.attributes)])) {
    const value = next.attributes[key];
    if (base.attributes[key] === value) continue;
    if (value === undefined) delete attributes[key];
    else attributes[key] = value;
  }
  if (isText(next) || isText(base)) return element(actual.name, attributes, next.children);
  const children = mergeChildren(actual, { base, next }).filter((child) => {
    // These depend on the part that changed, and libvirt adds them again.
    const isStale =
      (changed('memory') && isNamed(child, 'currentMemory')) ||
      (changed('target') && isNamed(child, 'address'));
    return !isStale;
  });
  return element(actual.name, attributes, children);
}

function mergeChildren(
  actual: XmlElement,
  { base, next }: { base: XmlElement; next: XmlElement },
): XmlNode[] {
  const [before, after, found] = [keyed(base), keyed(next), keyed(actual)];
  const merged = [...found].flatMap(([key, child]) => {
    const [one, other] = [before.get(key), after.get(key)];
    if (one === undefined && other === undefined) return [child];
    if (other === undefined) return [];
    return [mergeDomain(child, { base: one ?? element(other.name), next: other })];
  });
  const added = [...after].filter(([key, child]) => {
    const one = before.get(key);
    return !found.has(key) && (one === undefined || !isSame(one, child));
  });
  return [...merged, ...added.map(([, child]) => child)];
}

/** The child elements by what identifies them: the target of a disk, the address of a card, else name and position. */
function keyed({ children }: XmlElement): Map<string, XmlElement> {
  const all = new Map<string, XmlElement>();
  for (const child of children) {
    if (typeof child !== 'object' || child === null) continue;
    const kind = [child.name, identityOf(child)].join(' ');
    let position = 0;
    while (all.has(`${kind} ${position}`)) position += 1;
    all.set(`${kind} ${position}`, child);
  }
  return all;
}

function identityOf(child: XmlElement): string {
  if (child.name === 'disk') return attributeOf(child, 'target', 'dev') ?? '';
  if (child.name === 'interface') return attributeOf(child, 'mac', 'address') ?? '';
  const { type = '', index = '' } = child.name === 'controller' ? child.attributes : {};
  return `${type} ${index}`.trim();
}

function partOf(parent: XmlElement, name: string): XmlElement | null {
  const found = parent.children.find((child) => isNamed(child, name));
  return typeof found === 'object' ? found : null;
}

const isNamed = (node: XmlNode, name: string): boolean => typeof node === 'object' && node?.name === name;
const isText = ({ children }: XmlElement): boolean => children.some((child) => typeof child === 'string');

function isSame(one: XmlNode, other: XmlNode): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
