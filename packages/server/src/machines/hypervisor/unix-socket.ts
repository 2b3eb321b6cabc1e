import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { HypervisorError } from './hypervisor-error.ts';

/** Longest path that is passed directly. The kernel accepts 107 bytes; a data directory may be deeper. */
const maxPathBytes = 100;

/**
 * Connects to a unix socket at a path of any length. A long path goes through a descriptor of its directory.
 * @throws HypervisorError `no_answer`
 */
export function connectUnix(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let directory: number | null = null;
    const closeDirectory = (): void => {
      if (directory !== null) closeSync(directory);
      directory = null;
    };
    const fail = (cause: unknown): void => {
      closeDirectory();
      reject(new HypervisorError('no_answer', { cause }));
    };
    try {
      const isLong = Buffer.byteLength(path) > maxPathBytes;
      if (isLong) directory = openSync(dirname(path), 'r');
      const socket = connect(isLong ? `/proc/self/fd/${directory}/${basename(path)}` : path);
      socket.once('error', fail);
      socket.once('connect', () => {
        closeDirectory();
        socket.off('error', fail);
        resolve(socket);
      });
    } catch (cause) {
      fail(cause);
    }
  });
}
