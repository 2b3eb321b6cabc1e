import { expect, it } from 'vitest';
import { describeRemote, isStill } from './validators.ts';

const modified = 'Tue, 24 Nov 2026 10:00:00 GMT';
const later = 'Tue, 24 Nov 2026 10:01:00 GMT';
const tooSoon = 'Tue, 24 Nov 2026 10:00:59 GMT';

it('a transfer resumes only by a strong tag or by an old modification time', () => {
  const of = (headers: Record<string, string>): string | null => describeRemote(headers).validator;
  expect(of({ etag: '"a"', 'last-modified': modified, date: later })).toBe('"a"');
  expect(of({ etag: 'W/"a"' })).toBeNull();
  expect(of({ etag: 'W/"a"', 'last-modified': modified, date: later })).toBe(modified);
  expect(of({ 'last-modified': modified, date: tooSoon })).toBeNull();
  expect(of({ 'last-modified': modified })).toBeNull();
  expect(of({ 'last-modified': 'yesterday', date: later })).toBeNull();
});

it('a length that is not a number is unknown', () => {
  for (const length of ['-1', '1e9', '9'.repeat(16), ' 5', ''])
    expect(describeRemote({ 'content-length': length }).totalBytes, length).toBeNull();
  expect(describeRemote({ 'content-length': '5' }).totalBytes).toBe(5);
});

it('F5: another tag, time or length is another state, and so is a missing validator', () => {
  const tagged = { validator: '"a"', totalBytes: 5 };
  expect(isStill(tagged, { headers: { etag: '"a"' }, totalBytes: 5 })).toBe(true);
  expect(isStill(tagged, { headers: { etag: '"a"' }, totalBytes: null })).toBe(true);
  expect(isStill(tagged, { headers: {}, totalBytes: 5 })).toBe(false);
  expect(isStill(tagged, { headers: { etag: '"b"' }, totalBytes: 5 })).toBe(false);
  expect(isStill(tagged, { headers: { etag: '"a"' }, totalBytes: 6 })).toBe(false);
  const dated = { validator: modified, totalBytes: null };
  expect(isStill(dated, { headers: { 'last-modified': modified, etag: '"new"' }, totalBytes: 5 })).toBe(true);
  expect(isStill(dated, { headers: { 'last-modified': later }, totalBytes: 5 })).toBe(false);
  expect(isStill(dated, { headers: {}, totalBytes: 5 })).toBe(false);
  expect(isStill({ validator: null, totalBytes: 5 }, { headers: {}, totalBytes: 5 })).toBe(false);
});
