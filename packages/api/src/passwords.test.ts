import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changePasswordRequest, createUserRequest } from './index.ts';
import { findPasswordProblem } from './passwords.ts';

describe('SL9: new passwords', () => {
  it.each([
    ['short', 'too_short'],
    ['x'.repeat(1025), 'too_long'],
    [' '.repeat(10), 'blank'],
    ['\u0000'.repeat(10), 'blank'],
    ['\u200b \u200b \u200b\t\u2800\u00ad\n\u0000', 'blank'],
    ['aaaaaaaaaa', 'repeated'],
    ['abcabcabcabc', 'repeated'],
    ['AdminAdmin', 'repeated'],
    ['sato-san.07', 'own_name'],
    ['SatoSan12345', 'own_name'],
    ['1234567890', 'common'],
    ['9876543210', 'common'],
    ['abcdefghijkl', 'common'],
    ['poiuytrewq', 'common'],
    ['password123', 'common'],
    ['P@ssw0rd2026!', 'common'],
    ['Administrator', 'common'],
    ['changeme2026', 'common'],
    ['1q2w3e4r5t', 'common'],
  ])('%j is refused as %s', (password, problem) => {
    expect(findPasswordProblem(password, 'sato-san')).toBe(problem);
  });

  it.each([
    'correct horse battery staple',
    'sato reads 7 books',
    '十文字以上の長い合言葉',
    'r7kq2 mwxp9',
    'password of a tortoise',
  ])('%j is accepted', (password) => {
    expect(findPasswordProblem(password, 'sato-san')).toBeNull();
  });

  it('generated passwords are accepted', () => {
    const generated = fc.string({
      unit: fc.constantFrom(...Array.from('abcdefghjkmnpqrstuvwxyz23456789')),
      minLength: 20,
      maxLength: 20,
    });
    fc.assert(
      fc.property(generated, (password) => {
        fc.pre(new Set(password).size > 6);
        expect(findPasswordProblem(password, 'sato')).toBeNull();
      }),
    );
  });

  it('requests name the cause', () => {
    const user = createUserRequest.safeParse({ name: 'sato', role: 'viewer', password: 'aaaaaaaaaa' });
    expect(user.error?.issues).toMatchObject([
      { path: ['password'], message: 'This password repeats one part. Use different words or characters.' },
    ]);
    expect(changePasswordRequest.safeParse({ current: 'short', next: 'password123' }).success).toBe(false);
    expect(changePasswordRequest.safeParse({ current: 'password123', next: 'a new long one' }).success).toBe(
      true,
    );
  });
});
