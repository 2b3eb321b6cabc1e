import { isReservedUserName } from '@wcc/api';
import type { Role, TokenScope, UserId } from '@wcc/api';

/** The authenticated caller. A socket keeps it unchanged. It never contains a secret. */
export interface Principal {
  /** `share`: the user of a share link; its `userId` belongs to no account. */
  readonly kind: 'session' | 'token' | 'admin-token' | 'share';
  readonly userId: UserId;
  readonly userName: string;
  readonly role: Role;
  /** SHA-256 of the session's secret, the token's id, or `share:` and the share's id. */
  readonly sessionKey: string;
  /** Version of the user at authentication; it changes with password and role. */
  readonly sessionVersion: number;
  readonly scope: TokenScope;
  /** The only operations that it may watch, in their public form; null: no limit. */
  readonly limitedTo: readonly string[] | null;
  /** For a share: the user whose right it lends; else null. */
  readonly lentBy: UserId | null;
  /** Clock time in milliseconds; null: never. */
  readonly expiresAtMs: number | null;
  /** Client address, for the audit record. */
  readonly address: string;
  /** Name of the bearer token; null for a session. */
  readonly tokenName: string | null;
}

/** How the audit record names a principal. */
export function auditName({ kind, userName, tokenName }: Principal): string {
  if (kind === 'admin-token' || kind === 'share') return userName;
  const name = auditUserName(userName);
  return tokenName === null ? name : `${name} (token ${tokenName})`;
}

/** How the audit record names a user. Users of 0.1.0 may have a name that now belongs to another actor. */
export function auditUserName(name: string): string {
  return isReservedUserName(name) ? `${name} (user)` : name;
}
