import { errorCodes } from '@wcc/api';
import { describe, expect, it } from 'vitest';
import { accessTextOf } from './access/text/catalogue.ts';
import { textOf } from './text/catalogue.ts';
import { machinesTextOf } from './machines/text/catalogue.ts';
import { ago, clockTime } from './text/format.ts';
import { errorWordsOf, loadErrorWords } from './text/errors.ts';
import { imageTextOf } from './images/text/catalogue.ts';
import { sharedTextOf } from './access/shared/text.ts';
import { uploadsTextOf } from './uploads/text/catalogue.ts';

type Reader = Parameters<typeof machinesTextOf>[0];

/** Every text with its path; functions are called with plausible arguments. */
function flatten(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') {
    const counts = { added: 2, missing: 1, returned: 1, refused: 1 };
    const made: unknown = path.endsWith('rescanned') ? node(counts) : node('X', 'Y');
    return [[path, String(made)]];
  }
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => flatten(value, path === '' ? key : `${path}.${key}`));
}

const everyText = (locale: 'en' | 'ja'): Map<string, string> =>
  new Map([
    ...flatten(textOf(locale)),
    ...flatten(imageTextOf({ locale }), 'image'),
    ...flatten(uploadsTextOf({ locale }), 'uploads'),
  ]);
const en = everyText('en');
const ja = everyText('ja');

describe('the catalogues', () => {
  it('have the same texts, none of them empty', () => {
    expect([...ja.keys()].toSorted()).toEqual([...en.keys()].toSorted());
    for (const [path, text] of [...en, ...ja]) expect(text.trim(), path).not.toBe('');
  });

  it('are really in their language', () => {
    const same = [...en].filter(([path, text]) => ja.get(path) === text).map(([path]) => path);
    // A unit, a number before a name, and the name of an algorithm.
    expect(same.toSorted()).toEqual(['copy.limitUnit', 'news.quarter', 'uploads.digest']);
    for (const [path, text] of en) expect(text, path).not.toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/);
  });

  it('translate every error code of the API, once they are loaded', async () => {
    expect(errorWordsOf('ja')).toEqual({});
    await loadErrorWords('ja');
    for (const code of errorCodes)
      expect(errorWordsOf('ja')[code]?.message, code).toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/);
    expect(errorWordsOf('en')).toEqual({});
    expect(errorWordsOf('ja')['foreign_answer']?.message).toContain('{status}');
  });
});

/** Where the words of each text stand for something else: the numbers of the arguments that it shows. */
function placesOf(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'function') {
    if (path.endsWith('rescanned')) return [];
    const names = Array.from({ length: node.length }, (_, index) => `<${index}>`);
    const made = String(node(...names));
    return [[path, names.filter((name) => made.includes(name)).join('')]];
  }
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => placesOf(value, `${path}.${key}`));
}

describe('the texts of both languages', () => {
  const every = { textOf: ({ locale }: Reader) => textOf(locale), accessTextOf, imageTextOf, machinesTextOf };
  const all = Object.entries({
    ...every,
    uploadsTextOf,
    sharedTextOf: ({ locale }: Reader) => sharedTextOf(locale),
  });

  it.each(all)('show the same: %s', (_, catalogueOf) => {
    const english = placesOf(catalogueOf({ locale: 'en' }));
    expect(english.length).toBeGreaterThan(0);
    expect(Object.fromEntries(placesOf(catalogueOf({ locale: 'ja' })))).toEqual(Object.fromEntries(english));
  });

  it('name the status that a proxy answered, in a whole sentence of their own', () => {
    const { tooLargeForProxy, proxyLost, proxyTimedOut } = uploadsTextOf({ locale: 'ja' });
    const told = { 413: tooLargeForProxy, 502: proxyLost('502', '61 %'), 504: proxyTimedOut('61 %') };
    for (const [status, words] of Object.entries(told)) {
      expect(words).toContain(status);
      expect(words).toMatch(/プロキシ.+(ます|した|ません)$/);
      // But for the names of nginx's settings, which are not words of any language.
      const rest = words.replaceAll(/client_max_body_size 0|proxy_read_timeout/g, '');
      expect(rest).not.toMatch(/[a-z]/i);
    }
  });
});

describe('the catalogue of machines', () => {
  const ofMachines = (locale: 'en' | 'ja') => new Map(flatten(machinesTextOf({ locale })));

  it('has the same texts in both languages, each in its own', () => {
    const [english, japanese] = [ofMachines('en'), ofMachines('ja')];
    expect([...japanese.keys()].toSorted()).toEqual([...english.keys()].toSorted());
    for (const [path, text] of [...english, ...japanese]) expect(text.trim(), path).not.toBe('');
    for (const [path, text] of english) {
      expect(text, path).not.toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/);
      expect(japanese.get(path), path).not.toBe(text);
    }
  });

  it('never says the name of an action', () => {
    for (const locale of ['en', 'ja'] as const)
      for (const [path, text] of ofMachines(locale)) expect(text, path).not.toMatch(/_vm|vm_/);
  });
});

describe('formats', () => {
  it('count time coarsely', () => {
    expect([ago(400, 'en'), ago(12_000, 'en'), ago(240_000, 'en'), ago(7_300_000, 'en')]).toEqual([
      '1 s',
      '12 s',
      '4 min',
      '2 h',
    ]);
    expect(ago(12_000, 'ja')).toBe('12 秒');
  });

  it('show nothing for a stamp that is none', () => {
    expect(clockTime('yesterday', 'en')).toBe('');
    expect(clockTime('2001-02-03T04:05:06Z', 'en')).toContain('2001');
  });
});
