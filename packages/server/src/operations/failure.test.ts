import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { confirmWorkFailure, toOperationError, toWorkFailure, WorkFailure } from './failure.ts';

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
    ['EROFS', 'paused', 'read_only'],
    ['EFBIG', 'failed', 'too_large'],
    ['EIO', 'paused', 'io_error'],
    ['ESTALE', 'paused', 'io_error'],
    ['EMFILE', 'paused', 'resources'],
    ['EBUSY', 'paused', 'busy'],
  ])('turns %s into %s: %s, with the errno as detail', (errno, code, error) => {
    expect(toWorkFailure(systemError(errno))).toMatchObject({ code, error: { code: error, detail: errno } });
  });

  it('pauses on an exceeded quota, an errno that Node does not name', () => {
    const error = systemError('Unknown system error -122', { errno: -122 });
    expect(toWorkFailure(error)).toMatchObject({ code: 'paused', error: { code: 'quota' } });
  });

  it('D5: waits for the end of every failure of the copy engine that may pass', () => {
    const codes = ['io_error', 'read_only', 'resources', 'busy', 'quota', 'no_space'] as const;
    for (const code of codes)
      expect(toWorkFailure(new CopyError(code))).toMatchObject({ code: 'paused', error: { code } });
    const gone = toWorkFailure(new CopyError('not_found', { path: '/pool/b.raw' }));
    expect(gone).toMatchObject({ code: 'interrupted', error: { code: 'pool_unavailable' } });
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

  it('maps the codes cancelled and suspended of the copy engine to cancelled and interrupted', () => {
    expect(toWorkFailure(new CopyError('cancelled')).code).toBe('cancelled');
    expect(toWorkFailure(new CopyError('suspended')).code).toBe('interrupted');
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

describe('D2: confirmWorkFailure', () => {
  it('looks at the disk before it reports that the source is gone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'wcc-failure-'));
    try {
      const sourcePath = join(directory, 'a.raw');
      const confirm = (error: unknown): Promise<WorkFailure> => confirmWorkFailure(error, { sourcePath });
      const errors = [
        systemError('ENOENT', { path: sourcePath }),
        new CopyError('not_found', { path: sourcePath }),
      ];
      for (const error of errors)
        expect(await confirm(error)).toMatchObject({ code: 'failed', error: { code: 'source_vanished' } });
      await writeFile(sourcePath, 'still here');
      for (const error of errors)
        expect(await confirm(error)).toMatchObject({ code: 'paused', error: { code: 'io_error' } });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
