#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { ConfigError } from './config/errors.ts';
import { adminTokenVariable, helpText } from './config/options.ts';
import type { Command } from './config/read-config.ts';
import { readConfig } from './config/read-config.ts';
import type { RunningServer } from './start.ts';

/** Copies have 10 s to write their checkpoint; a longer stop hangs. */
const stopWithinMs = 12_000;
const exitCodes = { failed: 1, misconfigured: 2 };

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

await main();

async function main(): Promise<void> {
  try {
    const command = readConfig(process.argv.slice(2), process.env);
    // Children and crash reports inherit the environment, so the secret is removed from it.
    delete process.env[adminTokenVariable];
    if (command.kind === 'help') process.stdout.write(helpText());
    else if (command.kind === 'version') process.stdout.write(`${version}\n`);
    else await serve(command.config);
  } catch (error) {
    reportStartFailure(error);
  }
}

async function serve(config: Extract<Command, { kind: 'serve' }>['config']): Promise<void> {
  // Loads these modules late, because help, version and a wrong flag do not need them.
  const [{ createLogger }, { startServer }] = await Promise.all([
    import('./http/log.ts'),
    import('./start.ts'),
  ]);
  const logger = createLogger(config.logLevel);
  const fatal = (error: unknown): void => {
    logger.fatal({ err: error }, 'unexpected failure: the process exits');
    process.exit(exitCodes.failed);
  };
  process.on('uncaughtException', fatal).on('unhandledRejection', fatal);
  const server = await startServer({
    config: { ...config, consoleDir: consoleDirectory() },
    version,
    logger,
    signInLinkTarget: process.stdout.isTTY ? 'terminal' : 'file',
    onFatal: fatal,
  });
  stopOnSignals(server, fatal);
  announce(server);
}

/** The first signal stops gracefully, the second at once. */
function stopOnSignals(server: RunningServer, fatal: (error: unknown) => void): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(exitCodes.failed);
    isStopping = true;
    setTimeout(() => fatal(new Error('The server did not stop in time.')), stopWithinMs).unref();
    server.stop().then(() => process.exit(0), fatal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
}

/** Prints both lines in one write, so that a program that reads the first line has the second line too. */
function announce({ url, firstSignIn }: RunningServer): void {
  const ready = `wcc ${version} is ready at ${url}\n`;
  if (firstSignIn === null) return void process.stdout.write(ready);
  const where = 'link' in firstSignIn ? firstSignIn.link : `the link in ${firstSignIn.file}`;
  process.stdout.write(`${ready}First sign-in, valid once and for 24 hours: ${where}\n`);
}

function reportStartFailure(error: unknown): void {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`wcc cannot start (${error.code}): ${error.message}\nWhat to do: ${error.hint}\n`);
  process.exitCode = exitCodes.misconfigured;
}

/** The built console; null when its package is not installed. */
function consoleDirectory(): string | null {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@wcc/console/package.json')), 'dist');
  } catch {
    return null;
  }
}
