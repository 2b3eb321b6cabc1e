import { ApiError } from '@wcc/api';
import type { GrantLevel, Role, TokenScope } from '@wcc/api';
import type { Principal } from './principal.ts';

/** Each right has one row in {@link rules}. */
export type Right =
  | 'pool.see'
  | 'pool.locate'
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
  | 'metrics.read'
  | 'host.check';

/**
 * `own`: things of the principal, and things that were granted to it on the level of the right. `granted`: only the
 * latter. A thing without an owner is never `own`.
 */
type Reach = 'any' | 'own' | 'granted' | 'none';

interface Rule extends Record<Role, Reach> {
  /** Token scopes that include the right. */
  scopes: readonly TokenScope[];
  /** The grant that replaces ownership. */
  grant: GrantLevel | null;
}

const readScopes = ['read', 'write'] as const;
const writeScopes = ['write'] as const;
const publishScopes = ['write', 'publish'] as const;

function rule(
  scopes: readonly TokenScope[],
  [admin, operator, viewer]: readonly [Reach, Reach, Reach],
  grant: GrantLevel | null = null,
): Rule {
  return { scopes, admin, operator, viewer, grant };
}

/** Rights by role and scope. Viewers watch operations that were granted to them. */
export const rules: Readonly<Record<Right, Rule>> = {
  'pool.see': rule(readScopes, ['any', 'any', 'any']),
  // Where it is on the host helps attacks on the host, and only administrators can go there.
  'pool.locate': rule(readScopes, ['any', 'none', 'none']),
  'pool.rescan': rule(writeScopes, ['any', 'any', 'none']),
  'orphan.see': rule(readScopes, ['any', 'none', 'none']),
  'orphan.delete': rule(writeScopes, ['any', 'none', 'none']),
  'image.list': rule(readScopes, ['any', 'any', 'any']),
  'image.copy': rule(writeScopes, ['any', 'any', 'none']),
  'image.make': rule(writeScopes, ['any', 'any', 'none']),
  'image.upload': rule(writeScopes, ['any', 'any', 'none']),
  'upload.see': rule(readScopes, ['any', 'own', 'none']),
  'upload.send': rule(writeScopes, ['any', 'own', 'none']),
  'host.see': rule(readScopes, ['any', 'any', 'any']),
  'vm.list': rule(readScopes, ['any', 'own', 'none']),
  'vm.make': rule(writeScopes, ['any', 'any', 'none']),
  'vm.control': rule(writeScopes, ['any', 'own', 'none']),
  'vm.screen': rule(readScopes, ['any', 'own', 'none']),
  'vm.serial': rule(readScopes, ['any', 'own', 'none']),
  'vm.delete': rule(writeScopes, ['any', 'own', 'none']),
  'profile.see': rule(readScopes, ['any', 'own', 'own']),
  'profile.change': rule(writeScopes, ['any', 'own', 'own']),
  'image.import': rule(writeScopes, ['any', 'any', 'none']),
  'image.convert': rule(writeScopes, ['any', 'any', 'none']),
  'image.verify': rule(writeScopes, ['any', 'any', 'none']),
  'image.change': rule(writeScopes, ['any', 'own', 'none']),
  'image.delete': rule(writeScopes, ['any', 'own', 'none']),
  'image.download': rule(readScopes, ['any', 'any', 'none']),
  'operation.list': rule(readScopes, ['any', 'any', 'any']),
  'operation.watch': rule(readScopes, ['any', 'own', 'granted'], 'watch'),
  'operation.control': rule(writeScopes, ['any', 'own', 'none'], 'control'),
  // Only its program knows how an operation is; an administrator may cancel it.
  'operation.publish': rule(publishScopes, ['own', 'own', 'none']),
  'operation.share': rule(writeScopes, ['any', 'own', 'none']),
  'ticket.make': rule(readScopes, ['any', 'any', 'any']),
  'token.see': rule(readScopes, ['any', 'own', 'own']),
  'token.manage': rule(writeScopes, ['any', 'own', 'own']),
  'user.see': rule(readScopes, ['any', 'none', 'none']),
  'user.manage': rule(writeScopes, ['any', 'none', 'none']),
  'audit.read': rule(readScopes, ['any', 'none', 'none']),
  'metrics.read': rule(readScopes, ['any', 'none', 'none']),
  // Its answer has paths of the host.
  'host.check': rule(readScopes, ['any', 'none', 'none']),
};

/** The thing that a right is about: its owner and, for an operation, its id and grant. */
export interface Subject {
  owner: string | null;
  /** Id of the operation, for principals that are limited to some operations. */
  operationId?: string;
  /** The level that was granted to this principal. */
  granted?: GrantLevel | null;
}

/** Whether the principal has the right on the subject. */
export function can(principal: Principal, right: Right, subject?: Subject): boolean {
  if (principal.limitedTo !== null && !isWithin(principal.limitedTo, right, subject)) return false;
  if (principal.kind === 'share') return true;
  const { scopes, grant, [principal.role]: reach } = rules[right];
  if (!scopes.includes(principal.scope)) return false;
  if (reach === 'any' || reach === 'none') return reach === 'any';
  const isGranted = grant !== null && (subject?.granted === grant || subject?.granted === 'control');
  return isGranted || (reach === 'own' && subject?.owner === principal.userId);
}

/** The things on which a principal has a right, for the query of a list. */
export interface RightScope {
  /** All things, of any owner. */
  all: boolean;
  /** The things of this owner; null: none. */
  ownerId: string | null;
  /** The things that were granted to this user; null: none. */
  grantedTo: string | null;
}

/** Agrees with {@link can} about every thing, so that a list shows exactly what can be read one by one. */
export function scopeOf(principal: Principal, right: Right): RightScope {
  const { userId } = principal;
  const { grant } = rules[right];
  return {
    all: can(principal, right, { owner: null }),
    ownerId: can(principal, right, { owner: userId }) ? userId : null,
    grantedTo: grant !== null && can(principal, right, { owner: null, granted: grant }) ? userId : null,
  };
}

/** Whether the principal could have the right on any thing. False: it needs no look at the thing. */
export function couldEver(principal: Principal, right: Right): boolean {
  const [operationId] = principal.limitedTo ?? [];
  const named = operationId === undefined ? {} : { operationId };
  return can(principal, right, { owner: principal.userId, granted: 'control', ...named });
}

/** @throws ApiError `forbidden` */
export function assertRight(principal: Principal, right: Right, subject?: Subject): void {
  if (!can(principal, right, subject)) throw new ApiError('forbidden');
}

/** A limited principal may watch its operations and create tickets for them, and nothing else. */
function isWithin(limitedTo: readonly string[], right: Right, subject: Subject | undefined): boolean {
  if (right === 'ticket.make') return true;
  return (
    right === 'operation.watch' &&
    subject?.operationId !== undefined &&
    limitedTo.includes(subject.operationId)
  );
}
