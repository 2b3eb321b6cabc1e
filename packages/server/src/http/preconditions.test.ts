import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseHttpDate } from '../images/import/http-date.ts';
import { canResume, evaluate, hasTag, parseRange } from './preconditions.ts';

describe('parseRange', () => {
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
    ['Bytes=0-5', { kind: 'part', start: 0, end: 6 }],
    ['bytes= , 3-5 ,', { kind: 'part', start: 3, end: 6 }],
    ['bytes=5-9223372036854775807', { kind: 'part', start: 5, end: 100 }],
    [`bytes=-${'9'.repeat(400)}`, { kind: 'part', start: 0, end: 100 }],
    [`bytes=${'9'.repeat(400)}-`, { kind: 'unsatisfiable' }],
  ])('parses %s', (header, wanted) => {
    expect(parseRange(header, 100)).toEqual(wanted);
  });

  it('returns unsatisfiable for an empty file', () => {
    expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(parseRange('bytes=-5', 0)).toEqual({ kind: 'unsatisfiable' });
  });
});

const file = { etag: '"b"', modifiedAt: new Date('2026-11-30T10:00:00.900Z'), sizeBytes: 100 };
const [before, exactly, after] = [
  'Mon, 30 Nov 2026 09:59:59 GMT',
  'Mon, 30 Nov 2026 10:00:00 GMT',
  'Mon, 30 Nov 2026 10:00:01 GMT',
];
const all = { kind: 'all' };
const part = { kind: 'part', start: 5, end: 100 };
const notModified = { kind: 'not_modified' };
const failed = { kind: 'precondition_failed' };

describe('F4: the preconditions of RFC 9110', () => {
  it.each<[IncomingHttpHeaders, unknown]>([
    [{}, all],
    [{ 'if-match': '"b"' }, all],
    [{ 'if-match': '"a", "b"' }, all],
    [{ 'if-match': '*' }, all],
    // A weak tag cannot prove that bytes are the same.
    [{ 'if-match': 'W/"b"' }, failed],
    [{ 'if-match': '"a"' }, failed],
    [{ 'if-match': 'b' }, failed],
    [{ 'if-match': '' }, failed],
    [{ 'if-unmodified-since': before }, failed],
    [{ 'if-unmodified-since': exactly }, all],
    [{ 'if-unmodified-since': after }, all],
    [{ 'if-unmodified-since': 'yesterday' }, all],
    // The tag counts more than the date.
    [{ 'if-match': '"b"', 'if-unmodified-since': before }, all],
    [{ 'if-match': '"a"', 'if-unmodified-since': after }, failed],
    [{ 'if-none-match': '"b"' }, notModified],
    [{ 'if-none-match': 'W/"b"' }, notModified],
    [{ 'if-none-match': '"x,y", "b"' }, notModified],
    [{ 'if-none-match': '*' }, notModified],
    [{ 'if-none-match': '"a"' }, all],
    [{ 'if-modified-since': before }, all],
    [{ 'if-modified-since': exactly }, notModified],
    [{ 'if-modified-since': after }, notModified],
    [{ 'if-modified-since': '2026-11-30' }, all],
    [{ 'if-none-match': '"a"', 'if-modified-since': after }, all],
    [{ 'if-none-match': '"b"', 'if-modified-since': before }, notModified],
    [{ 'if-match': '"a"', 'if-none-match': '"b"' }, failed],
    [{ range: 'bytes=5-', 'if-match': '"b"' }, part],
    [{ range: 'bytes=5-', 'if-match': '"a"' }, failed],
    [{ range: 'bytes=5-', 'if-unmodified-since': before }, failed],
    [{ range: 'bytes=5-', 'if-none-match': '"b"' }, notModified],
    [{ range: 'bytes=5-', 'if-range': '"b"' }, part],
    [{ range: 'bytes=5-', 'if-range': '"a"' }, all],
    [{ range: 'bytes=5-', 'if-range': 'W/"b"' }, all],
    [{ range: 'bytes=5-', 'if-range': exactly }, all],
    [{ range: 'bytes=5-', 'if-match': '"b"', 'if-range': '"a"' }, all],
    [{ range: 'bytes=100-' }, { kind: 'unsatisfiable' }],
    [{ range: 'bytes=100-', 'if-match': '"a"' }, failed],
  ])('GET with %j', (headers, wanted) => {
    expect(evaluate({ method: 'GET', headers }, file)).toEqual(wanted);
  });

  it('HEAD has no ranges, but all other preconditions', () => {
    const ask = (headers: IncomingHttpHeaders): unknown => evaluate({ method: 'HEAD', headers }, file);
    expect(ask({ range: 'bytes=5-' })).toEqual(all);
    expect(ask({ 'if-match': '"a"' })).toEqual(failed);
    expect(ask({ 'if-modified-since': after })).toEqual(notModified);
  });

  it('every form of an HTTP date is parsed, and nothing else', () => {
    const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ])
      expect([text, parseHttpDate(text)]).toEqual([text, ms]);
    for (const text of [
      '',
      '0',
      '1994',
      '06 Nov 1994',
      'Sun, 06 Nov 1994 08:49:37 +0100',
      'Sun, 06 Xyz 1994 08:49:37 GMT',
    ])
      expect([text, parseHttpDate(text)]).toEqual([text, null]);
  });
});

describe('entity tags', () => {
  it('hasTag compares weak and strong tags as wanted', () => {
    expect(hasTag('"a", W/"b"', '"b"', 'weak')).toBe(true);
    expect(hasTag('"a", W/"b"', '"b"', 'strong')).toBe(false);
    expect(hasTag('*', '"b"', 'strong')).toBe(true);
    expect(hasTag('"a"', '"b"', 'weak')).toBe(false);
  });

  it('canResume needs exactly the same tag', () => {
    expect(canResume(undefined, file)).toBe(true);
    expect(canResume('"b"', file)).toBe(true);
    expect(canResume('W/"b"', file)).toBe(false);
    expect(canResume('Thu, 01 Jan 1970 00:00:00 GMT', file)).toBe(false);
  });
});
