import type { FirstBootProfileRequest } from '@wcc/api';
import { isLoginName, isSshKey, linesOf } from '../app/credentials.ts';

export interface ProfileFields {
  user: string;
  /** One per line. */
  sshKeys: string;
}

export interface ProfileFault {
  field: 'user' | 'sshKeys';
  why: 'badUser' | 'badKey' | 'privateKey' | 'tooMany';
  /** Number of the key, from 1; 0 when the fault is not about a single key. */
  line: number;
}

/** Limit of the server. */
const maxKeys = 32;

/** The first fault. A private key has a fault of its own, because it must not leave the browser. */
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

/** Call only for fields without a fault. Removes duplicate keys. */
export function toProfile({ user, sshKeys }: ProfileFields): FirstBootProfileRequest {
  const name = user.trim();
  return { user: name === '' ? null : name, sshKeys: [...new Set(linesOf(sshKeys))] };
}
