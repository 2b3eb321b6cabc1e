import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WccProgressElement } from './progress-element.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

interface Named {
  name: string;
}
interface Declaration {
  attributes: Named[];
  members: Named[];
  events: Named[];
  cssParts: Named[];
  cssProperties: Named[];
}
const manifest = JSON.parse(read('../../custom-elements.json')) as {
  modules: { declarations: Declaration[] }[];
};
const element = manifest.modules[0]!.declarations[0]!;
const names = (list: readonly Named[]): string[] => list.map(({ name }) => name).toSorted();
const found = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].toSorted();

describe('custom-elements.json', () => {
  it('lists exactly the attributes and properties of the element', () => {
    expect(names(element.attributes)).toEqual([...WccProgressElement.observedAttributes].toSorted());
    const descriptors = Object.entries(Object.getOwnPropertyDescriptors(WccProgressElement.prototype));
    const setters = descriptors.filter(([, descriptor]) => 'set' in descriptor).map(([name]) => name);
    expect(names(element.members)).toEqual(setters.toSorted());
  });

  it('lists every event, part and custom property', () => {
    expect(names(element.events)).toEqual(found(read('./progress-element.ts'), /#emit\('([\w-]+)', \{/g));
    const code = read('./row-dom.ts') + read('./row-buttons.ts');
    const parts = found(code, /\bpartElement\('\w+', ['`](\w+)/g);
    expect(names(element.cssParts)).toEqual(parts);
    expect(names(element.cssProperties)).toEqual(found(read('./styles.ts'), /var\((--wcc-[\w-]+)/g));
  });
});
