import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoctorCheckId, DoctorCode } from '@wcc/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settingsOf } from './doctor.testkit.ts';
import { examine } from './examine.ts';

const mib = 1024 ** 2;
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('Skipped, doctor and mounts: only root can mount.');

let home: string;
let undo: (() => void)[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'wcc-doctor-mounts-'));
  undo = [];
});
afterEach(() => {
  for (const step of undo.toReversed()) step();
  rmSync(home, { recursive: true });
});

/** @returns the mount point */
function mount(...args: string[]): string {
  const point = mkdtempSync(join(home, 'mount-'));
  execFileSync('mount', [...args, point], { stdio: 'pipe' });
  undo.push(() => void execFileSync('umount', [point]));
  return point;
}

function mountImage(maker: readonly [string, ...string[]], sizeMib: number, options = 'loop'): string {
  const image = join(mkdtempSync(join(home, 'disk-')), 'image');
  writeFileSync(image, '');
  truncateSync(image, sizeMib * mib);
  const [program, ...args] = maker;
  execFileSync(program, [...args, image], { stdio: 'pipe' });
  return mount('-o', options, image);
}

/** The codes of some checks for a data directory and a pool in one directory. */
async function codes(place: string, only: readonly DoctorCheckId[]): Promise<DoctorCode[]> {
  chmodSync(place, 0o700);
  const { checks } = await examine({ settings: settingsOf({ dataDir: place, pool: place }), only });
  return checks.map(({ code }) => code);
}

describe.runIf(isRoot)('doctor: file systems', () => {
  const ext4 = ['mkfs.ext4', '-q', '-m', '0'] as const;

  it('finds a file system that is mounted read-only, and what cannot be written then', async () => {
    const point = mountImage(ext4, 64);
    chmodSync(point, 0o700);
    execFileSync('mount', ['-o', 'remount,ro', point]);
    const only = ['data_directory', 'data_file_system', 'durability', 'pool', 'pool_blocks'] as const;
    const { checks } = await examine({ settings: settingsOf({ dataDir: point, pool: point }), only });
    expect(checks.map(({ code }) => code)).toEqual([
      'data_directory_unwritable',
      'file_system_read_only',
      'writes_unknown',
      'pool_unwritable',
      'blocks_unknown',
    ]);
    expect(checks[0]?.parameters).toMatchObject({ reason: 'EROFS' });
    expect(checks[1]?.advice).toContain(`mount -o remount,rw ${point}`);
  });

  it('finds a file system without barriers', async () => {
    const point = mountImage(ext4, 64, 'loop,barrier=0');
    expect(await codes(point, ['durability'])).toEqual(['barriers_off']);
  });

  it('finds used-up inodes although space is free, and what is lost at a restart', async () => {
    const point = mount('-t', 'tmpfs', '-o', 'size=512m,nr_inodes=200', 'tmpfs');
    mkdirSync(join(point, 'many'));
    for (let at = 0; at < 150; at += 1) writeFileSync(join(point, 'many', String(at)), '');
    expect(await codes(point, ['data_space', 'data_file_system'])).toEqual([
      'inodes_full',
      'file_system_volatile',
    ]);
  });

  it('finds a full disk, and a pool below the floor of free space', async () => {
    const point = mount('-t', 'tmpfs', '-o', 'size=40m', 'tmpfs');
    const settings = {
      ...settingsOf({ dataDir: point, pool: point }),
      freeSpaceFloor: { bytes: 64 * mib, fraction: 0 },
    };
    const { checks } = await examine({ settings, only: ['data_space', 'pool_space', 'disks'] });
    expect(checks.map(({ code }) => code)).toEqual(['space_full', 'space_below_floor', 'disks_shared']);
  });

  it('proves shared blocks by sharing some, on xfs and not on ext4, and removes its file', async () => {
    const xfs = mountImage(['mkfs.xfs', '-q', '-m', 'reflink=1'], 320);
    const plain = mountImage(ext4, 64);
    expect(await codes(xfs, ['pool_blocks'])).toEqual(['blocks_shared']);
    expect(await codes(plain, ['pool_blocks'])).toEqual(['blocks_not_shared']);
    expect(execFileSync('ls', ['-A', xfs], { encoding: 'utf8' })).toBe('');
    const settings = settingsOf({ dataDir: xfs, pool: plain });
    const { checks } = await examine({ settings, only: ['disks'] });
    expect(checks[0]?.code).toBe('disks_separate');
  });
});
