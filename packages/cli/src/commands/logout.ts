import { escapeTerminal } from '@wcc/progress/terminal';
import { ApiProblem, createApiClient } from '@wcc/api/client';
import type { Command } from 'commander';
import { serverOrigin } from '../account/address.ts';
import type { Account } from '../account/store.ts';
import { readAccounts, writeAccounts } from '../account/store.ts';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { createHttpFetch } from '../server/http-fetch.ts';
import { pinsFor } from '../server/trust.ts';
import type { Pins } from '../server/trust.ts';

/** Adds `wcc logout`. */
export function addLogout(program: Command, context: Context): void {
  program
    .command('logout [url]')
    .description('revoke the token created by login and delete it from this host')
    .action(async (url: string | undefined) => {
      const accounts = await readAccounts(context.env);
      const origin = url === undefined ? accounts.current : serverOrigin(url);
      const account = origin === null ? undefined : accounts.servers[origin];
      if (origin === null || account === undefined)
        throw new CliError('forbidden', 'You are not signed in to this server.');
      const pins = pinsFor(context.env, { origin, stored: account.pins });
      const { [origin]: _gone, ...servers } = accounts.servers;
      const current = accounts.current === origin ? null : accounts.current;
      // Deletes the token before the revocation, so that no token stays here if the server is unreachable.
      await writeAccounts(context.env, { current, servers });
      context.stdout.write(`Signed out of ${origin}. ${await revoke(origin, account, pins)}\n`);
    });
}

async function revoke(origin: string, { token, tokenId }: Account, pins: Pins): Promise<string> {
  if (tokenId === null) return 'The token that you supplied is still valid; revoke it in the console.';
  try {
    await createApiClient({ baseUrl: origin, token, fetch: createHttpFetch(pins) }).revokeToken(tokenId);
    return 'The token was revoked.';
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    // Already revoked or expired.
    if (error.status === 401) return 'The token was no longer valid.';
    return `The token could not be revoked (${escapeTerminal(error.code)}); revoke it in the console.`;
  }
}
