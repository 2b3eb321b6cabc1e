import { describe, expect, it } from 'vitest';
import { mayContinue, namesTag, parseRange } from './range.ts';

describe('a range', () => {
  it.each([
    [undefined, { kind: 'all' }],
    ['bytes=0-0', { kind: 'part', start: 0, end: 1 }],
    ['bytes=10-', { kind: 'part', start: 10, end: 100 }],
    ['bytes=90-200', { kind: 'part', start: 90, end: 100 }],
    ['bytes=-10', { kind: 'part', start: 90, end: 100 }],
    ['bytes=-500', { kind: 'part', start: 0, end: 100 }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=100-', { kind: 'unsatisfiable' }],
    ['bytes=9-5', { kind: 'all' }],
    ['bytes=-', { kind: 'all' }],
    ['bytes=0-1,5-6', { kind: 'all' }],
    ['lines=1-2', { kind: 'all' }],
    ['bytes=0x1-2', { kind: 'all' }],
  ])('%s', (header, wanted) => {
    expect(parseRange(header, 100)).toEqual(wanted);
  });

  it('of an empty file is never satisfiable', () => {
    expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(parseRange('bytes=-5', 0)).toEqual({ kind: 'unsatisfiable' });
  });
});

describe('entity tags', () => {
  it('are found in a list, weak ones too', () => {
    expect(namesTag('"a", W/"b"', '"b"')).toBe(true);
    expect(namesTag('*', '"b"')).toBe(true);
    expect(namesTag('"a"', '"b"')).toBe(false);
    expect(namesTag(undefined, '"b"')).toBe(false);
  });

  it('of If-Range must be the very same', () => {
    const file = { etag: '"b"', modifiedAt: new Date(0) };
    expect(mayContinue(undefined, file)).toBe(true);
    expect(mayContinue('"b"', file)).toBe(true);
    expect(mayContinue('W/"b"', file)).toBe(false);
    expect(mayContinue('Thu, 01 Jan 1970 00:00:00 GMT', file)).toBe(false);
  });
});
