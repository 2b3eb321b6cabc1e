import type { Role } from '@wcc/api';

/** Who was authenticated. Frozen on a socket; never holds a secret. */
export interface Principal {
  readonly kind: 'session' | 'token' | 'admin-token';
  readonly userId: string;
  readonly userName: string;
  readonly role: Role;
  /** SHA-256 of the session's secret, or the token's id. */
  readonly sessionKey: string;
  /** The user's version that this was authenticated against; another one means another password or role. */
  readonly sessionVersion: number;
  readonly scope: 'read' | 'write';
  /** Clock time in milliseconds; null: as long as the process lives. */
  readonly expiresAtMs: number | null;
  /** Client address, for the audit record. */
  readonly address: string;
  /** Name of the bearer token; null for a session. */
  readonly tokenName: string | null;
}

/** How the audit record names a principal. */
export function whoIs(principal: Principal): string {
  if (principal.kind === 'admin-token') return 'admin-token';
  return principal.tokenName === null
    ? principal.userName
    : `${principal.userName} (token ${principal.tokenName})`;
}
