import type { Role, TokenScope, UserId } from '@wcc/api';

/** Who was authenticated. Frozen on a socket; never holds a secret. */
export interface Principal {
  /** `share`: whoever holds a share link; its `userId` is nobody's. */
  readonly kind: 'session' | 'token' | 'admin-token' | 'share';
  readonly userId: UserId;
  readonly userName: string;
  readonly role: Role;
  /** SHA-256 of the session's secret, the token's id, or `share:` and the share's id. */
  readonly sessionKey: string;
  /** The user's version that this was authenticated against; another one means another password or role. */
  readonly sessionVersion: number;
  readonly scope: TokenScope;
  /** The only operations it may watch, in their public form; null: all that its rights reach. */
  readonly limitedTo: readonly string[] | null;
  /** Of a share: the user whose right it lends; null for everybody else. */
  readonly lentBy: UserId | null;
  /** Clock time in milliseconds; null: as long as the process lives. */
  readonly expiresAtMs: number | null;
  /** Client address, for the audit record. */
  readonly address: string;
  /** Name of the bearer token; null for a session. */
  readonly tokenName: string | null;
}

/** How the audit record names a principal. */
export function auditName(principal: Principal): string {
  if (principal.kind === 'admin-token' || principal.kind === 'share') return principal.userName;
  return principal.tokenName === null
    ? principal.userName
    : `${principal.userName} (token ${principal.tokenName})`;
}
