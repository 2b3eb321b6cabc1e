import { errorCodes } from '@wcc/api';
import { describe, expect, it } from 'vitest';
import { sharedTextOf } from './access/shared/text.ts';
import { accessTextOf } from './access/text/catalogue.ts';
import { imagesTextOf } from './images/text/catalogue.ts';
import { vmsTextOf } from './machines/text/catalogue.ts';
import { operationsTextOf } from './operations/text/catalogue.ts';
import { textOf } from './text/catalogue.ts';
import { errorTextOf, loadErrorTexts } from './text/errors.ts';
import { ago, clockTime } from './text/format.ts';
import { systemTextOf } from './system/text/catalogue.ts';
import { uploadsTextOf } from './uploads/text/catalogue.ts';

type Reader = Parameters<typeof textOf>[0];

const japanese = /[\u3040-\u30ff\u4e00-\u9fff]/;

/** Every catalogue of the console, by feature. */
const catalogues: Record<string, (reader: Reader) => unknown> = {
  text: textOf,
  operations: operationsTextOf,
  images: imagesTextOf,
  uploads: uploadsTextOf,
  vms: vmsTextOf,
  access: accessTextOf,
  shared: sharedTextOf,
  system: systemTextOf,
};
const all = Object.entries(catalogues);

/** Every text with its path; functions are called with plausible arguments. */
function flatten(node: unknown, path: string): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') {
    const counts = { added: 2, missing: 1, returned: 1, refused: 1 };
    const made: unknown = path.endsWith('rescanned') ? node(counts) : node('X', 'Y');
    return [[path, String(made)]];
  }
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => flatten(value, `${path}.${key}`));
}

/** Texts that are the same in both languages: units, numbers, names of algorithms and products. */
const untranslated = new Set([
  'images.copy.limitUnit',
  'operations.announcements.quarter',
  'uploads.digest',
  'vms.cdBuses.scsi',
]);

describe.each(all)('catalogue "%s"', (name, catalogueOf) => {
  const english = new Map(flatten(catalogueOf({ locale: 'en' }), name));
  const translated = new Map(flatten(catalogueOf({ locale: 'ja' }), name));

  it('has the same texts in both languages, none of them empty', () => {
    expect(english.size).toBeGreaterThan(0);
    expect([...translated.keys()].toSorted()).toEqual([...english.keys()].toSorted());
    for (const [path, text] of [...english, ...translated]) expect(text.trim(), path).not.toBe('');
  });

  it('translates every text, and has no Japanese among the English ones', () => {
    for (const [path, text] of english) {
      expect(text, path).not.toMatch(japanese);
      if (!untranslated.has(path)) expect(translated.get(path), path).not.toBe(text);
    }
  });

  it('shows the same arguments in both languages', () => {
    const argumentNames = argumentsOf(catalogueOf({ locale: 'en' }));
    expect(Object.fromEntries(argumentsOf(catalogueOf({ locale: 'ja' })))).toEqual(
      Object.fromEntries(argumentNames),
    );
  });

  it('never shows the internal name of an action', () => {
    for (const [path, text] of [...english, ...translated]) expect(text, path).not.toMatch(/_vm|vm_/);
  });
});

/** The arguments that each text shows, by their position. */
function argumentsOf(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'function') {
    if (path.endsWith('rescanned')) return [];
    const names = Array.from({ length: node.length }, (_, index) => `<${index}>`);
    const made = String(node(...names));
    return [[path, names.filter((each) => made.includes(each)).join('')]];
  }
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => argumentsOf(value, `${path}.${key}`));
}

describe('translated errors', () => {
  it('exist for every error code of the API once they are loaded', async () => {
    expect(errorTextOf('ja')).toEqual({});
    await loadErrorTexts('ja');
    for (const code of errorCodes) expect(errorTextOf('ja')[code]?.message, code).toMatch(japanese);
    expect(errorTextOf('en')).toEqual({});
    expect(errorTextOf('ja')['foreign_answer']?.message).toContain('{status}');
  });

  it('name the status that a proxy answered in a whole Japanese sentence', () => {
    const { tooLargeForProxy, proxyLost, proxyTimedOut } = uploadsTextOf({ locale: 'ja' });
    const texts = { 413: tooLargeForProxy, 502: proxyLost('502', '61 %'), 504: proxyTimedOut('61 %') };
    for (const [status, words] of Object.entries(texts)) {
      expect(words).toContain(status);
      expect(words).toMatch(/プロキシ.+(ます|した|ません)$/);
      // Names of nginx settings stay untranslated.
      const rest = words.replaceAll(/client_max_body_size 0|proxy_read_timeout/g, '');
      expect(rest).not.toMatch(/[a-z]/i);
    }
  });
});

describe('formats', () => {
  it('round a duration to one unit', () => {
    expect([ago(400, 'en'), ago(12_000, 'en'), ago(240_000, 'en'), ago(7_300_000, 'en')]).toEqual([
      '1 s',
      '12 s',
      '4 min',
      '2 h',
    ]);
    expect(ago(12_000, 'ja')).toBe('12 秒');
  });

  it('show nothing for a malformed timestamp', () => {
    const times = { locale: 'en', nowMs: Date.parse('2001-02-13T04:05:06Z') } as const;
    expect(clockTime('yesterday', times)).toBe('');
    expect(clockTime('2001-02-03T04:05:06Z', times)).toContain('2001');
  });

  it('V10m: omit the date on the server’s day, whatever day the browser has', () => {
    const at = '2001-02-03T12:05:06Z';
    const times = { locale: 'en', nowMs: Date.parse(at) } as const;
    expect(clockTime(at, times)).not.toContain('2001');
    expect(clockTime(at, { ...times, nowMs: times.nowMs + 25 * 3_600_000 })).toContain('2001');
  });
});
