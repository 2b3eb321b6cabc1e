import { execFile } from 'node:child_process';
import { ConfigError } from '../config/errors.ts';

const withinMs = 30_000;

/**
 * Runs the `openssl` command. wcc has no other way to make a certificate.
 * @returns its standard output
 * @throws ConfigError `openssl_missing`, `certificate_failed`
 */
export function openssl(args: readonly string[], environment: { PATH?: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    // Without the user's configuration, so that each host makes the same certificate.
    const options = { timeout: withinMs, env: { ...environment, LC_ALL: 'C' }, encoding: 'utf8' } as const;
    execFile('openssl', args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(toConfigError(error, stderr));
    });
  });
}

function toConfigError(error: Error & { code?: unknown }, stderr: string): ConfigError {
  if (error.code === 'ENOENT')
    return new ConfigError(
      'openssl_missing',
      'The server needs the command openssl to make a certificate.',
      error,
    );
  const reason = stderr.trim().split('\n')[0] ?? '';
  return new ConfigError('certificate_failed', `openssl could not make a certificate: ${reason}`, error);
}
