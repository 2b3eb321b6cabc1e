import { syncDirectory } from '@wcc/copy/receive';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../../files/errors.ts';
import { PoolError } from './error.ts';

/** The content of `.wcc-pool`: the owner of the directory. */
export interface Marker {
  version: 1;
  poolId: string;
  installationId: string;
}

const markerMaxBytes = 4_096;

export function markerPath(directory: string): string {
  return join(directory, '.wcc-pool');
}

/** Null if there is none. @throws PoolError `marker_malformed` */
export async function readMarker(directory: string): Promise<Marker | null> {
  let text: string;
  try {
    text = await readShort(markerPath(directory));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    if (hasErrorCode(error, 'ELOOP')) throw new PoolError('marker_malformed', error);
    throw error;
  }
  const marker = parse(text);
  if (marker === null) throw new PoolError('marker_malformed');
  return marker;
}

async function readShort(path: string): Promise<string> {
  // Other programs can write to the pool: a symlink must not be followed, and a FIFO must not block.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new PoolError('marker_malformed');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(markerMaxBytes), 0, markerMaxBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function parse(text: string): Marker | null {
  try {
    const value = JSON.parse(text) as Partial<Marker> | null;
    const isMarker =
      value?.version === 1 && typeof value.poolId === 'string' && typeof value.installationId === 'string';
    return isMarker ? (value as Marker) : null;
  } catch {
    return null; // the caller reports it as malformed
  }
}

/** Durable when it resolves; never replaces an existing marker. */
export async function writeMarker(directory: string, marker: Marker): Promise<void> {
  const handle = await open(markerPath(directory), 'wx', 0o644);
  try {
    await handle.writeFile(`${JSON.stringify(marker)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(directory);
}
