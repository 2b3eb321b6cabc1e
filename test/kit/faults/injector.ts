import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeWorkspace } from '../directories.ts';
import { until } from '../poll.ts';

/** Kinds of system calls that can fail. `clone` is the ioctl FICLONE. */
export const families = [
  'open',
  'read',
  'write',
  'fsync',
  'rename',
  'close',
  'link',
  'unlink',
  'ftruncate',
  'fallocate',
  'copy_file_range',
  'clone',
] as const;
export type Family = (typeof families)[number];
export type Counts = Partial<Record<Family, number>>;

export interface FaultPlan {
  calls: readonly Family[];
  /** Regular expression of the files, after the resolution of descriptors. */
  path: string;
  /** 0 lets every call pass, so that the calls are only counted. */
  errno: number;
  /** Calls that pass before the first failure. */
  skip: number;
  /** Calls that fail; null: every further one. */
  times: number | null;
}

/** Calls on matching files since the plan was armed: how many there were, and how many failed. */
export interface FaultCounts {
  seen: Counts;
  hits: Counts;
}

export interface Injector {
  /** Prefix of the command of the server. */
  readonly launcher: readonly string[];
  arm(plan: FaultPlan): Promise<void>;
  disarm(): Promise<FaultCounts>;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('injector.py', import.meta.url));

/** Why no call can fail on this host; null if all can. */
export function injectorSkipReason(): string | null {
  if (process.arch !== 'x64') return 'the injector knows the system calls of x86-64 only';
  if (spawnSync('python3', ['-c', 'import os; os.pidfd_open']).status !== 0) return 'it needs Python 3.9';
  return null;
}

/** Makes system calls of a server fail: by seccomp, in Node, libuv, koffi and child processes. */
export async function createInjector(): Promise<Injector> {
  const workspace = makeWorkspace('injector');
  const path = join(workspace.path, 'control');
  let control: Socket | null = null;
  let answer: ((line: string) => void) | null = null;
  const listener = createServer((socket) => {
    control = socket.on('error', () => {});
    socket.on('close', () => {
      if (control === socket) control = null;
    });
    createInterface({ input: socket }).on('line', (line) => answer?.(line));
  });
  listener.listen(path);
  await once(listener, 'listening');
  async function command(order: object): Promise<FaultCounts> {
    await until(() => control !== null, { what: 'the injector to connect' });
    const line = new Promise<string>((resolve) => (answer = resolve));
    control?.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(await line) as FaultCounts;
  }
  return {
    launcher: ['python3', program, path],
    arm: async (plan) => void (await command({ arm: plan })),
    disarm: () => command({ disarm: true }),
    async close() {
      control?.destroy();
      listener.close();
      await once(listener, 'close');
      workspace.remove();
    },
  };
}
