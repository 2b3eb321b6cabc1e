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

describe('the proposed name', () => {
  it.each([
    ['debian.qcow2', 'debian-copy.qcow2'],
    ['a.tar.raw', 'a.tar-copy.raw'],
    ['disk', 'disk-copy'],
    ['.raw', '.raw-copy'],
  ])('of %s is %s', (name, proposal) => {
    expect(proposeCopyName(name, () => false)).toBe(proposal);
  });

  it('counts on until it is free', () => {
    const taken = new Set(['a-copy.raw', 'a-copy-2.raw']);
    expect(proposeCopyName('a.raw', (name) => taken.has(name))).toBe('a-copy-3.raw');
  });
});

describe('the name while it is typed', () => {
  it('is judged here first, then by the server', () => {
    expect(checkCopyName('a/b', { ...plan, nameTaken: true })).toBe('slash');
    expect(checkCopyName('a', { ...plan, nameTaken: true })).toBe('taken');
    expect(checkCopyName('a', plan)).toBeNull();
    expect(checkCopyName('a', null)).toBeNull();
    expect(checkCopyName('', null)).toBe('empty');
  });
});

describe('the speed limit', () => {
  it.each([
    ['', null],
    ['  ', null],
    ['1', 1_048_576],
    ['0,5', 524_288],
    ['0', undefined],
    ['-3', undefined],
    ['fast', undefined],
    ['1e999', undefined],
  ])('%j is %j bytes a second', (text, bytesPerSecond) => {
    expect(parseLimit(text)).toBe(bytesPerSecond);
  });
});

describe('the request', () => {
  const form = { name: 'x.raw', method: 'auto', limit: '2', verify: true } as const;

  it('carries what was chosen', () => {
    expect(toRequest(form)).toEqual({
      name: 'x.raw',
      method: 'auto',
      bytesPerSecond: 2_097_152,
      verify: true,
    });
    expect(toRequest({ ...form, limit: 'x' })).toBeNull();
  });

  it('shares blocks only where that is possible and not declined', () => {
    expect(sharesBlocks(form, plan)).toBe(true);
    expect(sharesBlocks({ method: 'copy' }, plan)).toBe(false);
    expect(sharesBlocks(form, { ...plan, clonePossible: false })).toBe(false);
  });
});
