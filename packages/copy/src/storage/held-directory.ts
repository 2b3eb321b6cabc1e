import { existsSync } from 'node:fs';

/**
 * A path that leads to an open directory, even if its name now leads to another one, for example after an unmount.
 * Without /proc, or where Node's permission model denies that path, this is the name itself.
 */
export function heldPath(fd: number, name: Buffer): Buffer {
  const path = `/proc/self/fd/${fd}`;
  return process.platform === 'linux' && isGranted(path) && existsSync(`${path}/.`)
    ? Buffer.from(path)
    : name;
}

function isGranted(path: string): boolean {
  const { permission } = process as { permission?: { has(scope: string, path: string): boolean } };
  return permission === undefined || ['fs.read', 'fs.write'].every((scope) => permission.has(scope, path));
}
