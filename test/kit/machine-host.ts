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

/** Root has no libvirt session: the server then runs as another user. */
const unprivileged = { uid: 65_534, gid: 65_534 };

/** A server that runs machines with one driver, and whatever that driver needs. */
export interface MachineHost {
  readonly server: TestServer;
  /** Parent of everything. */
  readonly home: string;
  /** Those of `holds`. */
  readonly tools: BlockingTools | null;
  /** What the driver itself knows, also of other programs: names of machines, and QEMU processes. */
  listDriverMachines(): string[];
  /** Runs `virsh` in the server's session. @returns what it says */
  virsh(...args: readonly string[]): Promise<string>;
  /** SIGKILL for libvirt's daemons, as a crash would; nothing with the other driver. */
  killDaemons(): Promise<void>;
  /** Powers every machine off, then ends server and daemons. */
  close(): Promise<void>;
}

/** Why this driver cannot run here, or `null`. A test that is skipped for it prints this. */
export function driverSkipReason(driver: Driver): string | null {
  const requiredPath = driver === 'qemu' ? '/usr/bin/qemu-system-x86_64' : '/usr/bin/virsh';
  return existsSync(requiredPath) ? null : `${requiredPath} is missing`;
}

export interface MachineHostOptions {
  /** Programs of `/usr/bin` that can be held, see {@link makeBlockingTools}. @default none */
  blockable?: readonly string[];
  /** Before the server starts; the data directory will be `data` in it. */
  prepare?: (home: string) => void;
}

export async function startMachineHost(
  driver: Driver,
  { blockable = [], prepare }: MachineHostOptions = {},
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
      args: ['--hypervisor', driver, '--free-space-floor', '0'],
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

/** QEMU has a machine's directory, or names a disk in the pool. */
function listQemuProcesses(home: string): string[] {
  return findPids('qemu-system-x86')
    .filter((pid) => readIfPresent(`/proc/${pid}/cmdline`).includes(`${home}/`))
    .map((pid) => `process ${pid}`);
}

/** Processes by what the kernel calls them: 15 characters. */
function findPids(name: string): number[] {
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  return pids.filter((pid) => readIfPresent(`/proc/${pid}/comm`).trim() === name).map(Number);
}

/** Only daemons of this session: their environment names its runtime directory. */
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

/** A process may end while it is looked at. */
function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
