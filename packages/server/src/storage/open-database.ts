import { ballastPath, releaseBallast } from './ballast.ts';
import type { Connection } from './connection-type.ts';
import { openConnection } from './connection.ts';
import type { OpeningOptions } from './connection.ts';
import { sqliteCodeOf, StoreError, wantsSpace } from './errors.ts';
import { freeBytesAt } from './space.ts';

/** For the index and the log of a connection that opens. */
const neededBytes = 1024 ** 2;

type OnUpdate = NonNullable<OpeningOptions['onUpdate']>;

/**
 * Opens the database, on a full disk as well. The ballast pays for the files of the connection; without ballast, the
 * connection keeps the index of its log in memory, which excludes other programs until there is space.
 */
export function openOnAnyDisk(path: string, onUpdate: OnUpdate): Connection {
  const ballast = ballastPath(path);
  const isTight = (): boolean => (freeBytesAt(path) ?? neededBytes) < neededBytes;
  while (isTight() && releaseBallast(ballast));
  if (isTight()) return openExclusive(path, onUpdate);
  for (;;) {
    try {
      return openConnection(path, { onUpdate });
    } catch (error) {
      // A quota, which the free space of the disk does not show.
      if (wantsSpace(error) === false) throw error;
      if (!releaseBallast(ballast)) return openExclusive(path, onUpdate);
    }
  }
}

function openExclusive(path: string, onUpdate: OnUpdate): Connection {
  try {
    return openConnection(path, { isExclusive: true, onUpdate });
  } catch (cause) {
    // Some file systems cannot even create the empty log.
    if (cause instanceof StoreError || sqliteCodeOf(cause) !== 'SQLITE_CANTOPEN') throw cause;
    throw new StoreError('store_full', { cause });
  }
}
