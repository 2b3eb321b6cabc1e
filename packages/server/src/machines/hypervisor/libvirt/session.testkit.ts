import { chownSync, mkdirSync } from 'node:fs';
import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../wait.testkit.ts';
import type { LibvirtConnection } from './virsh.ts';

/** The ids of an unprivileged user. Root has no libvirt session, so tests as root use this user's. */
const unprivilegedUser = { uid: 65_534, gid: 65_534 };

/** A libvirt session with its own daemons and directories, without systemd. */
export interface LibvirtSession {
  readonly home: string;
  readonly connection: LibvirtConnection;
  /** Kills the daemon with SIGKILL, like a crash. */
  killDaemon(): Promise<void>;
  /** Kills its daemons and removes all files. Machines must be off. */
  close(): Promise<void>;
}

export async function startSession(): Promise<LibvirtSession> {
  const home = await mkdtemp(join(tmpdir(), 'wcc-lv-'));
  const identity = process.getuid?.() === 0 ? unprivilegedUser : undefined;
  const runtime = join(home, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  await chmod(home, 0o711);
  if (identity) for (const path of [home, runtime]) chownSync(path, identity.uid, identity.gid);
  const connection: LibvirtConnection = {
    uri: 'qemu:///session',
    environment: { HOME: home, XDG_RUNTIME_DIR: runtime },
    ...(identity ? { identity } : {}),
  };
  return {
    home,
    connection,
    killDaemon: () => end(runtime, ['libvirtd', 'virtqemud']),
    async close() {
      await end(runtime, ['libvirtd', 'virtqemud', 'virtlogd']);
      await rm(home, { recursive: true, maxRetries: 3 });
    },
  };
}

/** Kills the daemons of this session, which have its runtime directory in their environment. */
async function end(runtime: string, programs: readonly string[]): Promise<void> {
  const pids = await findDaemons(runtime, programs);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await waitUntil('the daemons to end', async () => (await findDaemons(runtime, programs)).length === 0);
}

async function findDaemons(runtime: string, programs: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`XDG_RUNTIME_DIR=${runtime}`)) continue;
    const program = (await readFile(`/proc/${name}/comm`, 'utf8').catch(() => '')).trim();
    if (programs.includes(program)) found.push(Number(name));
  }
  return found;
}
