import type { FirstBootProfileRequest } from '@wcc/api';
import { isLoginName, isSshKey, linesOf } from '../app/credentials.ts';

export interface ProfileFields {
  user: string;
  /** One per line. */
  sshKeys: string;
}

export interface ProfileProblem {
  field: 'user' | 'sshKeys';
  why: 'badUser' | 'badKey' | 'privateKey' | 'tooMany';
  /** Number of the invalid key, from 1; 0 when the problem does not concern a single key. */
  line: number;
}

/** The server's limit for the number of keys. */
const maxKeys = 32;

/** The first problem. A private key is a separate problem, because the key must not leave the browser. */
export function findProfileProblem({ user, sshKeys }: ProfileFields): ProfileProblem | null {
  const name = user.trim();
  if (name !== '' && !isLoginName(name)) return { field: 'user', why: 'badUser', line: 0 };
  const problem = (why: ProfileProblem['why'], line: number): ProfileProblem => ({
    field: 'sshKeys',
    why,
    line,
  });
  if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(sshKeys)) return problem('privateKey', 0);
  const lines = linesOf(sshKeys);
  const bad = lines.findIndex((line) => !isSshKey(line));
  if (bad !== -1) return problem('badKey', bad + 1);
  return lines.length > maxKeys ? problem('tooMany', 0) : null;
}

/** Removes duplicate keys. Call it only for valid fields. */
export function toProfile({ user, sshKeys }: ProfileFields): FirstBootProfileRequest {
  const name = user.trim();
  return { user: name === '' ? null : name, sshKeys: [...new Set(linesOf(sshKeys))] };
}
