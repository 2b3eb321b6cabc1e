import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { existsSync, chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorkspace } from './directories.ts';
import { makeBlockingTools } from './blocking-tools.ts';
import type { BlockingTools } from './blocking-tools.ts';
import { powerOffMachines } from './machines.ts';
import { until } from './poll.ts';
import { startServer } from './server.ts';
import type { TestServer } from './server.ts';

export type Driver = 'qemu' | 'libvirt';

/** User of a server on libvirt that root starts, because root has no libvirt session. */
const unprivileged = { uid: 65_534, gid: 65_534 };

/** A server that runs machines with one driver, and the daemons of that driver. */
export interface MachineHost {
  readonly server: TestServer;
  /** Parent directory of data, pool and runtime directories. */
  readonly home: string;
  /** The programs of the option `blockable`; `null` if there are none. */
  readonly tools: BlockingTools | null;
  /**
   * Names of all libvirt machines, including those of other programs, and of QEMU processes with files below `home`.
   */
  listDriverMachines(): string[];
  /** Runs `virsh` in the server's session. @returns its standard output */
  virsh(...args: readonly string[]): Promise<string>;
  /** Kills libvirt's daemons by SIGKILL, like a crash. Does nothing with the QEMU driver. */
  killDaemons(): Promise<void>;
  /** Powers every machine off, then ends server and daemons. */
  close(): Promise<void>;
}

/** Why this driver cannot run on this host, or `null`. Skipped tests print the reason. */
export function driverSkipReason(driver: Driver): string | null {
  const requiredPath = driver === 'qemu' ? '/usr/bin/qemu-system-x86_64' : '/usr/bin/virsh';
  return existsSync(requiredPath) ? null : `${requiredPath} is missing`;
}

export interface MachineHostOptions {
  /** Programs of `/usr/bin` that tests can block, see {@link makeBlockingTools}. @default none */
  blockable?: readonly string[];
  /** @default a free port */
  port?: number;
  /** Further arguments of the server. @default none */
  args?: readonly string[];
  /** Runs before the server starts. Below `home` are the pool in `pool` and, later, the data directory in `data`. */
  prepare?: (home: string) => void;
}

export async function startMachineHost(
  driver: Driver,
  { blockable = [], args = [], port, prepare }: MachineHostOptions = {},
): Promise<MachineHost> {
  const workspace = makeWorkspace(`vm-${driver}`);
  const home = workspace.path;
  const runtime = join(home, 'run');
  const identity = driver === 'libvirt' && process.getuid?.() === 0 ? unprivileged : null;
  for (const path of [home, runtime, join(home, 'pool')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (identity !== null) chownSync(path, identity.uid, identity.gid);
  }
  const killDaemons = (names = ['libvirtd', 'virtqemud']): Promise<void> => killAndWait(runtime, names);
  try {
    prepare?.(home);
    const tools = blockable.length === 0 ? null : makeBlockingTools(home, blockable, identity);
    const server = await startServer({
      home,
      ...(port === undefined ? {} : { port }),
      args: ['--hypervisor', driver, '--free-space-floor', '0', ...args],
      env: { XDG_RUNTIME_DIR: runtime },
      ...(tools === null ? identity : { launcher: tools.launcher }),
    });
    return {
      server,
      home,
      tools,
      listDriverMachines: () => [
        ...(driver === 'libvirt' ? listDomains({ home, runtime, identity }) : []),
        ...listQemuProcesses(home),
      ],
      virsh: async (...args) =>
        (await promisify(execFile)(...virshCall({ home, runtime, identity }, args))).stdout,
      killDaemons,
      async close() {
        await powerOffMachines(server);
        await server.close();
        await killDaemons(['libvirtd', 'virtqemud', 'virtlogd']);
        workspace.remove();
      },
    };
  } catch (error) {
    await killDaemons(['libvirtd', 'virtqemud', 'virtlogd']);
    workspace.remove();
    throw error;
  }
}

interface Session {
  home: string;
  runtime: string;
  identity: { uid: number; gid: number } | null;
}

function virshCall(
  { home, runtime, identity }: Session,
  args: readonly string[],
): [string, string[], { env: Record<string, string>; encoding: 'utf8'; uid?: number; gid?: number }] {
  const env = { PATH: '/usr/bin:/bin', HOME: home, XDG_RUNTIME_DIR: runtime };
  const options = { env, encoding: 'utf8', ...identity } as const;
  return ['/usr/bin/virsh', ['-c', 'qemu:///session', '-q', ...args], options];
}

function listDomains(session: Session): string[] {
  const names = execFileSync(...virshCall(session, ['list', '--all', '--name']));
  return names.split('\n').filter((name) => name.trim() !== '');
}

/** Finds QEMU by its command line, which contains a path below `home`. */
function listQemuProcesses(home: string): string[] {
  return findPids('qemu-system-x86')
    .filter((pid) => readIfPresent(`/proc/${pid}/cmdline`).includes(`${home}/`))
    .map((pid) => `process ${pid}`);
}

/** Finds processes by the kernel's name, which has at most 15 characters. */
function findPids(name: string): number[] {
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  return pids.filter((pid) => readIfPresent(`/proc/${pid}/comm`).trim() === name).map(Number);
}

/** Kills the daemons whose environment names this session's runtime directory, and waits for their end. */
async function killAndWait(runtime: string, names: readonly string[]): Promise<void> {
  for (const pid of findDaemons(runtime, names)) process.kill(pid, 'SIGKILL');
  await until(() => findDaemons(runtime, names).length === 0, { what: 'the daemons to end' });
}

function findDaemons(runtime: string, names: readonly string[]): number[] {
  return names
    .flatMap(findPids)
    .filter((pid) =>
      readIfPresent(`/proc/${pid}/environ`).split('\0').includes(`XDG_RUNTIME_DIR=${runtime}`),
    );
}

/** Reads a file of a process that may end at the same time. */
function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
