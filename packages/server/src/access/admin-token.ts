import type { Principal } from './principal.ts';
import { equalsSecret, hashSecret } from './secrets.ts';

/** `sessionKey`, id and name of its principal. */
export const adminTokenKey = 'admin-token';

/** The bearer token from the configuration. It has all rights while the process runs. */
export interface AdminToken {
  find(secret: string, address: string): Principal | null;
  /** Finds it by the `sessionKey` of a ticket that was issued to it. */
  findByKey(key: string, address: string): Principal | null;
  /** Names this token, so that its share links end when another one, or none, is configured. */
  readonly maker: string | null;
}

/** Stores only the hash. Null: no token is configured, so nothing matches. */
export function createAdminToken(secret: string | null): AdminToken {
  const hash = secret === null ? null : hashSecret(secret);
  return {
    // Hashed again: the row must not help to guess the secret.
    maker: hash === null ? null : hashSecret(`maker of shares ${hash}`),
    find: (offered, address) => (hash !== null && equalsSecret(offered, hash) ? principal(address) : null),
    findByKey: (key, address) => (hash !== null && key === adminTokenKey ? principal(address) : null),
  };
}

function principal(address: string): Principal {
  return {
    kind: 'admin-token',
    userId: 'admin-token',
    userName: 'admin-token',
    role: 'admin',
    sessionKey: adminTokenKey,
    sessionVersion: 0,
    scope: 'write',
    limitedTo: null,
    lentBy: null,
    expiresAtMs: null,
    address,
    tokenName: null,
  };
}
