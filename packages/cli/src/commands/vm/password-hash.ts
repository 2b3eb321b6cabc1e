import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';

/** As in /etc/shadow. */
const hashPattern = /^\$[0-9a-z]{1,16}\$[./$0-9A-Za-z=,+-]+$/;
/** More than this `openssl passwd` cuts off without a word. */
const mostBytes = 255;

/**
 * The hash of a password: the password itself never leaves this machine. A line that is a hash already is taken as it is.
 * SHA-512 is what every Linux reads; `openssl` makes it, and gets the password by a pipe.
 * @throws CliError when it is empty or too long, or when there is no `openssl`
 */
export async function passwordHash({ env, interrupt }: Context, line: string): Promise<string> {
  if (hashPattern.test(line)) return line;
  if (line === '' || Buffer.byteLength(line) > mostBytes) {
    const message =
      line === '' ? 'The password is empty.' : `The password is longer than ${mostBytes} bytes.`;
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
  throw new CliError('local_file', 'openssl, which makes the hash of the password, does not work here.', {
    code: 'openssl_missing',
    hint: 'Install it, or put a hash into the file, e.g. by: mkpasswd > FILE',
    cause: code,
  });
}
