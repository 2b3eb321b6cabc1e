import type { OnError } from '@wcc/progress/server';
import type { FastifyBaseLogger } from 'fastify';
import { repeat } from './concurrency/repeat.ts';
import type { ServerConfig } from './config/config.ts';
import { startAuditAnchoring } from './storage/audit-anchoring.ts';
import type { Store } from './storage/store.ts';

const anchorMs = 60_000;

export interface AnchorAuditDeps {
  config: Pick<ServerConfig, 'dataDir'>;
  logger: Pick<FastifyBaseLogger, 'info' | 'error'>;
  onError: OnError;
}

/**
 * Signs the audit record at the start, every minute, and at the stop. A failure, e.g. of a full disk, prevents neither
 * start nor stop: the next signature covers the same rows. @returns a function that stops it
 */
export async function anchorAudit(
  store: Store,
  { config, logger, onError }: AnchorAuditDeps,
): Promise<() => Promise<void>> {
  const anchoring = await startAuditAnchoring({
    store,
    dataDir: config.dataDir,
    log: (auditAnchor) => logger.info({ auditAnchor }, 'audit record signed'),
    onRestored: ({ number }) =>
      logger.error(
        { number },
        'the audit record does not contain its last signed row: was a backup restored?',
      ),
  });
  const report = (error: unknown): void => onError(error, { stage: 'audit-anchor' });
  await anchoring.anchor().catch(report);
  const stop = repeat(() => anchoring.anchor(), { everyMs: anchorMs, onError: report });
  return async () => {
    stop();
    await anchoring.anchor().catch(report);
  };
}
