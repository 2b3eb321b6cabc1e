import type { TokenScope } from '@wcc/api';
import { createApiClient } from '@wcc/api/client';
import type { Command } from 'commander';
import { Option } from 'commander';
import { isUnencrypted, serverOrigin } from '../account/address.ts';
import type { Prompt } from '../account/prompt.ts';
import { createPrompt } from '../account/prompt.ts';
import { createToken } from '../server/create-token.ts';
import type { Account } from '../account/store.ts';
import { accountsPath, readAccounts, writeAccounts } from '../account/store.ts';
import { parseToken } from '../account/token.ts';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { createHttpFetch } from '../server/http-fetch.ts';
import type { Pins } from '../server/trust.ts';
import { decideTrust, pinsFor } from '../server/trust.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import { parseCount } from './options.ts';

interface LoginOptions {
  withToken?: boolean;
  user?: string;
  scope: TokenScope;
  days: number;
  insecure?: boolean;
  pin?: string;
  acceptNewKey?: boolean;
}

/** Adds `wcc login`. */
export function addLogin(program: Command, context: Context): void {
  program
    .command('login <url>')
    .description('sign in to a server; asks for the password or token, or reads it from a pipe')
    .option('--with-token', 'sign in with an existing token instead of a password')
    .option('--user <name>', 'user name (default: asked for)')
    .addOption(
      new Option('--scope <scope>', 'scope of the new token').choices(['read', 'write']).default('write'),
    )
    .option('--days <n>', 'days until the new token expires', parseCount, 90)
    .option('--insecure', 'send the password or token over plain http to another host')
    .option('--pin <pin>', 'trust only the key with this pin, sha256//…, that the server printed')
    .option('--accept-new-key', 'trust the key that the server has now, and forget an earlier pin')
    .action(async (url: string, options: LoginOptions) => {
      const origin = serverOrigin(url);
      assertEncrypted(origin, options);
      const prompt = createPrompt(context);
      const accounts = await readAccounts(context.env);
      const stored = accounts.servers[origin]?.pins;
      const account = await trustAndSignIn(context, { prompt, origin, options, stored }).finally(() =>
        prompt.close(),
      );
      await writeAccounts(context.env, {
        current: origin,
        servers: { ...accounts.servers, [origin]: account },
      });
      context.stdout.write(
        `Signed in to ${origin} as ${escapeTerminal(account.userName)}. The token is stored in ${accountsPath(context.env)}\n`,
      );
    });
}

interface SignInRequest {
  prompt: Prompt;
  origin: string;
  options: LoginOptions;
  /** Pins of the last sign-in. */
  stored: Pins | undefined;
}

/** Decides about the key of the server before anything secret is asked for. */
async function trustAndSignIn(
  { env, stdin, stderr }: Context,
  { prompt, origin, options, stored }: SignInRequest,
): Promise<Account> {
  const isTerminal = stdin.isTTY === true && stderr.isTTY === true;
  const pins = await decideTrust({
    origin,
    pin: options.pin,
    acceptNewKey: options.acceptNewKey === true,
    known: pinsFor(env, { origin, stored }),
    prompt: isTerminal ? prompt : null,
    report: (text) => void stderr.write(text),
  });
  const account = await signIn(prompt, { origin, pins }, options);
  return pins.length === 0 ? account : { ...account, pins };
}

function assertEncrypted(origin: string, { insecure }: LoginOptions): void {
  if (insecure === true || !isUnencrypted(origin)) return;
  throw new CliError('usage', `${origin} uses plain http: others on the network can read the password.`, {
    hint: 'Use https, or add --insecure.',
  });
}

async function signIn(
  prompt: Prompt,
  server: { origin: string; pins: Pins },
  options: LoginOptions,
): Promise<Account> {
  if (options.withToken === true)
    return checkToken(server, parseToken(await prompt.askSecret('Token: '), 'This'));
  const name = options.user ?? (await prompt.ask('User: '));
  const password = await prompt.askSecret('Password: ');
  const { scope, days } = options;
  const token = await createToken({ ...server, name, password, scope, expiresInDays: Math.min(366, days) });
  return { token: token.secret, tokenId: token.id, userName: token.userName };
}

/** Checks a token with the server, so that an invalid one fails now and not with the next command. */
async function checkToken({ origin, pins }: { origin: string; pins: Pins }, token: string): Promise<Account> {
  const { user } = await createApiClient({ baseUrl: origin, token, fetch: createHttpFetch(pins) }).session();
  return { token, tokenId: null, userName: user.name };
}
