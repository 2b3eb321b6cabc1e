import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyImageRequest, createUserRequest } from './index.ts';
import { findImageNameProblem } from './names.ts';

describe('findImageNameProblem', () => {
  it.each([
    ['', 'empty'],
    ['a/b', 'slash'],
    ['/etc/passwd', 'slash'],
    ['..', 'leading_dot'],
    ['.wcc-pool', 'leading_dot'],
    ['a\nb', 'control_character'],
    ['a\u0000', 'control_character'],
    ['a\u202egpj.raw', 'control_character'],
    ['\ud800', 'malformed_unicode'],
    [' a', 'surrounding_space'],
    ['a'.repeat(256), 'too_long'],
    ['画'.repeat(86), 'too_long'],
  ])('refuses %j as %s', (name, problem) => {
    expect(findImageNameProblem(name)).toBe(problem);
  });

  it.each([
    'debian-13.raw',
    'a',
    '画像.qcow2',
    '<img src=x onerror=alert(1)>',
    '--help',
    'a'.repeat(255),
    '画'.repeat(85),
  ])('accepts %j', (name) => {
    expect(findImageNameProblem(name)).toBeNull();
  });

  it('accepts only names that are a single path component', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        if (findImageNameProblem(name) !== null) return;
        expect(name.includes('/') || name.includes('\0')).toBe(false);
        expect(['', '.', '..']).not.toContain(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(Buffer.from(name).toString()).toBe(name);
      }),
    );
  });
});

describe('requests', () => {
  it('copyImageRequest fills in its defaults', () => {
    expect(copyImageRequest.parse({ name: 'b.raw' })).toEqual({
      name: 'b.raw',
      method: 'auto',
      bytesPerSecond: null,
      verify: false,
    });
  });

  it('copyImageRequest rejects an unknown field instead of using a default', () => {
    expect(copyImageRequest.safeParse({ name: 'b.raw', metod: 'clone' }).success).toBe(false);
  });

  it('a request with an invalid image name names the problem', () => {
    const result = copyImageRequest.safeParse({ name: 'a/b' });
    expect(result.error?.issues[0]).toMatchObject({ path: ['name'], message: 'The name contains a slash.' });
  });

  it('createUserRequest rejects short passwords and upper-case user names', () => {
    const good = { name: 'sato', role: 'operator', password: 'long enough' };
    expect(createUserRequest.safeParse(good).success).toBe(true);
    expect(createUserRequest.safeParse({ ...good, password: 'short' }).success).toBe(false);
    expect(createUserRequest.safeParse({ ...good, name: 'Sato' }).success).toBe(false);
  });
});
