import { constants } from 'node:fs';
import { open, readFile, realpath, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { missingOr } from './data-directory.ts';
import type { Finding } from './finding.ts';
import { finding, reasonOf } from './finding.ts';
import type { Host } from './host.ts';
import type { Mount } from './mounts.ts';
import { findMount } from './mounts.ts';

const writes = 16;
const writeBytes = 4096;
/** Half a turn of a disk with 15,000 turns per minute. An honest write needs at least that, on average. */
const halfTurnMs = 2;
const slowMs = 100;
const withoutBarriers = /^(nobarrier|barrier=0)$/;
/** Of a file without a name, which nothing has to remove. Node has no constant for it. */
const nameless = constants.O_RDWR | constants.O_DIRECTORY | 0o20000000;

/** Measures durable writes in the data directory. A disk that lies about them can only be found if it is too fast. */
export async function checkDurability({ settings, places, user }: Host): Promise<Finding> {
  const path = settings.dataDir;
  let mount: Mount | null;
  try {
    mount = await findMount(path, places.proc);
  } catch (error) {
    return missingOr(error, { path, user: user.name, missing: 'place_missing' });
  }
  if (mount === null) return finding('place_missing', { path });
  const option = mount.options.find((each) => withoutBarriers.test(each));
  if (option !== undefined) return finding('barriers_off', { mount: mount.point, option });
  try {
    const writeMs = await measure(path);
    const device = await findRotatingDisk(mount, places.sys);
    if (device !== null && writeMs < halfTurnMs) return finding('writes_too_fast', { device, writeMs });
    if (writeMs > slowMs) return finding('writes_slow', { path, writeMs });
    return finding('writes_durable', { fsType: mount.fsType, writeMs });
  } catch (error) {
    return finding('writes_unknown', { path, reason: reasonOf(error) });
  }
}

/** The median time of a durable write. */
async function measure(directory: string): Promise<number> {
  const { file, remove } = await openProbe(directory);
  try {
    const block = Buffer.alloc(writeBytes, 1);
    const times: number[] = [];
    for (let at = 0; at < writes; at += 1) {
      const beganAt = performance.now();
      await file.write(block, 0, writeBytes, at * writeBytes);
      await file.datasync();
      times.push(performance.now() - beganAt);
    }
    return times.toSorted((one, other) => one - other)[writes / 2] ?? 0;
  } finally {
    await file.close();
    await remove();
  }
}

/** Some file systems have only files with a name. */
async function openProbe(directory: string): Promise<{ file: FileHandle; remove: () => Promise<void> }> {
  try {
    return { file: await open(directory, nameless, 0o600), remove: async () => {} };
  } catch {
    const path = join(directory, `.doctor-${randomUUID()}.tmp`);
    return { file: await open(path, 'wx', 0o600), remove: () => rm(path, { force: true }) };
  }
}

const virtualVendors = /qemu|vmware|msft|vbox|xen|google|amazon/i;

/** The disk of a mount, if it is a real one that turns; null for all others, and when it is not known. */
async function findRotatingDisk({ device }: Mount, sys: string): Promise<string | null> {
  try {
    const place = await realpath(join(sys, 'dev', 'block', device));
    const disk = await readFile(join(place, 'partition'), 'utf8').then(
      () => dirname(place),
      () => place,
    );
    const rotational = await readFile(join(disk, 'queue', 'rotational'), 'utf8');
    const vendor = await readFile(join(disk, 'device', 'vendor'), 'utf8');
    const isReal = /^sd[a-z]+$/.test(basename(disk)) && !virtualVendors.test(vendor);
    return isReal && rotational.trim() === '1' ? `/dev/${basename(disk)}` : null;
  } catch {
    return null;
  }
}
