import { freeSpace } from '@wcc/copy';
import type { FastifyBaseLogger } from 'fastify';
import type { ServerConfig } from './config/config.ts';
import { defaultBallastBytes } from './storage/ballast.ts';
import type { Store } from './storage/store.ts';

/** Logs what an operator should change, though the server can run. */
export async function warnAboutDisks(
  { dataDir, pool }: ServerConfig,
  { logger, store }: { logger: FastifyBaseLogger; store: Store },
): Promise<void> {
  const [data, images] = await Promise.all(
    [dataDir, pool.path].map((path) => freeSpace(path).catch(() => null)),
  );
  if (data && images && data.blockDevice === images.blockDevice) {
    logger.warn(
      { pool: pool.path, dataDir },
      'the pool and the database are on one file system, so machines and images can fill the disk of the database: set --pool to a directory on another disk',
    );
  }
  const { ballast } = store.status();
  if (ballast && ballast.sizeBytes < defaultBallastBytes) {
    const { sizeBytes, targetBytes } = ballast;
    logger.warn(
      { ballastBytes: sizeBytes, targetBytes, usualBytes: defaultBallastBytes },
      'the reserve of the database on a full disk is smaller than usual',
    );
  }
}
