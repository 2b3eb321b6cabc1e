import { HypervisorError } from '../hypervisor-error.ts';
import type { XmlElement, XmlNode } from './xml.ts';
import { element } from './xml.ts';

/** Deeper than any definition of libvirt. */
const maxDepth = 64;
const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Parses XML that libvirt prints: elements, attributes and text. libvirt prints no document types and no processing
 * instructions. White space between elements and comments are dropped.
 * @throws HypervisorError `failed` for anything else
 */
export function parseXml(text: string): XmlElement {
  const parser = new Parser(text);
  const root = parser.parseElement(0);
  parser.skipSpace();
  if (!parser.isAtEnd) throw malformed();
  return root;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.skipSpace();
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  skipSpace(): void {
    this.#take(/\s*/y);
  }

  parseElement(depth: number): XmlElement {
    if (depth > maxDepth) throw malformed();
    const [, name = ''] = this.#expect(/<([A-Za-z_][\w.:-]*)/y);
    const attributes: Record<string, string> = {};
    for (;;) {
      const found = this.#take(/\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:'([^'<]*)'|"([^"<]*)")/y);
      if (found === null) break;
      attributes[found[1] ?? ''] = decode(found[2] ?? found[3] ?? '');
    }
    const [, end = ''] = this.#expect(/\s*(\/?)>/y);
    return element(name, attributes, end === '/' ? [] : this.#parseContent(name, depth));
  }

  #parseContent(name: string, depth: number): XmlNode[] {
    const children: XmlNode[] = [];
    for (;;) {
      if (this.#take(/<!--[\s\S]*?-->/y) !== null) continue;
      // Only in what other programs keep in the metadata.
      const verbatim = this.#take(/<!\[CDATA\[([\s\S]*?)\]\]>/y);
      if (verbatim !== null) {
        children.push(verbatim[1] ?? '');
        continue;
      }
      const close = this.#take(/<\/([A-Za-z_][\w.:-]*)\s*>/y);
      if (close !== null) {
        if (close[1] !== name) throw malformed();
        return withoutIndentation(children);
      }
      const [text] = this.#take(/[^<]+/y) ?? [];
      children.push(text === undefined ? this.parseElement(depth + 1) : decode(text));
    }
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #expect(pattern: RegExp): RegExpExecArray {
    const found = this.#take(pattern);
    if (found === null) throw malformed();
    return found;
  }
}

/** White space is indentation, unless it is all that an element contains. */
function withoutIndentation(children: readonly XmlNode[]): XmlNode[] {
  const hasElements = children.some((child) => typeof child === 'object');
  return children.filter((child) => !hasElements || typeof child !== 'string' || child.trim() !== '');
}

function decode(text: string): string {
  return text.replaceAll(/&(#?\w+);/g, (whole, code: string) => {
    if (!code.startsWith('#')) return named[code] ?? whole;
    const isHex = code.startsWith('#x');
    return String.fromCodePoint(Number.parseInt(code.slice(isHex ? 2 : 1), isHex ? 16 : 10));
  });
}

function malformed(): HypervisorError {
  return new HypervisorError('failed', { detail: 'libvirt answered with malformed XML' });
}
