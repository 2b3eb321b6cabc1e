import { expect, it } from 'vitest';
import { findTextKind } from './text-kinds.ts';

const longest = 65_536;

/** The shortest of several times, because a busy machine can only make a time longer. */
function durationMs(text: string): number {
  const times = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    findTextKind(text);
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}

const repeated = (part: string, lengthBytes: number): string => part.repeat(lengthBytes / part.length);

// The lengths let the time grow to a second, but no further, if a pattern can divide the text in many ways.
it.each([
  ['empty comments without an element', `${repeated('<!---->', 26 * 7)}x`],
  ['comments without an element', `${repeated('<!-- a -->\n', 26 * 11)}x`],
  ['a version of digits only', `version=${repeated('1', longest / 2)}`],
  ['a type of a disk without a value', `version=1${repeated('createType ', longest / 2)}`],
  ['comments of a descriptor', repeated('# a\n\n \n', longest)],
  ['lines of a signed list', repeated('-----BEGIN PGP SIGNED\n', longest)],
  ['a name of a file in parentheses', `A(${repeated(') =', longest)}`],
])('no pattern takes longer for %s than for a page after 64 KiB of blanks', (_, text) => {
  const page = `${repeated(' ', longest)}<html>`;
  expect(findTextKind(page)?.id).toBe('web_page');
  expect(durationMs(text)).toBeLessThan(3 * durationMs(page));
});

it('comments before a page end at their first end', () => {
  expect(findTextKind('<!-- a - -- > -->\n<!--> --><html>')?.id).toBe('web_page');
  expect(findTextKind('<!-- a --> b --><html>')).toBeNull();
});
