import type { CopyPlan } from '@wcc/api';
import { describe, expect, it } from 'vitest';
import { checkCopyName, parseLimit, proposeCopyName, sharesBlocks, toRequest } from './copy-form.ts';

const plan: CopyPlan = {
  virtualSizeBytes: 10,
  dataBytes: 5,
  needsBytes: 5,
  freeBytes: 100,
  clonePossible: true,
  cloneRefusal: null,
  nameTaken: null,
};

describe('proposeCopyName', () => {
  it.each([
    ['debian.qcow2', 'debian-copy.qcow2'],
    ['a.tar.raw', 'a.tar-copy.raw'],
    ['disk', 'disk-copy'],
    ['.raw', '.raw-copy'],
  ])('proposes for %s the name %s', (name, proposal) => {
    expect(proposeCopyName(name, () => false)).toBe(proposal);
  });

  it('counts up until the name is free', () => {
    const taken = new Set(['a-copy.raw', 'a-copy-2.raw']);
    expect(proposeCopyName('a.raw', (name) => taken.has(name))).toBe('a-copy-3.raw');
  });
});

describe('checkCopyName', () => {
  it('checks the name rules first, then the answer of the server', () => {
    expect(checkCopyName('a/b', { ...plan, nameTaken: true })).toBe('slash');
    expect(checkCopyName('a', { ...plan, nameTaken: true })).toBe('taken');
    expect(checkCopyName('a', plan)).toBeNull();
    expect(checkCopyName('a', null)).toBeNull();
    expect(checkCopyName('', null)).toBe('empty');
  });
});

describe('parseLimit', () => {
  it.each([
    ['', null],
    ['  ', null],
    ['1', 1_048_576],
    ['0,5', 524_288],
    ['0', undefined],
    ['-3', undefined],
    ['fast', undefined],
    ['1e999', undefined],
  ])('parses %j as %j bytes per second', (text, bytesPerSecond) => {
    expect(parseLimit(text)).toBe(bytesPerSecond);
  });
});

describe('the copy request', () => {
  const form = { name: 'x.raw', method: 'auto', limit: '2', verify: true } as const;

  it('contains the choices of the form, and is null for a malformed limit', () => {
    expect(toRequest(form)).toEqual({
      name: 'x.raw',
      method: 'auto',
      bytesPerSecond: 2_097_152,
      verify: true,
    });
    expect(toRequest({ ...form, limit: 'x' })).toBeNull();
  });

  it('is expected to share blocks only if the pool can clone and no full copy was chosen', () => {
    expect(sharesBlocks(form, plan)).toBe(true);
    expect(sharesBlocks({ method: 'copy' }, plan)).toBe(false);
    expect(sharesBlocks(form, { ...plan, clonePossible: false })).toBe(false);
  });
});
