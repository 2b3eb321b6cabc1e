import { hostname } from 'node:os';
import { pageKeyHeader } from '@wcc/api';
import type { CreatedToken, TokenScope } from '@wcc/api';
import { createApiClient } from '@wcc/api/client';
import { createHttpFetch } from './http-fetch.ts';
import type { Pins } from './trust.ts';

export interface CreateTokenOptions {
  origin: string;
  pins: Pins;
  name: string;
  password: string;
  scope: TokenScope;
  expiresInDays: number;
}

/**
 * Signs in with name and password, creates a token, and signs out again. The token can be revoked on its own.
 */
export async function createToken(options: CreateTokenOptions): Promise<CreatedToken> {
  const { origin, pins, name, password, scope, expiresInDays } = options;
  const httpFetch = createHttpFetch(pins);
  let cookie = '';
  let pageKey = '';
  const api = createApiClient({
    baseUrl: origin,
    fetch: async (url, init) => {
      // The server requires its own Origin for every request with a cookie.
      const headers = {
        ...init.headers,
        origin,
        ...(cookie === '' ? {} : { cookie, [pageKeyHeader]: pageKey }),
      };
      const response = await httpFetch(url, { ...init, headers });
      cookie = response.cookies[0]?.split(';', 1)[0] ?? cookie;
      return response;
    },
  });
  ({ pageKey } = await api.signIn({ name, password }));
  try {
    return await api.createToken({ name: `wcc on ${hostname()}`.slice(0, 64), scope, expiresInDays });
  } finally {
    await api.signOut();
  }
}
