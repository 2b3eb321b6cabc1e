import { constants, existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PoolError } from '../images/pool/error.ts';
import { readMarker } from '../images/pool/marker.ts';
import { missingOr, showMode } from './data-directory.ts';
import { databasePath, readPools } from './database.ts';
import type { Finding } from './finding.ts';
import { finding } from './finding.ts';
import type { Host } from './host.ts';
import { findLockHolder } from './locks.ts';
import { findUser, refusalOf } from './service-user.ts';

export async function checkPool(host: Host): Promise<Finding> {
  const { settings, user } = host;
  const { path, origin } = settings.pool;
  const place = { path, user: user.name };
  try {
    const facts = await stat(path);
    if (!facts.isDirectory()) return finding('pool_wrong', place);
    if ((facts.mode & constants.S_IWOTH) !== 0)
      return finding('pool_world_writable', { ...place, mode: showMode(facts.mode) });
    const reason = await refusalOf(user, path, ['r', 'w', 'x']);
    if (reason !== null) return finding('pool_unwritable', { ...place, reason });
    return await checkMarker(host, await realpath(path));
  } catch (error) {
    if (error instanceof PoolError) return finding('pool_marker_malformed', place);
    const missing = origin === 'named' || wasUsed(host, path) ? 'pool_missing' : 'pool_default_missing';
    return missingOr(error, { ...place, missing });
  }
}

async function checkMarker(host: Host, path: string): Promise<Finding> {
  const marker = await readMarker(path);
  const known = readPools(host);
  if (marker === null) return finding(wasUsed(host, path) ? 'pool_marker_missing' : 'pool_new', { path });
  const installationId = known?.installationId ?? null;
  if (installationId !== null && installationId !== marker.installationId)
    return finding('pool_foreign', { path });
  // Without a database, the next start begins a new installation.
  if (!existsSync(databasePath(host))) return finding('pool_foreign', { path });
  return finding('pool_ready', { path });
}

function wasUsed(host: Host, path: string): boolean {
  return readPools(host)?.poolPaths.includes(path) === true;
}

export async function checkPoolLock({ settings, places, serverPid }: Host): Promise<Finding> {
  const holder = await findLockHolder(join(settings.pool.path, '.wcc-pool.lock'), places.proc);
  if (holder === null) return finding('pool_unlocked');
  return finding(holder === serverPid ? 'pool_locked' : 'pool_locked_elsewhere', { pid: holder });
}

/** Guests of qemu:///system run as a user of their own, who has to pass all directories above a disk. */
export async function checkGuests({ settings, libvirt, places }: Host): Promise<Finding> {
  const use = await libvirt();
  const guest = (await findUser('libvirt-qemu', places)) ?? (await findUser('qemu', places));
  const isSystem = use.kind === 'ready' && use.uri === 'qemu:///system';
  if (!isSystem || guest === null) return finding('guests_own');
  const path = await realpath(settings.pool.path).catch(() => null);
  if (path === null) return finding('place_missing', { path: settings.pool.path });
  for (let directory = path; ; directory = dirname(directory)) {
    if ((await refusalOf(guest, directory, ['x'])) !== null)
      return finding('guests_stopped', { user: guest.name, directory });
    if (directory === '/') return finding('guests_enter', { user: guest.name, path });
  }
}
