#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { ConfigError } from './config/errors.ts';
import { adminTokenVariable, helpText } from './config/options.ts';
import type { Command } from './config/read-config.ts';
import { readConfig } from './config/read-config.ts';
import type { Settings } from './config/settings.ts';
import { defaultConfigFile, isHostService, placeOfFailure } from './config/settings.ts';
import { takeServiceEnvironment } from './service/environment.ts';
import type { Service } from './service/service.ts';
import type { RunningServer } from './start.ts';

/** Copies have 10 s to write their checkpoint; a longer stop hangs. */
const stopWithinMs = 12_000;
const exitCodes = { failed: 1, misconfigured: 2 };

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

await main();

async function main(): Promise<void> {
  let settings: Settings | null = null;
  try {
    const environment = { ...process.env };
    const defaultFile = isHostService(environment, process.pid) ? defaultConfigFile : null;
    const read = (): Command => readConfig(process.argv.slice(2), environment, { defaultFile });
    const command = read();
    if (command.kind === 'serve') settings = command.settings;
    // Children and crash reports inherit the environment, so the secret is removed from it.
    delete process.env[adminTokenVariable];
    if (command.kind === 'help') process.stdout.write(helpText());
    else if (command.kind === 'version') process.stdout.write(`${version}\n`);
    else await serve(command.config, read);
  } catch (error) {
    reportStartFailure(error, settings);
  }
}

type Config = Extract<Command, { kind: 'serve' }>['config'];

async function serve(config: Config, readAgain: () => Command): Promise<void> {
  const serviceEnvironment = takeServiceEnvironment(process.env, process.pid);
  // Loads these modules late, because help, version and a wrong flag do not need them.
  const [{ createLogger }, { startServer }, { createService }, { describeStatus }] = await Promise.all([
    import('./http/log.ts'),
    import('./start.ts'),
    import('./service/service.ts'),
    import('./service/status.ts'),
  ]);
  const logger = createLogger(config.logLevel);
  const fatal = (error: unknown): void => {
    logger.fatal({ err: error }, 'unexpected failure: the process exits');
    process.exit(exitCodes.failed);
  };
  process.on('uncaughtException', fatal).on('unhandledRejection', fatal);
  const service = createService(serviceEnvironment, (error, { stage }) =>
    logger.error({ err: error, stage }, 'background failure'),
  );
  const server = await startServer({
    config: { ...config, consoleDir: consoleDirectory() },
    version,
    logger,
    signInLinkTarget: process.stdout.isTTY ? 'terminal' : 'file',
    onUpdate: ({ from, to }) => service.slowStart(`Updating the database from schema ${from} to ${to}`),
    onFatal: fatal,
  });
  const { stop } = stopOnSignals({ server, service }, fatal);
  reloadOnHangup({ server, service, readAgain, stop });
  announce(server);
  service.ready({ status: () => describeStatus(server.url, server), ping: () => server.store.ping() });
}

/** The first signal stops gracefully, the second at once. */
function stopOnSignals(
  { server, service }: { server: RunningServer; service: Service },
  fatal: (error: unknown) => void,
): { stop: () => void } {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(exitCodes.failed);
    isStopping = true;
    service.stopping();
    setTimeout(() => fatal(new Error('The server did not stop in time.')), stopWithinMs).unref();
    server.stop().then(() => process.exit(0), fatal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return { stop };
}

interface Reloading {
  server: RunningServer;
  service: Service;
  readAgain: () => Command;
  stop: () => void;
}

/** SIGHUP reads the settings again. On a terminal it stops the server, because the terminal is gone. */
function reloadOnHangup({ server, service, readAgain, stop }: Reloading): void {
  if (isatty(0) || isatty(1)) return void process.on('SIGHUP', stop);
  process.on('SIGHUP', () => {
    void service.reloading(async () => {
      const command = readAgain();
      if (command.kind === 'serve') server.reload(command.config);
    });
  });
}

/** Prints all lines in one write, so that a program that reads the first line has the others too. */
function announce({ url, firstSignIn, ownCertificate }: RunningServer): void {
  const lines = [`wcc ${version} is ready at ${url}`];
  if (firstSignIn !== null) {
    const where = 'link' in firstSignIn ? firstSignIn.link : `the link in ${firstSignIn.file}`;
    lines.push(`First sign-in, valid once and for 24 hours: ${where}`);
  }
  if (ownCertificate !== null) {
    lines.push(
      'The certificate is self-signed. Compare it in the browser before you trust it:',
      `  SHA-256 of the certificate: ${ownCertificate.fingerprint}`,
      `  Pin of the public key, for wcc login and curl: ${ownCertificate.pin}`,
      'To use a certificate of your own, set --tls-cert and --tls-key.',
    );
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

function reportStartFailure(error: unknown, settings: Settings | null): void {
  if (!(error instanceof ConfigError)) throw error;
  const place = settings && placeOfFailure(error.code, settings);
  process.stderr.write(
    `wcc cannot start (${error.code}): ${error.message}\n${place === null ? '' : `Set by: ${place}\n`}What to do: ${error.hint}\n`,
  );
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
