import { expect, it } from 'vitest';
import { findProfileProblem, toProfile } from './profile-fields.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2dG4 sato@desk';

it.each([
  ['Sato', '', { field: 'user', why: 'badUser', line: 0 }],
  ['sato', `${key}\n\nnot a key`, { field: 'sshKeys', why: 'badKey', line: 2 }],
  ['', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA', { field: 'sshKeys', why: 'privateKey', line: 0 }],
  ['', Array.from({ length: 33 }, () => key).join('\n'), { field: 'sshKeys', why: 'tooMany', line: 0 }],
  [' sato ', `\r\n${key}\r\n`, null],
  ['', '', null],
])('the first invalid field of user %j with keys %j is found', (user, sshKeys, problem) => {
  expect(findProfileProblem({ user, sshKeys })).toEqual(problem);
});

it('the sent profile is trimmed and has no duplicate keys', () => {
  expect(toProfile({ user: ' sato ', sshKeys: `${key}\n ${key}\r\n` })).toEqual({
    user: 'sato',
    sshKeys: [key],
  });
  expect(toProfile({ user: '', sshKeys: '' })).toEqual({ user: null, sshKeys: [] });
});
