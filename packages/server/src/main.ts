#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { ConfigError } from './config/errors.ts';
import { adminTokenVariable, helpText } from './config/options.ts';
import type { Command } from './config/read-config.ts';
import { readConfig } from './config/read-config.ts';
import type { RunningServer } from './start.ts';

/** A stop that takes longer hangs: copies were given 10 s to write their checkpoint. */
const stopWithinMs = 12_000;
const exitCodes = { failed: 1, misconfigured: 2 };

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

await main();

async function main(): Promise<void> {
  try {
    const command = readConfig(process.argv.slice(2), process.env);
    // Children and crash reports inherit the environment: the secret leaves it here.
    delete process.env[adminTokenVariable];
    if (command.kind === 'help') process.stdout.write(helpText());
    else if (command.kind === 'version') process.stdout.write(`${version}\n`);
    else await serve(command.config);
  } catch (error) {
    refuse(error);
  }
}

async function serve(config: Extract<Command, { kind: 'serve' }>['config']): Promise<void> {
  // Loaded only now: help, version and a refused flag need none of it.
  const [{ createLogger }, { startServer }] = await Promise.all([
    import('./http/log.ts'),
    import('./start.ts'),
  ]);
  const logger = createLogger(config.logLevel);
  const fatal = (error: unknown): void => {
    logger.fatal({ err: error }, 'unexpected failure: the process ends');
    process.exit(exitCodes.failed);
  };
  process.on('uncaughtException', fatal).on('unhandledRejection', fatal);
  const server = await startServer({
    config: { ...config, consoleDir: consoleDirectory() },
    version,
    logger,
    linkGoesTo: process.stdout.isTTY ? 'terminal' : 'file',
  });
  stopOnSignals(server, fatal);
  announce(server);
}

/** Graceful at the first signal, at once at the second. */
function stopOnSignals(server: RunningServer, fatal: (error: unknown) => void): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(exitCodes.failed);
    isStopping = true;
    setTimeout(() => fatal(new Error('The stop took too long.')), stopWithinMs).unref();
    server.stop().then(() => process.exit(0), fatal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
}

function announce({ url, firstSignIn }: RunningServer): void {
  process.stdout.write(`wcc ${version} is ready at ${url}\n`);
  if (firstSignIn === null) return;
  const where = 'link' in firstSignIn ? firstSignIn.link : `the link in ${firstSignIn.file}`;
  process.stdout.write(`First sign-in, valid once and for 24 hours: ${where}\n`);
}

function refuse(error: unknown): void {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`wcc cannot start (${error.code}): ${error.message}\nWhat to do: ${error.hint}\n`);
  process.exitCode = exitCodes.misconfigured;
}

/** The console is a package of its own; without it only the API is served. */
function consoleDirectory(): string | null {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@wcc/console/package.json')), 'dist');
  } catch {
    return null;
  }
}
