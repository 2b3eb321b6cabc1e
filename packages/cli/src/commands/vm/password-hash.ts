import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';

/** A hash as in /etc/shadow. */
const hashPattern = /^\$[0-9a-z]{1,16}\$[./$0-9A-Za-z=,+-]+$/;
/** Maximum length; `openssl passwd` silently cuts longer passwords. */
const maxBytes = 255;

/**
 * Hashes a password with SHA-512, so that the password itself never leaves this host. A line that is already a hash is
 * returned unchanged. `openssl` computes the hash and reads the password from a pipe.
 *
 * @throws CliError if the password is empty or too long, or `openssl` fails
 */
export async function hashPassword({ env, interrupt }: Context, line: string): Promise<string> {
  if (hashPattern.test(line)) return line;
  if (line === '' || Buffer.byteLength(line) > maxBytes) {
    const message = line === '' ? 'The password is empty.' : `The password is longer than ${maxBytes} bytes.`;
    throw new CliError('usage', message, {
      code: 'invalid_password',
      hint: 'The first line of the file is the password, or its hash as in /etc/shadow.',
    });
  }
  const child = spawn('openssl', ['passwd', '-6', '-stdin'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: env['PATH'] },
    signal: interrupt,
  });
  let hash = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (hash += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${line}\n`);
  const code: unknown = await once(child, 'close').then(
    ([status]: unknown[]) => status,
    (cause: unknown) => {
      interrupt.throwIfAborted();
      return cause;
    },
  );
  if (code === 0 && hashPattern.test(hash.trim())) return hash.trim();
  throw new CliError('local_file', 'Cannot hash the password: openssl failed or is not installed.', {
    code: 'openssl_missing',
    hint: 'Install openssl, or put a hash into the file, e.g. with: mkpasswd > FILE',
    cause: code,
  });
}
