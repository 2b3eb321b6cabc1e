import type { Command } from 'commander';
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

/** Adds `wcc serve` for the help and the completion. `main.ts` starts the server without the command line. */
export function addServe(program: Command): void {
  program
    .command('serve', { isDefault: false })
    .description('run a server on this host; for its options: wcc serve --help')
    .helpOption(false)
    .allowUnknownOption();
}
