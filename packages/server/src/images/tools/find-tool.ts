import { ApiError } from '@wcc/api';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** External programs → their Debian package. */
export const packageOf = {
  'qemu-img': 'qemu-utils',
  prlimit: 'util-linux',
  setpriv: 'util-linux',
  'qemu-system-x86_64': 'qemu-system-x86',
  virsh: 'libvirt-clients',
  libvirtd: 'libvirt-daemon',
  virtqemud: 'libvirt-daemon-driver-qemu',
  openssl: 'openssl',
  test: 'coreutils',
  timedatectl: 'systemd',
  chronyc: 'chrony',
} as const;
export type Tool = keyof typeof packageOf;

/** The directories of distributions. PATH is not used: it could name another program. */
export const toolDirectories: readonly string[] = [
  '/usr/bin',
  '/usr/sbin',
  '/bin',
  '/sbin',
  '/usr/local/bin',
  '/usr/libexec',
  '/run/current-system/sw/bin',
];

/** @returns the absolute path of a program, or null if it is not installed */
export function findTool(tool: Tool, directories: readonly string[] = toolDirectories): string | null {
  return directories.map((directory) => join(directory, tool)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The absolute path of a program. @throws ApiError `tool_missing`, which names the package */
export function assertTool(tool: Tool, directories: readonly string[] = toolDirectories): string {
  const path = findTool(tool, directories);
  if (path !== null) return path;
  throw new ApiError('tool_missing', {
    message: `The program ${tool} is not installed on the server.`,
    hint: `Install the Debian package ${packageOf[tool]}.`,
  });
}
