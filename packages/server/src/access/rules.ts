import { ApiError } from '@wcc/api';
import type { GrantLevel, Role, TokenScope } from '@wcc/api';
import type { Principal } from './principal.ts';

/** Each right has one row in {@link rules}. */
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
  [operator, viewer]: readonly [Reach, Reach],
  grant: GrantLevel | null = null,
): Rule {
  return { scopes, admin: 'any', operator, viewer, grant };
}

/** Rights by role and scope. Viewers watch operations that were granted to them. */
export const rules: Readonly<Record<Right, Rule>> = {
  'pool.see': rule(readScopes, ['any', 'any']),
  'pool.rescan': rule(writeScopes, ['any', 'none']),
  'orphan.see': rule(readScopes, ['none', 'none']),
  'orphan.delete': rule(writeScopes, ['none', 'none']),
  'image.list': rule(readScopes, ['any', 'any']),
  'image.copy': rule(writeScopes, ['any', 'none']),
  'image.make': rule(writeScopes, ['any', 'none']),
  'image.upload': rule(writeScopes, ['any', 'none']),
  'upload.see': rule(readScopes, ['own', 'none']),
  'upload.send': rule(writeScopes, ['own', 'none']),
  'host.see': rule(readScopes, ['any', 'any']),
  'vm.list': rule(readScopes, ['own', 'none']),
  'vm.make': rule(writeScopes, ['any', 'none']),
  'vm.control': rule(writeScopes, ['own', 'none']),
  'vm.screen': rule(readScopes, ['own', 'none']),
  'vm.serial': rule(readScopes, ['own', 'none']),
  'vm.delete': rule(writeScopes, ['own', 'none']),
  'profile.see': rule(readScopes, ['own', 'own']),
  'profile.change': rule(writeScopes, ['own', 'own']),
  'image.import': rule(writeScopes, ['any', 'none']),
  'image.convert': rule(writeScopes, ['any', 'none']),
  'image.verify': rule(writeScopes, ['any', 'none']),
  'image.change': rule(writeScopes, ['own', 'none']),
  'image.delete': rule(writeScopes, ['own', 'none']),
  'image.download': rule(readScopes, ['any', 'none']),
  'operation.list': rule(readScopes, ['any', 'any']),
  'operation.watch': rule(readScopes, ['own', 'granted'], 'watch'),
  'operation.control': rule(writeScopes, ['own', 'none'], 'control'),
  'operation.publish': rule(publishScopes, ['own', 'none']),
  'operation.share': rule(writeScopes, ['own', 'none']),
  'ticket.make': rule(readScopes, ['any', 'any']),
  'token.see': rule(readScopes, ['own', 'own']),
  'token.manage': rule(writeScopes, ['own', 'own']),
  'user.see': rule(readScopes, ['none', 'none']),
  'user.manage': rule(writeScopes, ['none', 'none']),
  'audit.read': rule(readScopes, ['none', 'none']),
  'metrics.read': rule(readScopes, ['none', 'none']),
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
