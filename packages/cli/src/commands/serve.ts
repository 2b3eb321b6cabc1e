import { CliError } from '../runtime/errors.ts';

/** The server's entry point. It has its own options, signals and exit codes. */
const serverPackage = '@wcc/server/main';

/**
 * Runs the server in this process with the arguments in `process.argv`. Imports the server by name, because a host
 * with only the CLI does not have that package.
 *
 * @throws CliError if the package is not installed
 */
export async function runServer(): Promise<void> {
  try {
    await import(serverPackage);
  } catch (cause) {
    const { code, message = '' } = cause as { code?: string; message?: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@wcc/server')) throw cause;
    throw new CliError('failed', 'The server is not installed with this command.', {
      hint: 'Install it: npm install @wcc/server',
      cause,
    });
  }
}
