import { isDeepStrictEqual } from 'node:util';
import type { FastifyBaseLogger } from 'fastify';
import type { ServerConfig } from './config/config.ts';
import type { RunningTls } from './start-tls.ts';

export interface ReloadTarget {
  /** The settings at the start. */
  config: ServerConfig;
  tls: RunningTls;
  logger: FastifyBaseLogger;
}

/**
 * Makes a function that applies new settings to a running server: the TLS files and the level of the log. It logs which
 * other settings changed, because they need a restart. A failure changes nothing.
 *
 * @throws (the function) ConfigError `tls_unreadable`
 */
export function createReload({ config, tls, logger }: ReloadTarget): (next: ServerConfig) => void {
  return (next) => {
    const canChangeTls = tls.change !== null && next.tls !== null;
    if (tls.change !== null && next.tls !== null) tls.change(next.tls);
    logger.level = next.logLevel;
    const needRestart = changedNames(config, next).filter(
      (name) => name !== 'logLevel' && !(name === 'tls' && canChangeTls),
    );
    logger.info({ needRestart }, 'settings were read again');
  };
}

function changedNames(before: ServerConfig, after: ServerConfig): (keyof ServerConfig)[] {
  const names = Object.keys(before) as (keyof ServerConfig)[];
  return names.filter((name) => name !== 'consoleDir' && !isDeepStrictEqual(before[name], after[name]));
}
