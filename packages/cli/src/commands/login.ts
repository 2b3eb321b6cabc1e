import type { TokenScope } from '@wcc/api';
import { createApiClient } from '@wcc/api/client';
import type { Command } from 'commander';
import { Option } from 'commander';
import { isReadable, serverOrigin } from '../account/address.ts';
import type { Asker } from '../account/prompt.ts';
import { createAsker } from '../account/prompt.ts';
import { makeToken } from '../account/create-token.ts';
import type { Account } from '../account/store.ts';
import { accountsPath, readAccounts, writeAccounts } from '../account/store.ts';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { harmless } from '../output/terminal.ts';
import { count } from './options.ts';

interface LoginOptions {
  withToken?: boolean;
  user?: string;
  scope: TokenScope;
  days: number;
  insecure?: boolean;
}

export function addLogin(program: Command, context: Context): void {
  program
    .command('login <url>')
    .description('sign in at a server; the password or token is asked for, or read from a pipe')
    .option('--with-token', 'a token is pasted; without this a password makes one')
    .option('--user <name>', 'name of the user, instead of being asked for it')
    .addOption(
      new Option('--scope <scope>', 'what the new token may').choices(['read', 'write']).default('write'),
    )
    .option('--days <n>', 'days for which the new token is good', count, 90)
    .option('--insecure', 'send the password or token over plain http to another machine')
    .action(async (url: string, options: LoginOptions) => {
      const origin = serverOrigin(url);
      refuseReadable(origin, options);
      const asker = createAsker(context);
      const account = await signIn(asker, origin, options).finally(() => asker.close());
      const accounts = await readAccounts(context.env);
      await writeAccounts(context.env, {
        current: origin,
        servers: { ...accounts.servers, [origin]: account },
      });
      context.stdout.write(
        `Signed in at ${origin} as ${harmless(account.userName)}; the token is kept in ${accountsPath(context.env)}\n`,
      );
    });
}

function refuseReadable(origin: string, { insecure }: LoginOptions): void {
  if (insecure === true || !isReadable(origin)) return;
  throw new CliError('usage', `${origin} is plain http: everybody on the way could read the password.`, {
    hint: 'Use https, or say --insecure.',
  });
}

async function signIn(asker: Asker, origin: string, options: LoginOptions): Promise<Account> {
  if (options.withToken === true) return checkToken(origin, (await asker.askSecret('Token: ')).trim());
  const name = options.user ?? (await asker.ask('User: '));
  const password = await asker.askSecret('Password: ');
  const { scope, days } = options;
  const token = await makeToken({ origin, name, password, scope, expiresInDays: Math.min(366, days) });
  return { token: token.secret, tokenId: token.id, userName: token.userName };
}

/** A token that is not good is told now, not by the next command. */
async function checkToken(origin: string, token: string): Promise<Account> {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new CliError('usage', 'This is no token.');
  const { user } = await createApiClient({ baseUrl: origin, token }).session();
  return { token, tokenId: null, userName: user.name };
}
