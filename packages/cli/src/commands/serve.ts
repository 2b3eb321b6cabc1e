import { importServer } from '../runtime/server-package.ts';

/**
 * Runs the server in this process with the arguments in `process.argv`. It has its own options, signals and exit
 * codes.
 *
 * @throws CliError if the server is not installed
 */
export async function runServer(): Promise<void> {
  await importServer('@wcc/server/main');
}
