import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { unpack } from './packages.ts';

export type Kernel = 'cloud' | 'full';

/** Modules of virtio, SCSI, SATA and ISO 9660, where the kernel has them. */
const modules =
  /\/(?:virtio\w*|scsi_mod|scsi_common|virtio_scsi|cdrom|sr_mod|libata|libahci|ahci|isofs|crc\w*|t10-pi)\.ko$/;

/** Prints the seed that a kernel sees, on the serial port, then switches off. */
const init = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for round in 1 2 3 4 5 6; do for module in /modules/*.ko; do insmod $module 2>/dev/null; done; done
n=0; while [ $n -lt 20 ] && ! ls /dev/sr1 /dev/vdb >/dev/null 2>&1; do sleep 0.5; n=$((n + 1)); done
found=no
for device in /dev/sr*; do
  mount -t iso9660 -o ro $device /mnt 2>/dev/null || continue
  [ -e /mnt/meta-data ] && found="$device $(cat /mnt/meta-data)"
  umount /mnt
done
echo "KERNEL $(uname -r) SEED $found END"
poweroff -f
`;

const syslinux =
  'default linux\nlabel linux\nkernel vmlinuz\ninitrd initrd\nappend console=ttyS0 quiet panic=5\n';
const grub = 'linux /vmlinuz console=ttyS0 quiet panic=5\ninitrd /initrd\nboot\n';

/**
 * Writes a disk that boots this kernel of Debian with BIOS and with UEFI. The disk has one FAT file system without a
 * partition table.
 */
export function writeBootDisk(directory: string, kernel: Kernel, target: string): void {
  const tools = join(directory, 'boot-tools');
  for (const name of ['mtools', 'syslinux', 'syslinux-common', 'grub-efi-amd64-bin', 'busybox-static'])
    if (!existsSync(join(tools, name))) unpack(name, join(tools, name));
  const linux = unpackKernel(directory, kernel);
  const initrd = writeInitrd({ directory, linux, busybox: join(tools, 'busybox-static/bin/busybox') });
  const files: [content: string | { path: string }, name: string][] = [
    [{ path: kernelOf(linux) }, 'vmlinuz'],
    [{ path: initrd }, 'initrd'],
    [syslinux, 'syslinux.cfg'],
    [
      { path: join(tools, 'grub-efi-amd64-bin/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi') },
      'EFI/BOOT/BOOTX64.EFI',
    ],
    [grub, 'EFI/debian/grub.cfg'],
  ];
  rmSync(target, { force: true });
  writeFileSync(target, '');
  truncateSync(target, 64 * 1024 ** 2);
  const env = {
    ...process.env,
    PATH: `${join(tools, 'mtools/usr/bin')}:${process.env['PATH'] ?? ''}`,
    MTOOLS_SKIP_CHECK: '1',
  };
  const call = (program: string, ...args: string[]): void => void execFileSync(program, args, { env });
  call('mformat', '-i', target, '-t', '64', '-h', '64', '-s', '32', '::');
  for (const folder of ['EFI', 'EFI/BOOT', 'EFI/debian']) call('mmd', '-i', target, `::${folder}`);
  for (const [content, name] of files) {
    const source = typeof content === 'string' ? join(directory, 'boot-file') : content.path;
    if (typeof content === 'string') writeFileSync(source, content);
    call('mcopy', '-i', target, source, `::${name}`);
  }
  call(join(tools, 'syslinux/usr/bin/syslinux'), '--install', target);
}

function unpackKernel(directory: string, kernel: Kernel): string {
  const target = join(directory, `kernel-${kernel}`);
  if (existsSync(join(target, 'boot'))) return target;
  const name = kernel === 'cloud' ? 'linux-image-cloud-amd64' : 'linux-image-amd64';
  const facts = execFileSync('apt-cache', ['depends', name], { encoding: 'utf8' });
  unpack(/Depends: (linux-image-\S+)/.exec(facts)?.[1] ?? '', target);
  return target;
}

function kernelOf(linux: string): string {
  const name = readdirSync(join(linux, 'boot')).find((entry) => entry.startsWith('vmlinuz-'));
  return join(linux, 'boot', name ?? '');
}

function writeInitrd({
  directory,
  linux,
  busybox,
}: Record<'directory' | 'linux' | 'busybox', string>): string {
  const tree = join(directory, 'initrd');
  rmSync(tree, { recursive: true, force: true });
  for (const folder of ['bin', 'dev', 'mnt', 'modules', 'proc', 'sys'])
    mkdirSync(join(tree, folder), { recursive: true });
  copyFileSync(busybox, join(tree, 'bin/busybox'));
  writeFileSync(join(tree, 'init'), init, { mode: 0o755 });
  for (const path of readdirSync(join(linux, 'lib'), { recursive: true, encoding: 'utf8' }))
    if (modules.test(`/${path}`))
      copyFileSync(join(linux, 'lib', path), join(tree, 'modules', basename(path)));
  const names = ['.', ...readdirSync(tree, { recursive: true, encoding: 'utf8' })];
  const archive = execFileSync(busybox, ['cpio', '-o', '-H', 'newc'], {
    cwd: tree,
    input: names.join('\n'),
    maxBuffer: 256 * 1024 ** 2,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const file = join(directory, 'initrd.img');
  writeFileSync(file, archive);
  return file;
}
