import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyBaseLogger } from 'fastify';
import type { ServerConfig } from './config/config.ts';
import { tlsUnreadable } from './http/http-server.ts';

export interface ReloadTarget {
  /** The settings at the start. */
  config: ServerConfig;
  server: Server;
  logger: FastifyBaseLogger;
}

/**
 * Makes a function that applies new settings to a running server: the TLS files and the level of the log. It logs which
 * other settings changed, because they need a restart. A failure changes nothing.
 *
 * @throws (the function) ConfigError `tls_unreadable`
 */
export function createReload({ config, server, logger }: ReloadTarget): (next: ServerConfig) => void {
  return (next) => {
    const canChangeTls = server instanceof SecureServer && next.tls !== null;
    if (canChangeTls && next.tls !== null) changeTls(server, next.tls);
    logger.level = next.logLevel;
    const needRestart = changedNames(config, next).filter(
      (name) => name !== 'logLevel' && !(name === 'tls' && canChangeTls),
    );
    logger.info({ needRestart }, 'settings were read again');
  };
}

/** Open connections keep the earlier certificate. */
function changeTls(server: SecureServer, tls: NonNullable<ServerConfig['tls']>): void {
  try {
    server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw tlsUnreadable(cause);
  }
}

function changedNames(before: ServerConfig, after: ServerConfig): (keyof ServerConfig)[] {
  const names = Object.keys(before) as (keyof ServerConfig)[];
  return names.filter((name) => name !== 'consoleDir' && !isDeepStrictEqual(before[name], after[name]));
}
