import type { FirstBootProfileRequest } from '@wcc/api';
import { isLoginName, isSshKey, linesOf } from '../app/credentials.ts';

export interface ProfileFields {
  user: string;
  /** One to a line. */
  sshKeys: string;
}

export interface ProfileFault {
  field: 'user' | 'sshKeys';
  why: 'badUser' | 'badKey' | 'privateKey' | 'tooMany';
  /** Which key, from 1; 0 where it is about no single one. */
  line: number;
}

/** As many as the server takes. */
const maxKeys = 32;

/** The first thing that is wrong. A private key is told as such: it must not leave the browser. */
export function findProfileFault({ user, sshKeys }: ProfileFields): ProfileFault | null {
  const name = user.trim();
  if (name !== '' && !isLoginName(name)) return { field: 'user', why: 'badUser', line: 0 };
  const fault = (why: ProfileFault['why'], line: number): ProfileFault => ({ field: 'sshKeys', why, line });
  if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(sshKeys)) return fault('privateKey', 0);
  const lines = linesOf(sshKeys);
  const bad = lines.findIndex((line) => !isSshKey(line));
  if (bad !== -1) return fault('badKey', bad + 1);
  return lines.length > maxKeys ? fault('tooMany', 0) : null;
}

/** Only for fields without a fault. A key that stands there twice is one. */
export function toProfile({ user, sshKeys }: ProfileFields): FirstBootProfileRequest {
  const name = user.trim();
  return { user: name === '' ? null : name, sshKeys: [...new Set(linesOf(sshKeys))] };
}
