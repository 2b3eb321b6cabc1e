import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HypervisorError } from './hypervisor-error.ts';

/** Longest path that is passed directly. The kernel accepts 107 bytes; a data directory may be deeper. */
const maxPathBytes = 100;

/** How long a full queue of connections may stay full. QEMU queues one connection to its screen. */
const queueMs = 2000;
const retryMs = 20;

/**
 * Connects to a unix socket at a path of any length. A long path goes through a descriptor of its directory. Waits
 * while the socket's queue of connections is full.
 * @throws HypervisorError `no_answer`
 */
export async function connectUnix(path: string): Promise<Socket> {
  const endsAtMs = performance.now() + queueMs;
  for (;;) {
    try {
      return await connectOnce(path);
    } catch (cause) {
      const isFull = (cause as NodeJS.ErrnoException).code === 'EAGAIN';
      if (!isFull || performance.now() >= endsAtMs) throw new HypervisorError('no_answer', { cause });
      await sleep(retryMs);
    }
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let directory: number | null = null;
    const closeDirectory = (): void => {
      if (directory !== null) closeSync(directory);
      directory = null;
    };
    const fail = (cause: unknown): void => {
      closeDirectory();
      reject(cause);
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
