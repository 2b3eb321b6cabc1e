import { hostname } from 'node:os';
import type { CreatedToken, TokenScope } from '@wcc/api';
import { createApiClient } from '@wcc/api/client';

export interface SignInOptions {
  origin: string;
  name: string;
  password: string;
  scope: TokenScope;
  expiresInDays: number;
}

/**
 * Signs in by name and password, makes a token, and ends the session again: what is kept is a secret that
 * can be revoked alone.
 */
export async function makeToken(options: SignInOptions): Promise<CreatedToken> {
  const { origin, name, password, scope, expiresInDays } = options;
  let cookie = '';
  const api = createApiClient({
    baseUrl: origin,
    fetch: async (input, init) => {
      // The server wants the exact origin wherever a cookie counts: this program speaks for itself.
      const headers = {
        ...(init?.headers as Record<string, string>),
        origin,
        ...(cookie === '' ? {} : { cookie }),
      };
      const response = await fetch(input, { ...init, headers });
      cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? cookie;
      return response;
    },
  });
  await api.signIn({ name, password });
  try {
    return await api.createToken({ name: `wcc on ${hostname()}`.slice(0, 64), scope, expiresInDays });
  } finally {
    await api.signOut();
  }
}
