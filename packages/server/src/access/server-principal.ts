import type { Principal } from './principal.ts';

/** Acts for the server itself. The audit record and the log of an operation name it `wcc`. */
export const serverPrincipal: Principal = {
  kind: 'admin-token',
  userId: 'wcc',
  userName: 'wcc',
  role: 'admin',
  sessionKey: 'wcc',
  sessionVersion: 0,
  scope: 'write',
  limitedTo: null,
  lentBy: null,
  expiresAtMs: null,
  address: 'wcc',
  tokenName: null,
};
