import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpack } from './packages.ts';

const mirror = 'http://deb.debian.org/debian';
const suite = 'bookworm';
const packages = [
  'cloud-init',
  'systemd-sysv',
  'udev',
  'openssh-server',
  'sudo',
  'kmod',
  'iproute2',
  'netbase',
];
const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** Why the tests with a whole Debian do not run here; null: they do. */
export function debianSkipReason(): string | null {
  if ((process.env['WCC_DEBIAN_DIR'] ?? '') === '')
    return 'set WCC_DEBIAN_DIR, or use npm run test:cloud-init';
  return process.getuid?.() === 0 ? null : 'a chroot needs root';
}

/** Programs and packages from the package mirror, unpacked in a directory that is kept between runs. */
export interface DebianFiles {
  /** A root file system with cloud-init, as it is before its first boot. */
  rootfs: string;
}

/** Downloads what is missing. Takes minutes the first time. */
export function prepareDebian(): DebianFiles {
  const directory = process.env['WCC_DEBIAN_DIR'] ?? '';
  mkdirSync(directory, { recursive: true });
  const rootfs = join(directory, 'rootfs');
  const ready = join(directory, 'rootfs.ready');
  if (!existsSync(ready)) {
    rmSync(rootfs, { recursive: true, force: true });
    buildRootfs(directory, rootfs);
    writeFileSync(ready, '');
  }
  return { rootfs };
}

/** debootstrap does not know virtual packages, so apt installs everything but the base. */
function buildRootfs(directory: string, rootfs: string): void {
  const tool = join(directory, 'debootstrap');
  unpack('debootstrap', tool);
  const env = { ...environment, DEBOOTSTRAP_DIR: join(tool, 'usr/share/debootstrap') };
  const program = join(tool, 'usr/sbin/debootstrap');
  const base = ['--variant=minbase', '--include=ca-certificates'];
  execFileSync(program, [...base, suite, rootfs, mirror], { env, stdio: 'inherit' });
  // No service starts in a chroot.
  writeFileSync(join(rootfs, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const inside = (...command: string[]): void => {
    execFileSync('chroot', [rootfs, ...command], { env: environment, stdio: 'inherit' });
  };
  inside('apt-get', 'update', '-q');
  inside('apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages);
  inside('apt-get', 'clean');
  makePristine(rootfs);
}

/** As a cloud image is before its first boot: no machine-id, no host keys. Nothing here generates locales. */
function makePristine(rootfs: string): void {
  writeFileSync(join(rootfs, 'etc/machine-id'), '');
  writeFileSync(join(rootfs, 'etc/cloud/cloud.cfg.d/99-locale.cfg'), 'locale: false\n');
  rmSync(join(rootfs, 'usr/sbin/policy-rc.d'));
  const ssh = join(rootfs, 'etc/ssh');
  for (const name of readdirSync(ssh)) if (name.startsWith('ssh_host_')) rmSync(join(ssh, name));
}
