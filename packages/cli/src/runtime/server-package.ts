import { CliError } from './errors.ts';

/** An export of the server's package that a command calls. */
type ServerDoor = `@wcc/server/${'main' | 'audit' | 'config' | 'guests' | 'doctor'}`;

/**
 * Imports a door of the server by name, because a host with only the CLI does not have that package.
 *
 * @throws CliError if the package is not installed
 */
export async function importServer(door: ServerDoor): Promise<unknown> {
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

/**
 * Calls a door of the server. Its refusals have a code and a hint, and mean a wrong setting.
 *
 * @throws CliError
 */
export async function onServerPackage<T>(
  door: ServerDoor,
  call: (door: unknown) => T | Promise<T>,
): Promise<T> {
  const server = await importServer(door);
  try {
    return await call(server);
  } catch (cause) {
    const { name, code, message, hint } = cause as Error & { code: string; hint: string };
    if (name !== 'ConfigError') throw cause;
    throw new CliError('usage', message, { code, hint, cause });
  }
}
