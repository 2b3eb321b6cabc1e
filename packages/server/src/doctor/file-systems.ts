import { canClone, freeSpace } from '@wcc/copy';
import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { partialPath } from '@wcc/copy/receive';
import { missingOr } from './data-directory.ts';
import type { Finding } from './finding.ts';
import { finding, reasonOf } from './finding.ts';
import type { Host } from './host.ts';
import { findMount } from './mounts.ts';

const mib = 1024 ** 2;
const volatileTypes: ReadonlySet<string> = new Set(['tmpfs', 'ramfs', 'overlay']);
const networkTypes = /^(nfs4?|cifs|smb3|9p|ceph|glusterfs|fuse\.(sshfs|glusterfs|s3fs|ceph))$/;

/** Free space of the data directory below which the database may not be able to write soon, or soon enough. */
const dataFullBytes = 64 * mib;
const dataLowBytes = 512 * mib;
const fewFiles = 1_000;

type PlaceName = 'data' | 'pool';

function placeOf({ settings }: Host, place: PlaceName): string {
  return place === 'data' ? settings.dataDir : settings.pool.path;
}

/** Runs a check on a directory that may be missing. */
async function onPlace(
  host: Host,
  place: PlaceName,
  check: (path: string) => Promise<Finding>,
): Promise<Finding> {
  const path = placeOf(host, place);
  try {
    return await check(path);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return missingOr(cause, { path, user: host.user.name, missing: 'place_missing' });
  }
}

export async function checkFileSystem(host: Host, place: PlaceName): Promise<Finding> {
  return onPlace(host, place, async (path) => {
    const mount = await findMount(path, host.places.proc);
    if (mount === null) return finding('place_missing', { path });
    const { fsType, point, options } = mount;
    const facts = { path, fsType, mount: point, options: options.join(',') };
    if (options.includes('ro')) return finding('file_system_read_only', facts);
    if (volatileTypes.has(fsType)) return finding('file_system_volatile', facts);
    if (networkTypes.test(fsType))
      return finding(place === 'data' ? 'database_on_network' : 'pool_on_network', facts);
    return finding('file_system_fits', facts);
  });
}

export async function checkSpace(host: Host, place: PlaceName): Promise<Finding> {
  return onPlace(host, place, async (path) => {
    const { freeBytes, totalBytes, freeInodes } = await freeSpace(path);
    // A file system like btrfs does not limit the number of files.
    const facts = { path, freeBytes, totalBytes, freeFiles: freeInodes ?? '∞' };
    if (freeInodes !== null && freeInodes < fewFiles) return finding('inodes_full', facts);
    if (place === 'data') {
      if (freeBytes < dataFullBytes) return finding('space_full', facts);
      return finding(freeBytes < dataLowBytes ? 'space_low' : 'space_enough', facts);
    }
    const { bytes, fraction } = host.settings.freeSpaceFloor;
    const floorBytes = Math.max(bytes, fraction * totalBytes);
    if (freeBytes < floorBytes) return finding('space_below_floor', { ...facts, floorBytes });
    return finding(freeBytes < 2 * floorBytes ? 'space_low' : 'space_enough', facts);
  });
}

export async function checkDisks({ settings }: Host): Promise<Finding> {
  const [data, pool] = await Promise.all(
    [settings.dataDir, settings.pool.path].map((path) => freeSpace(path).catch(() => null)),
  );
  if (!data || !pool) return finding('place_missing', { path: data ? settings.pool.path : settings.dataDir });
  return finding(data.blockDevice === pool.blockDevice ? 'disks_shared' : 'disks_separate');
}

const probeBytes = 64 * 1024;

/** Shares the blocks of a test file with another one: neither the type of a file system nor its version is proof. */
export async function checkBlocks(host: Host): Promise<Finding> {
  return onPlace(host, 'pool', async (path) => {
    const { fsType } = await freeSpace(path);
    // A hidden name of wcc, so that the file is listed as an orphan if this process is killed.
    const probe = partialPath(path, `doctor-${randomUUID()}`);
    try {
      await writeProbe(probe);
      const isShared = await canClone(probe, path);
      return finding(isShared ? 'blocks_shared' : 'blocks_not_shared', { fsType });
    } catch (error) {
      return finding('blocks_unknown', { path, reason: reasonOf(error) });
    } finally {
      await rm(probe, { force: true }).catch(() => {});
    }
  });
}

async function writeProbe(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(Buffer.alloc(probeBytes, 1));
    await file.sync();
  } finally {
    await file.close();
  }
}
