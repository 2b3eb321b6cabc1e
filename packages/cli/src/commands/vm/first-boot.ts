import { readFile } from 'node:fs/promises';
import type { FirstBootProfile, FirstBootRequest } from '@wcc/api';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import type { Server } from '../../server/server.ts';
import { passwordHash } from './password-hash.ts';

export interface FirstBootOptions {
  profile?: true;
  user?: string;
  sshKey: string[];
  hostname?: string;
  userData?: string;
  passwordFile?: string;
}

/** What the machine is told at its first boot; undefined: nothing was asked for. @throws CliError */
export async function readFirstBoot(
  context: Context,
  server: Server,
  options: FirstBootOptions,
): Promise<FirstBootRequest | undefined> {
  const { sshKey, hostname, userData, passwordFile } = options;
  const own = options.profile === true ? await readProfile(server) : null;
  const user = options.user ?? own?.user ?? undefined;
  const given = (await Promise.all(sshKey.map(readKeys))).flat();
  const sshKeys = [...new Set([...(own?.sshKeys ?? []), ...given])];
  const password = passwordFile === undefined ? undefined : await readPassword(context, passwordFile);
  const told: FirstBootRequest = {
    ...(user === undefined ? {} : { user }),
    ...(sshKeys.length === 0 ? {} : { sshKeys }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(userData === undefined ? {} : { userData: await readFile(userData, 'utf8') }),
    ...(password === undefined ? {} : { passwordHash: password }),
  };
  return Object.keys(told).length === 0 ? undefined : told;
}

/** What the user wants of every machine, as set in the console. @throws CliError when that is nothing */
async function readProfile(server: Server): Promise<FirstBootProfile> {
  const profile = await server.api.profile();
  if (profile.user !== null || profile.sshKeys.length > 0) return profile;
  throw new CliError('usage', 'Your first-boot profile is empty.', {
    code: 'empty_profile',
    hint: 'Fill it in the console: Settings, or give --user and --ssh-key.',
  });
}

/** Lines of an `authorized_keys` file, or of one public key. @throws CliError for a private key: it must not leave this machine */
async function readKeys(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8');
  if (/^-----BEGIN /m.test(text)) {
    throw new CliError('usage', `${path} is a private key; it stays where it is.`, {
      code: 'private_key',
      hint: `Give the public one: --ssh-key ${path}.pub`,
    });
  }
  const keys = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length > 0) return keys;
  throw new CliError('usage', `${path} holds no ssh key.`, { code: 'no_key' });
}

/** The first line of a file, or of standard input for `-`. */
async function readPassword(context: Context, path: string): Promise<string> {
  const text = path === '-' ? await readAll(context) : await readFile(path, 'utf8');
  return passwordHash(context, text.split(/\r?\n/, 1)[0] ?? '');
}

async function readAll({ stdin }: Context): Promise<string> {
  if (stdin.isTTY === true) {
    throw new CliError('usage', 'A password is not typed here: it would be shown.', {
      hint: 'Give a file, or a pipe: --password-file - < FILE',
    });
  }
  let text = '';
  for await (const part of stdin.setEncoding('utf8')) text += String(part);
  return text;
}
