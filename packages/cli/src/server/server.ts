import type { ApiClient } from '@wcc/api/client';
import { createApiClient } from '@wcc/api/client';
import { readAccounts } from '../account/store.ts';
import { serverOrigin } from '../account/address.ts';
import { parseToken } from '../account/token.ts';
import { CliError } from '../runtime/errors.ts';
import { createHttpFetch } from './http-fetch.ts';
import type { Pins } from './trust.ts';
import { pinsFor } from './trust.ts';

/** The server of a command, and the token for it. */
export interface Server {
  readonly origin: string;
  readonly token: string;
  /** Keys that this server may have; without any, an authority vouches for it. */
  readonly pins: Pins;
  readonly api: ApiClient;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the server: `--url`, then `WCC_URL`, then the last sign-in. `WCC_TOKEN` takes precedence over a stored token.
 *
 * @throws CliError `forbidden` without a server or a token
 */
export async function findServer(env: Environment, url: string | undefined): Promise<Server> {
  const named = url ?? env['WCC_URL'];
  const word = env['WCC_TOKEN'] ?? '';
  const given = word.trim() === '' ? '' : parseToken(word, 'WCC_TOKEN');
  const isInEnvironment = named !== undefined && given !== '';
  const accounts = isInEnvironment ? null : await readAccounts(env);
  const address = named ?? accounts?.current ?? null;
  if (address === null) {
    throw new CliError('forbidden', 'No server is configured.', { hint: 'Sign in: wcc login URL' });
  }
  const origin = serverOrigin(address);
  const token = given === '' ? accounts?.servers[origin]?.token : given;
  if (token === undefined) {
    throw new CliError('forbidden', `You are not signed in to ${origin}.`, {
      hint: `Sign in: wcc login ${origin}`,
    });
  }
  const pins = pinsFor(env, { origin, stored: accounts?.servers[origin]?.pins });
  const api = createApiClient({ baseUrl: origin, token, timeoutMs: 30_000, fetch: createHttpFetch(pins) });
  return { origin, token, pins, api };
}
