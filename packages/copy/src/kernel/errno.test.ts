import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { copyErrors, CopyError } from '../contract/errors.ts';
import { SystemError, toCopyError } from './errno.ts';

const expected: readonly [number, string, string][] = [
  [1, 'EPERM', 'permission'],
  [2, 'ENOENT', 'not_found'],
  [5, 'EIO', 'io_error'],
  [11, 'EAGAIN', 'busy'],
  [12, 'ENOMEM', 'resources'],
  [13, 'EACCES', 'permission'],
  [16, 'EBUSY', 'busy'],
  [17, 'EEXIST', 'exists'],
  [18, 'EXDEV', 'cross_device'],
  [20, 'ENOTDIR', 'not_found'],
  [21, 'EISDIR', 'not_regular'],
  [24, 'EMFILE', 'resources'],
  [26, 'ETXTBSY', 'source_in_use'],
  [27, 'EFBIG', 'too_large'],
  [28, 'ENOSPC', 'no_space'],
  [30, 'EROFS', 'read_only'],
  [36, 'ENAMETOOLONG', 'name_too_long'],
  [40, 'ELOOP', 'not_regular'],
  [116, 'ESTALE', 'io_error'],
  [117, 'EUCLEAN', 'io_error'],
  [122, 'EDQUOT', 'quota'],
];

describe('errors of system calls', () => {
  it.each(expected)('errno %i is named %s and becomes the code %s', (errno, name, code) => {
    const cause = new SystemError(errno, 'pwrite');
    const error = toCopyError(cause, { path: '/pool/a', offset: 7 });
    expect(cause.code).toBe(name);
    expect(error).toMatchObject({ code, path: '/pool/a', offset: 7, cause });
    expect(error.message).toContain(`pwrite ${name}`);
  });

  it('converts an errno without a name in Node, and values that are not system errors', () => {
    const unknown = Object.assign(new Error('Unknown system error -122'), {
      errno: -122,
      code: 'Unknown system error -122',
    });
    expect(toCopyError(unknown).code).toBe('quota');
    expect(toCopyError(new SystemError(4095, 'ioctl'))).toMatchObject({ code: 'io_error' });
    expect(toCopyError('a string')).toMatchObject({ code: 'io_error', cause: 'a string' });
  });

  it.each([
    ['FileSystemRead', 'Start node with --allow-fs-read as well.'],
    ['FileSystemWrite', 'Start node with --allow-fs-write as well.'],
    ['WorkerThreads', 'Start node with --allow-worker as well.'],
  ])("toCopyError names the option for a denial of %s by Node's permission model", (permission, hint) => {
    const denial = Object.assign(new Error('restricted'), { code: 'ERR_ACCESS_DENIED', permission });
    expect(toCopyError(denial, { path: '/a' })).toMatchObject({
      code: 'permission',
      path: '/a',
      hint,
      cause: denial,
    });
  });

  it('toCopyError returns a CopyError unchanged', () => {
    const error = new CopyError('exists', { path: '/a' });
    expect(toCopyError(error)).toBe(error);
  });

  it('every error code has a message and a hint', () => {
    for (const [code, { message, hint }] of Object.entries(copyErrors)) {
      expect(message, code).toMatch(/^[a-z]/);
      expect(hint, code).toMatch(/\.$/);
    }
  });

  it('the README lists every error code with its message and hint', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const rows = readme.matchAll(/^\| `([a-z_]+)` +\| (.+?) +\| (.+?) +\|$/gm);
    const listed = new Map([...rows].map(([, code = '', message, hint]) => [code, { message, hint }]));
    for (const [code, entry] of Object.entries(copyErrors)) expect(listed.get(code), code).toEqual(entry);
  });
});
