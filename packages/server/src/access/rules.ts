import type { Role } from '@wcc/api';
import type { Principal } from './principal.ts';

/** What can be asked for; each has one row in {@link rules}. */
export type Right =
  | 'pool.see'
  | 'pool.rescan'
  | 'remains.see'
  | 'remains.delete'
  | 'image.list'
  | 'image.copy'
  | 'image.make'
  | 'operation.list'
  | 'operation.watch'
  | 'operation.control'
  | 'ticket.make'
  | 'token.see'
  | 'token.manage'
  | 'user.see'
  | 'user.manage'
  | 'audit.read';

/** `own`: what belongs to the principal; a thing without an owner is nobody's own. */
type Reach = 'any' | 'own' | 'none';

interface Rule extends Record<Role, Reach> {
  /** A token of scope `read` may use only rights that change nothing. */
  changes: boolean;
}

const rule = (changes: boolean, operator: Reach, viewer: Reach): Rule => ({
  changes,
  admin: 'any',
  operator,
  viewer,
});

/** Who may what, once. Viewers watch what was granted to them; grants do not exist yet, so that is nothing. */
export const rules: Readonly<Record<Right, Rule>> = {
  'pool.see': rule(false, 'any', 'any'),
  'pool.rescan': rule(true, 'any', 'none'),
  'remains.see': rule(false, 'none', 'none'),
  'remains.delete': rule(true, 'none', 'none'),
  'image.list': rule(false, 'any', 'any'),
  'image.copy': rule(true, 'any', 'none'),
  'image.make': rule(true, 'any', 'none'),
  'operation.list': rule(false, 'any', 'any'),
  'operation.watch': rule(false, 'own', 'none'),
  'operation.control': rule(true, 'own', 'none'),
  'ticket.make': rule(false, 'any', 'any'),
  'token.see': rule(false, 'own', 'own'),
  'token.manage': rule(true, 'own', 'own'),
  'user.see': rule(false, 'none', 'none'),
  'user.manage': rule(true, 'none', 'none'),
  'audit.read': rule(false, 'none', 'none'),
};

/** Says whether the principal has the right, on that subject when the right reaches only to one's own. */
export function can(principal: Principal, right: Right, subject?: { owner: string | null }): boolean {
  const { changes, [principal.role]: reach } = rules[right];
  if (changes && principal.scope === 'read') return false;
  if (reach !== 'own') return reach === 'any';
  return subject?.owner === principal.userId;
}
