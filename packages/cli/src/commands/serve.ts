import { CliError } from '../runtime/errors.ts';

/** The package that the server is; its flags, signals and exit codes are its own. */
const serverPackage = '@wcc/server/main';

/**
 * Becomes the server, in this very process. The caller has left it the arguments as if it had been started
 * itself. Loaded by name and only here: a machine that only speaks to servers needs none of it.
 *
 * @throws CliError when the package is not there
 */
export async function becomeServer(): Promise<void> {
  try {
    await import(serverPackage);
  } catch (cause) {
    const { code, message = '' } = cause as { code?: string; message?: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@wcc/server')) throw cause;
    throw new CliError('failed', 'The server is not installed beside this command.', {
      hint: 'Install it: npm install @wcc/server',
      cause,
    });
  }
}
