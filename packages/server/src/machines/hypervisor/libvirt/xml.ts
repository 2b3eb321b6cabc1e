/** An XML element as data; text and attribute values are escaped. */
export type XmlNode = XmlElement | string | null;

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly XmlNode[];
}

/** Children that are null are left out. */
export function element(
  name: string,
  attributes: XmlElement['attributes'] = {},
  children: XmlElement['children'] = [],
): XmlElement {
  return { name, attributes, children };
}

export function toXml(node: XmlNode): string {
  if (node === null) return '';
  if (typeof node === 'string') return escapeXml(node);
  const attributes = Object.entries(node.attributes).map(
    ([key, value]) => ` ${key}="${escapeXml(String(value))}"`,
  );
  const open = `<${node.name}${attributes.join('')}`;
  if (node.children.length === 0) return `${open}/>`;
  return `${open}>${node.children.map(toXml).join('')}</${node.name}>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
