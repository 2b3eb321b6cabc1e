import { CliError } from './errors.ts';

/**
 * Imports a door of the server by name, because a host with only the CLI does not have that package.
 *
 * @throws CliError if the package is not installed
 */
export async function importServer(door: '@wcc/server/main' | '@wcc/server/audit'): Promise<unknown> {
  try {
    return await import(door);
  } catch (cause) {
    const { code, message = '' } = cause as { code?: string; message?: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@wcc/server')) throw cause;
    throw new CliError('failed', 'The server is not installed with this command.', {
      hint: 'Install it: npm install @wcc/server',
      cause,
    });
  }
}
