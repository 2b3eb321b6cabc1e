import { readFile } from 'node:fs/promises';
import type { FirstBootProfile, FirstBootRequest } from '@wcc/api';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import type { Server } from '../../server/server.ts';
import { hashPassword } from './password-hash.ts';

/** The first-boot options of `wcc vm create`. */
export interface FirstBootOptions {
  profile?: true;
  user?: string;
  sshKey: string[];
  hostname?: string;
  userData?: string;
  passwordFile?: string;
}

/** The first-boot settings of the machine; undefined if no option sets any. @throws CliError */
export async function readFirstBoot(
  context: Context,
  server: Server,
  options: FirstBootOptions,
): Promise<FirstBootRequest | undefined> {
  const { sshKey, hostname, userData, passwordFile } = options;
  const profile = options.profile === true ? await readProfile(server) : null;
  const user = options.user ?? profile?.user ?? undefined;
  const given = (await Promise.all(sshKey.map(readKeys))).flat();
  const sshKeys = [...new Set([...(profile?.sshKeys ?? []), ...given])];
  const password = passwordFile === undefined ? undefined : await readPassword(context, passwordFile);
  const request: FirstBootRequest = {
    ...(user === undefined ? {} : { user }),
    ...(sshKeys.length === 0 ? {} : { sshKeys }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(userData === undefined ? {} : { userData: await readUserData(userData) }),
    ...(password === undefined ? {} : { passwordHash: password }),
  };
  return Object.keys(request).length === 0 ? undefined : request;
}

/** Text, or a gzip file in base64. */
async function readUserData(path: string): Promise<string> {
  const bytes = await readFile(path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return bytes.toString(isGzip ? 'base64' : 'utf8');
}

/** The user's first-boot profile, as set in the console. @throws CliError if it is empty */
async function readProfile(server: Server): Promise<FirstBootProfile> {
  const profile = await server.api.profile();
  if (profile.user !== null || profile.sshKeys.length > 0) return profile;
  throw new CliError('usage', 'Your first-boot profile is empty.', {
    code: 'empty_profile',
    hint: 'Fill it in the console under Settings, or use --user and --ssh-key.',
  });
}

/** The lines of a public key or an `authorized_keys` file. @throws CliError for a private key, which is never sent */
async function readKeys(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8');
  if (/^-----BEGIN /m.test(text)) {
    throw new CliError('usage', `${path} is a private key and was not sent.`, {
      code: 'private_key',
      hint: `Use the public key: --ssh-key ${path}.pub`,
    });
  }
  const keys = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length > 0) return keys;
  throw new CliError('usage', `${path} contains no SSH key.`, { code: 'no_key' });
}

/** Reads the first line of a file, or of standard input for `-`, and hashes it. */
async function readPassword(context: Context, path: string): Promise<string> {
  const text = path === '-' ? await readAll(context) : await readFile(path, 'utf8');
  return hashPassword(context, text.split(/\r?\n/, 1)[0] ?? '');
}

async function readAll({ stdin }: Context): Promise<string> {
  if (stdin.isTTY === true) {
    throw new CliError('usage', 'The password cannot be typed here, because it would be visible.', {
      hint: 'Use a file or a pipe: --password-file - < FILE',
    });
  }
  let text = '';
  for await (const part of stdin.setEncoding('utf8')) text += String(part);
  return text;
}
