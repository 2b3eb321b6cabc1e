import { ApiError } from '@wcc/api';
import type { GrantLevel, Role, TokenScope } from '@wcc/api';
import type { Principal } from './principal.ts';

/** What can be asked for; each has one row in {@link rules}. */
export type Right =
  | 'pool.see'
  | 'pool.rescan'
  | 'orphan.see'
  | 'orphan.delete'
  | 'image.list'
  | 'image.copy'
  | 'image.make'
  | 'image.upload'
  | 'upload.see'
  | 'upload.send'
  | 'host.see'
  | 'vm.list'
  | 'vm.make'
  | 'vm.control'
  | 'vm.screen'
  | 'vm.serial'
  | 'vm.delete'
  | 'profile.see'
  | 'profile.change'
  | 'image.import'
  | 'image.convert'
  | 'image.verify'
  | 'image.change'
  | 'image.delete'
  | 'image.download'
  | 'operation.list'
  | 'operation.watch'
  | 'operation.control'
  | 'operation.publish'
  | 'operation.share'
  | 'ticket.make'
  | 'token.see'
  | 'token.manage'
  | 'user.see'
  | 'user.manage'
  | 'audit.read'
  | 'metrics.read';

/**
 * `own`: what belongs to the principal, or was granted to it on the level that the right needs; `granted`: only
 * the latter. A thing without an owner is nobody's own.
 */
type Reach = 'any' | 'own' | 'granted' | 'none';

interface Rule extends Record<Role, Reach> {
  /** Which scopes of a token may use it. */
  scopes: readonly TokenScope[];
  /** The grant that stands in for ownership. */
  grant: GrantLevel | null;
}

const looks = ['read', 'write'] as const;
const changes = ['write'] as const;
const publishes = ['write', 'publish'] as const;

function rule(
  scopes: readonly TokenScope[],
  [operator, viewer]: readonly [Reach, Reach],
  grant: GrantLevel | null = null,
): Rule {
  return { scopes, admin: 'any', operator, viewer, grant };
}

/** Who may what, once. Viewers watch what was granted to them. */
export const rules: Readonly<Record<Right, Rule>> = {
  'pool.see': rule(looks, ['any', 'any']),
  'pool.rescan': rule(changes, ['any', 'none']),
  'orphan.see': rule(looks, ['none', 'none']),
  'orphan.delete': rule(changes, ['none', 'none']),
  'image.list': rule(looks, ['any', 'any']),
  'image.copy': rule(changes, ['any', 'none']),
  'image.make': rule(changes, ['any', 'none']),
  'image.upload': rule(changes, ['any', 'none']),
  'upload.see': rule(looks, ['own', 'none']),
  'upload.send': rule(changes, ['own', 'none']),
  'host.see': rule(looks, ['any', 'any']),
  'vm.list': rule(looks, ['own', 'none']),
  'vm.make': rule(changes, ['any', 'none']),
  'vm.control': rule(changes, ['own', 'none']),
  'vm.screen': rule(looks, ['own', 'none']),
  'vm.serial': rule(looks, ['own', 'none']),
  'vm.delete': rule(changes, ['own', 'none']),
  'profile.see': rule(looks, ['own', 'own']),
  'profile.change': rule(changes, ['own', 'own']),
  'image.import': rule(changes, ['any', 'none']),
  'image.convert': rule(changes, ['any', 'none']),
  'image.verify': rule(changes, ['any', 'none']),
  'image.change': rule(changes, ['own', 'none']),
  'image.delete': rule(changes, ['own', 'none']),
  'image.download': rule(looks, ['any', 'none']),
  'operation.list': rule(looks, ['any', 'any']),
  'operation.watch': rule(looks, ['own', 'granted'], 'watch'),
  'operation.control': rule(changes, ['own', 'none'], 'control'),
  'operation.publish': rule(publishes, ['own', 'none']),
  'operation.share': rule(changes, ['own', 'none']),
  'ticket.make': rule(looks, ['any', 'any']),
  'token.see': rule(looks, ['own', 'own']),
  'token.manage': rule(changes, ['own', 'own']),
  'user.see': rule(looks, ['none', 'none']),
  'user.manage': rule(changes, ['none', 'none']),
  'audit.read': rule(looks, ['none', 'none']),
  'metrics.read': rule(looks, ['none', 'none']),
};

/** What a right is asked about: whose it is, and for operations which one and what was granted on it. */
export interface Subject {
  owner: string | null;
  /** An operation's id; a principal that is limited to some may watch no other. */
  operationId?: string;
  /** The level that was granted to this principal. */
  granted?: GrantLevel | null;
}

/** Says whether the principal has the right, on that subject when the right reaches only so far. */
export function can(principal: Principal, right: Right, subject?: Subject): boolean {
  if (principal.limitedTo !== null && !isWithin(principal.limitedTo, right, subject)) return false;
  if (principal.kind === 'share') return true;
  const { scopes, grant, [principal.role]: reach } = rules[right];
  if (!scopes.includes(principal.scope)) return false;
  if (reach === 'any' || reach === 'none') return reach === 'any';
  const isGranted = grant !== null && (subject?.granted === grant || subject?.granted === 'control');
  return isGranted || (reach === 'own' && subject?.owner === principal.userId);
}

/** @throws ApiError `forbidden` */
export function assertRight(principal: Principal, right: Right, subject?: Subject): void {
  if (!can(principal, right, subject)) throw new ApiError('forbidden');
}

/** Who is limited to some operations may watch these, get tickets for that, and nothing else. */
function isWithin(limitedTo: readonly string[], right: Right, subject: Subject | undefined): boolean {
  if (right === 'ticket.make') return true;
  return (
    right === 'operation.watch' &&
    subject?.operationId !== undefined &&
    limitedTo.includes(subject.operationId)
  );
}
