import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operationActions, operationPhases, operationWarnings, stateReasonCodes } from '@wcc/api';
import { en, ja } from '@wcc/api/text';
import { ja as japanese } from '@wcc/progress/element/locales/ja';
import { describe, expect, it } from 'vitest';
import { en as accessEnglish } from '../packages/console/src/access/text/en.ts';
import { ja as accessJapanese } from '../packages/console/src/access/text/ja.ts';
import { en as english } from '../packages/progress/src/element/text/en.ts';

/** Every code that the server sends has a text in every language of the progress row. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function sources(folder: string): string[] {
  const paths = execFileSync('git', ['ls-files', folder], { cwd: root, encoding: 'utf8' }).split('\n');
  return paths
    .filter((path) => path.endsWith('.ts') && !/\.(test|testkit)\.ts$/.test(path))
    .map((path) => readFileSync(join(root, path), 'utf8'));
}

/** The library has the texts of its own codes. The text of a pause on request is empty in every language. */
const languages = {
  en: { library: english, wcc: en },
  ja: { library: { ...japanese, reasons: { requested: () => '', ...japanese.reasons } }, wcc: ja },
} as const;

describe.each(['en', 'ja'] as const)('texts in %s', (locale) => {
  const { library, wcc } = languages[locale];

  it.each([
    ['actions', operationActions],
    ['phases', operationPhases],
    ['reasons', stateReasonCodes],
    ['warnings', operationWarnings],
  ] as const)('exist for exactly the known %s', (table, codes) => {
    const known: readonly string[] = codes;
    const names = Object.keys(wcc[table] ?? {});
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((code) => !known.includes(code))).toEqual([]);
    expect(known.filter((code) => !names.includes(code) && !(code in (library[table] ?? {})))).toEqual([]);
  });
});

describe('words of the audit record', () => {
  it.each([
    ['en', accessEnglish],
    ['ja', accessJapanese],
  ])('all have a text in the console, in %s', (_locale, { audit }) => {
    const documented = readFileSync(join(root, 'docs/stored-names.md'), 'utf8');
    const [table = ''] = /^\| area +\| words .*(?:\n\|.*)+/m.exec(documented) ?? [];
    const words = [...table.matchAll(/`([a-z-]+\.[a-z_.-]+)/g)].map(([, word = '']) => word);
    expect(words.length).toBeGreaterThan(30);
    expect(words.filter((word) => audit.events[word] === undefined)).toEqual([]);
  });
});

describe('warning codes', () => {
  const engine = [...sources('packages/copy/src'), ...sources('packages/server/src/images')].join('\n');

  it('include every warning that the copy engine and the server emit', () => {
    const pushed = [...engine.matchAll(/warnings\.push\(['`]([a-z_]+?)_?(?:['`]|\$\{)/g)].map(
      ([, code]) => code,
    );
    expect(pushed.length).toBeGreaterThan(4);
    expect(pushed.filter((code) => !operationWarnings.some((known) => known === code))).toEqual([]);
  });
});
