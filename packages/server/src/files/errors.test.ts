import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { errnoOf, hasErrorCode, ignoreMissing } from './errors.ts';

describe('errnoOf', () => {
  it('names the errno of a system call', async () => {
    const error = await readFile('/does/not/exist').catch((cause: unknown) => cause);
    expect(errnoOf(error)).toBe('ENOENT');
    expect(hasErrorCode(error, 'ENOENT')).toBe(true);
    expect(hasErrorCode(error, 'EACCES')).toBe(false);
  });

  it('names an exceeded disk quota, for which Node has no name', () => {
    const error = Object.assign(new Error('write'), { code: 'Unknown system error -122', errno: -122 });
    expect(errnoOf(error)).toBe('EDQUOT');
  });

  it('is null for what is not the error of a system call', () => {
    expect(errnoOf(new Error('ENOENT'))).toBeNull();
    expect(errnoOf('ENOENT')).toBeNull();
    expect(errnoOf(undefined)).toBeNull();
  });
});

describe('ignoreMissing', () => {
  it('turns a missing file into undefined', async () => {
    expect(await readFile('/does/not/exist').catch(ignoreMissing)).toBeUndefined();
  });

  it('throws every other error again', async () => {
    await expect(readFile('/').catch(ignoreMissing)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
