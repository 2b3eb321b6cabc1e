import { ApiError } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { toOperationError, toWorkFailure, WorkFailure } from './failure.ts';

/** An error in the form of a file system error of Node. */
function systemError(code: string, more: object = {}): Error {
  return Object.assign(new Error(`${code}: a call failed`), { code, syscall: 'write', ...more });
}

describe('toWorkFailure', () => {
  it.each([
    ['ENOSPC', 'paused', 'no_space'],
    ['EDQUOT', 'paused', 'quota'],
    ['EEXIST', 'failed', 'exists'],
    ['EACCES', 'failed', 'permission'],
    ['EPERM', 'failed', 'permission'],
    ['EROFS', 'failed', 'read_only'],
    ['EFBIG', 'failed', 'too_large'],
    ['EIO', 'failed', 'io_error'],
    ['ESTALE', 'failed', 'io_error'],
  ])('turns %s into %s: %s, with the errno as detail', (errno, code, error) => {
    expect(toWorkFailure(systemError(errno))).toMatchObject({ code, error: { code: error, detail: errno } });
  });

  it('pauses on an exceeded quota, an errno that Node does not name', () => {
    const error = systemError('Unknown system error -122', { errno: -122 });
    expect(toWorkFailure(error)).toMatchObject({ code: 'paused', error: { code: 'quota' } });
  });

  it('reports a missing source, a missing pool and any other missing file differently', () => {
    const options = { sourcePath: '/pool/a.raw', poolPath: '/other' };
    const missing = (path: string): unknown =>
      toWorkFailure(systemError('ENOENT', { path }), options).error.code;
    expect(missing('/pool/a.raw')).toBe('source_vanished');
    expect(missing('/other/.wcc-1.partial')).toBe('pool_unavailable');
    expect(missing('/otherwise/x')).toBe('internal');
    expect(missing('qemu-img')).toBe('internal');
  });

  it('finds a system error in the cause of another error', () => {
    const error = new Error('the body was not stored', { cause: systemError('ENOSPC') });
    expect(toWorkFailure(error)).toMatchObject({ code: 'paused', error: { code: 'no_space' } });
  });

  it('pauses for space whether an ApiError, a CopyError or a system call reports it', () => {
    for (const error of [new ApiError('no_space'), new CopyError('no_space'), systemError('ENOSPC')])
      expect(toWorkFailure(error).code).toBe('paused');
  });

  it('keeps the codes cancelled and interrupted of the copy engine', () => {
    expect(toWorkFailure(new CopyError('cancelled')).code).toBe('cancelled');
    expect(toWorkFailure(new CopyError('interrupted')).code).toBe('interrupted');
  });

  it('names the source by its path in errors of the copy engine', () => {
    const error = new CopyError('not_found', { path: '/pool/a.raw' });
    expect(toWorkFailure(error, { sourcePath: '/pool/a.raw' }).error.code).toBe('source_vanished');
    expect(toWorkFailure(error).error.code).toBe('pool_unavailable');
  });

  it('returns a WorkFailure unchanged', () => {
    const failure = new WorkFailure('paused', { error: toOperationError(new ApiError('no_space')) });
    expect(toWorkFailure(failure)).toBe(failure);
  });

  it('keeps the text of an unknown error out of the record and in the cause', () => {
    const error = new TypeError('x is undefined');
    const failure = toWorkFailure(error);
    expect(failure).toMatchObject({ code: 'failed', error: { code: 'internal', detail: 'TypeError' } });
    expect(failure.error.message).not.toContain('undefined');
    expect(failure.cause).toBe(error);
  });
});
