import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operationActions, operationPhases, operationWarnings, stateReasonCodes } from '@wcc/api';
import { describe, expect, it } from 'vitest';
import { textOf } from '../packages/progress/src/element/text/catalogue.ts';

/** Every code that the server sends has a text in every language of the progress row. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function sources(folder: string): string[] {
  const paths = execFileSync('git', ['ls-files', folder], { cwd: root, encoding: 'utf8' }).split('\n');
  return paths
    .filter((path) => path.endsWith('.ts') && !/\.(test|testkit)\.ts$/.test(path))
    .map((path) => readFileSync(join(root, path), 'utf8'));
}

describe.each(['en', 'ja'] as const)('texts in %s', (locale) => {
  const text = textOf(locale);

  it.each([
    ['actions', operationActions, text.actions],
    ['phases', operationPhases, text.phases],
    ['reasons', stateReasonCodes, text.reasons],
    ['warnings', operationWarnings, text.warnings],
  ])('exist for exactly the known %s', (_kind, codes, words) => {
    expect(Object.keys(words).toSorted()).toEqual(codes.toSorted());
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
