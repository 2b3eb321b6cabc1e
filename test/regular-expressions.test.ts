import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';
import { analyse } from 'scslre';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Kinds of slowness that one input can cause: two parts of an expression match the same characters (`Trade`), or one
 * repeated part does so in several ways (`Self`). `Move`, a search from each position, stays allowed for short texts.
 */
const forbidden: readonly string[] = ['Trade', 'Self'];

interface Expression {
  pattern: string;
  flags: string;
}

function expressionsIn(node: unknown, found: Expression[] = []): Expression[] {
  if (typeof node !== 'object' || node === null) return found;
  if ('regex' in node && typeof node.regex === 'object') found.push(node.regex as Expression);
  else for (const child of Object.values(node)) expressionsIn(child, found);
  return found;
}

function isSlow({ pattern, flags }: Expression): boolean {
  const { reports } = analyse({ source: pattern, flags });
  return reports.some(({ type }) => forbidden.includes(type));
}

function slowIn(source: string): string[] {
  const ast = parseAst(source, { lang: 'ts' });
  return expressionsIn(ast)
    .filter(isSlow)
    .map(({ pattern, flags }) => `/${pattern}/${flags}`);
}

it('finds expressions that take quadratic or exponential time', () => {
  expect(
    slowIn(
      String.raw`const a = /^H4sI[A-Za-z0-9+/\s]*={0,2}\s*$/; const b = /^(?:a+)+$/; const c = /^a*b*$/;`,
    ),
  ).toEqual([String.raw`/^H4sI[A-Za-z0-9+/\s]*={0,2}\s*$/`, '/^(?:a+)+$/']);
});

it('no regular expression of the sources takes quadratic or exponential time', { timeout: 120_000 }, () => {
  const list = execFileSync('git', ['ls-files', 'packages/*/src/*.ts'], { cwd: root, encoding: 'utf8' });
  const paths = list.split('\n').filter((path) => path !== '' && !/\.(?:test|testkit)\.ts$/.test(path));
  expect(paths.length).toBeGreaterThan(500);
  const slow = paths.flatMap((path) =>
    slowIn(readFileSync(`${root}/${path}`, 'utf8')).map((expression) => `${path}: ${expression}`),
  );
  expect(slow).toEqual([]);
});
