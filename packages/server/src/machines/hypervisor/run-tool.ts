import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

/** Programs are taken from here only, never from a search path that somebody else sets. */
const folders = [
  '/usr/bin',
  '/usr/sbin',
  '/bin',
  '/sbin',
  '/usr/local/bin',
  '/usr/libexec',
  '/run/current-system/sw/bin',
];

/** Program → Debian package. */
export const packageOf = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  virsh: 'libvirt-clients',
  libvirtd: 'libvirt-daemon',
  virtqemud: 'libvirt-daemon-driver-qemu',
} as const;
export type ToolName = keyof typeof packageOf;

/** @returns its absolute path, or null when it is not installed */
export function findTool(name: ToolName): string | null {
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    if (isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface ToolResult {
  /** Null when it did not end by itself: killed, or out of time. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user to run a program as, when we are root. */
export interface ToolIdentity {
  readonly uid: number;
  readonly gid: number;
}

export interface RunOptions {
  /** @default our own */
  identity?: ToolIdentity;
  /** The whole environment of the program: ours holds more than it should see. */
  env: Readonly<Record<string, string>>;
  /** @default 30000 */
  timeoutMs?: number;
}

/** Runs a program to its end, without a shell. Never rejects for what the program does. */
export function runTool(command: readonly [string, ...string[]], options: RunOptions): Promise<ToolResult> {
  const [path, ...args] = command;
  const limits = {
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
    maxBuffer: 16 * 1024 ** 2,
  } as const;
  return new Promise((resolve) => {
    execFile(
      path,
      args,
      { ...limits, ...options.identity, env: options.env, cwd: '/', encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (!error) return resolve({ code: 0, stdout, stderr });
        const code = typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr: stderr === '' ? error.message : stderr });
      },
    );
  });
}

/** What the programs of a machine see of the world. */
export const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/usr/sbin:/bin:/sbin',
  LC_ALL: 'C',
};
