import { ApiProblem, createApiClient } from '@wcc/api/client';
import type { Command } from 'commander';
import { serverOrigin } from '../account/address.ts';
import type { Account } from '../account/store.ts';
import { readAccounts, writeAccounts } from '../account/store.ts';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';

export function addLogout(program: Command, context: Context): void {
  program
    .command('logout [url]')
    .description('revoke the token that login made, and forget it')
    .action(async (url: string | undefined) => {
      const accounts = await readAccounts(context.env);
      const origin = url === undefined ? accounts.current : serverOrigin(url);
      const account = origin === null ? undefined : accounts.servers[origin];
      if (origin === null || account === undefined)
        throw new CliError('forbidden', 'You are not signed in there.');
      const { [origin]: _gone, ...servers } = accounts.servers;
      const current = accounts.current === origin ? null : accounts.current;
      // Forgotten first: whatever the server says, this machine keeps no secret.
      await writeAccounts(context.env, { current, servers });
      context.stdout.write(`Signed out at ${origin}. ${await revoke(origin, account)}\n`);
    });
}

async function revoke(origin: string, { token, tokenId }: Account): Promise<string> {
  if (tokenId === null) return 'The token that was pasted is still good; revoke it in the console.';
  try {
    await createApiClient({ baseUrl: origin, token }).revokeToken(tokenId);
    return 'The token is revoked.';
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    // Revoked elsewhere or over: nothing is left to do.
    if (error.status === 401) return 'The token was no longer good.';
    return `The token could not be revoked (${error.code}); do so in the console.`;
  }
}
