import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { errnoOf, hasErrorCode, ignoreMissing } from './errors.ts';

describe('errnoOf', () => {
  it('returns the errno name of a failed system call', async () => {
    const error = await readFile('/does/not/exist').catch((cause: unknown) => cause);
    expect(errnoOf(error)).toBe('ENOENT');
    expect(hasErrorCode(error, 'ENOENT')).toBe(true);
    expect(hasErrorCode(error, 'EACCES')).toBe(false);
  });

  it('returns EDQUOT for an exceeded disk quota, which Node does not name', () => {
    const error = Object.assign(new Error('write'), { code: 'Unknown system error -122', errno: -122 });
    expect(errnoOf(error)).toBe('EDQUOT');
  });

  it('returns null for any other error', () => {
    expect(errnoOf(new Error('ENOENT'))).toBeNull();
    expect(errnoOf('ENOENT')).toBeNull();
    expect(errnoOf(undefined)).toBeNull();
  });
});

describe('ignoreMissing', () => {
  it('returns undefined for a missing file', async () => {
    expect(await readFile('/does/not/exist').catch(ignoreMissing)).toBeUndefined();
  });

  it('rethrows every other error', async () => {
    await expect(readFile('/').catch(ignoreMissing)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
