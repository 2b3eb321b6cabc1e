import { existsSync, chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorkspace } from './directories.ts';
import { until } from './poll.ts';
import { startServer } from './server.ts';
import type { TestServer } from './server.ts';

export type Driver = 'qemu' | 'libvirt';

/** Root has no session of libvirt: the server then runs as somebody else. */
const nobody = { uid: 65_534, gid: 65_534 };

/** A server that runs machines with one driver, and whatever that driver needs. */
export interface MachineHost {
  readonly server: TestServer;
  /** SIGKILL for libvirt's daemons, as a crash would; nothing with the other driver. */
  killDaemons(): Promise<void>;
  /** Powers every machine off, then ends server and daemons. */
  close(): Promise<void>;
}

/** Why this driver cannot run here, or `null`. A test that is skipped for it prints this. */
export function driverRefusal(driver: Driver): string | null {
  const needed = driver === 'qemu' ? '/usr/bin/qemu-system-x86_64' : '/usr/bin/virsh';
  return existsSync(needed) ? null : `${needed} is missing`;
}

export async function startMachineHost(driver: Driver): Promise<MachineHost> {
  const workspace = makeWorkspace(`vm-${driver}`);
  const home = workspace.path;
  const runtime = join(home, 'run');
  const identity = driver === 'libvirt' && process.getuid?.() === 0 ? nobody : null;
  for (const path of [home, runtime, join(home, 'pool')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (identity !== null) chownSync(path, identity.uid, identity.gid);
  }
  const killDaemons = (names = ['libvirtd', 'virtqemud']): Promise<void> => endDaemons(runtime, names);
  try {
    const server = await startServer({
      home,
      args: ['--hypervisor', driver, '--free-space-floor', '0'],
      env: { XDG_RUNTIME_DIR: runtime },
      ...identity,
    });
    return {
      server,
      killDaemons,
      async close() {
        for (const { id } of (await server.api.vms()).items)
          if (id !== null) await server.api.orderVm(id, 'power-off');
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

/** Only daemons of this session: their environment names its runtime directory. */
async function endDaemons(runtime: string, names: readonly string[]): Promise<void> {
  for (const pid of daemonsOf(runtime, names)) process.kill(pid, 'SIGKILL');
  await until(() => daemonsOf(runtime, names).length === 0, { what: 'the daemons to end' });
}

function daemonsOf(runtime: string, names: readonly string[]): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => {
      const environment = readOrNothing(`/proc/${pid}/environ`).split('\0');
      if (!environment.includes(`XDG_RUNTIME_DIR=${runtime}`)) return false;
      return names.includes(readOrNothing(`/proc/${pid}/comm`).trim());
    })
    .map(Number);
}

/** A process may end while it is looked at. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
