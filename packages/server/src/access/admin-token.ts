import type { Principal } from './principal.ts';
import { equalsSecret, hashSecret } from './secrets.ts';

/** `sessionKey`, id and name of its principal. */
export const adminTokenKey = 'admin-token';

/** The one bearer token that is given to the process from outside, with all rights, as long as it lives. */
export interface AdminToken {
  find(secret: string, address: string): Principal | null;
  /** By the `sessionKey` of its principal, for a ticket that was obtained with it. */
  findByKey(key: string, address: string): Principal | null;
}

/** Keeps only the hash; null: there is none, and nothing matches. */
export function createAdminToken(secret: string | null): AdminToken {
  const hash = secret === null ? null : hashSecret(secret);
  return {
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
