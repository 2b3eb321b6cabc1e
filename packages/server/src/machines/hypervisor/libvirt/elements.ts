import type { XmlElement, XmlNode } from './xml.ts';

/** Child elements of this name, in order. */
export function childrenOf(parent: XmlElement | undefined, name: string): XmlElement[] {
  return (parent?.children ?? []).filter((child): child is XmlElement => isElement(child, name));
}

export function childOf(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  return childrenOf(parent, name)[0];
}

/** The text of a child; empty without such a child. */
export function textOf(parent: XmlElement | undefined, name: string): string {
  const text = childOf(parent, name)?.children.find((child) => typeof child === 'string');
  return text ?? '';
}

/** An attribute of a child; null when either is missing. */
export function attributeOf(parent: XmlElement | undefined, name: string, attribute: string): string | null {
  const value = childOf(parent, name)?.attributes[attribute];
  return value === undefined ? null : String(value);
}

export function isElement(node: XmlNode, name: string): boolean {
  return typeof node === 'object' && node?.name === name;
}
