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

  it.each([
    [74, 'EBADMSG'],
    [116, 'ESTALE'],
    [117, 'EUCLEAN'],
    [122, 'EDQUOT'],
  ])('D5: returns the name of errno %i, which Node does not name', (errno, name) => {
    const code = `Unknown system error -${errno}`;
    expect(errnoOf(Object.assign(new Error('write'), { code, errno: -errno }))).toBe(name);
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
