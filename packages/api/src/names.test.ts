import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  copyImageRequest,
  createShareRequest,
  createTokenRequest,
  createUserRequest,
  publishOperationRequest,
} from './index.ts';
import {
  escapeInvisible,
  findFileNameProblem,
  findImageNameProblem,
  isSameName,
  isVisible,
  nameSkeleton,
} from './names.ts';

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

const invisible = [
  '\u200b',
  '\u200f',
  '\u061c',
  '\u00ad',
  '\u2800',
  '\u{e0041}',
  '\u034f',
  '\u3164',
  '\ufe0f',
  '\ufeff',
];

describe('SL6: names that look alike', () => {
  it.each(invisible)('a new name cannot contain %j, and an existing one can', (character) => {
    const name = `de${character}bian.raw`;
    expect(findImageNameProblem(name)).toBe('invisible_character');
    expect(findFileNameProblem(name)).toBeNull();
    expect(nameSkeleton(name)).toBe('debian.raw');
    expect(escapeInvisible(name)).toMatch(/^de\\u\{[0-9a-f]+\}bian\.raw$/);
  });

  it.each([
    ['d\u0435bi\u0430n.raw', 'debian.raw'],
    ['\u0421entos.iso', 'Centos.iso'],
    ['d\u03bfmain.raw', 'domain.raw'],
    ['web\u201107.raw', 'web-07.raw'],
    ['\uff44\uff45\uff42\uff49\uff41\uff4e.raw', 'debian.raw'],
    ['\uff83\uff7d\uff84.raw', '\u30c6\u30b9\u30c8.raw'],
    ['nur-a\u0308.iso', 'nur-\u00e4.iso'],
  ])('%j looks like %j', (one, other) => {
    expect(nameSkeleton(one)).toBe(nameSkeleton(other));
  });

  it.each([
    ['debian.raw', 'Debian.raw'],
    ['web-0.raw', 'web-O.raw'],
    ['nur-a.iso', 'nur-\u00e4.iso'],
    ['\u30cf\u30b9.raw', '\u30d0\u30b9.raw'],
  ])('%j does not look like %j', (one, other) => {
    expect(nameSkeleton(one)).not.toBe(nameSkeleton(other));
  });

  it('F17: a request keeps a name in NFC, and both spellings of a name are the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (name) => {
        expect(isSameName(name.normalize('NFD'), name)).toBe(true);
        expect(nameSkeleton(name.normalize('NFD'))).toBe(nameSkeleton(name.normalize('NFC')));
        const parsed = copyImageRequest.safeParse({ name: name.normalize('NFD') });
        if (parsed.success) expect(parsed.data.name).toBe(name.normalize('NFC'));
      }),
    );
  });

  it('SL7: text of any characters is one visible line when it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(isVisible(escapeInvisible(text))).toBe(true);
        if (isVisible(text)) expect(escapeInvisible(text)).toBe(text);
      }),
    );
  });
});

describe('SL7: names in the audit record', () => {
  const bad = ['a\nb', 'a\u001b[2Jb', 'a\u202eb', 'a\u200bb', 'a\u2028b'];

  it.each(bad)('token, link and subject cannot be called %j', (name) => {
    expect(createTokenRequest.safeParse({ name }).success).toBe(false);
    expect(createShareRequest.safeParse({ name }).success).toBe(false);
    const operation = { action: 'backup', subject: { kind: 'db', id: null, name } };
    expect(publishOperationRequest.safeParse(operation).success).toBe(false);
  });

  it.each(['admin-token', 'wcc', 'share', 'unknown'])('no new user can be called %s', (name) => {
    const request = { name, role: 'operator', password: 'long and unusual' };
    expect(createUserRequest.safeParse(request).success).toBe(false);
    expect(createUserRequest.safeParse({ ...request, name: `${name}1` }).success).toBe(true);
  });

  it('names with spaces, Japanese and accents are accepted', () => {
    for (const name of ['CI of team 7', '\u591c\u9593\u30d0\u30c3\u30af\u30a2\u30c3\u30d7', 'Zo\u00eb'])
      expect(createTokenRequest.parse({ name }).name).toBe(name);
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
