import type { ChildProcess } from 'node:child_process';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../poll.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const script = fileURLToPath(new URL('./boot.sh', import.meta.url));
/** The repository as the booted system sees it. */
export const repositoryInTree = '/wcc';
/** A test that hangs must not leave a system behind. */
const maxLifeMs = 280_000;

/** The mount point of cgroup2; null if the host has none. */
function cgroupMount(): string | null {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1] ?? null;
}

/** Why no systemd can be booted here; null if it can. */
export function whyNoBoot(): string | null {
  if (process.getuid?.() !== 0) return 'booting systemd needs root';
  if (!existsSync('/usr/lib/systemd/systemd')) return 'systemd is not installed';
  const mount = cgroupMount();
  if (mount === null) return 'cgroup2 is not mounted';
  const flags = ['--mount', '--pid', '--uts', '--ipc', '--net', '--cgroup', '--fork', 'true'];
  if (spawnSync('unshare', flags).status !== 0) return 'this host allows no new namespaces';
  try {
    const group = mkdtempSync(join(mount, 'wcc-boot-'));
    rmdirSync(group);
    return null;
  } catch {
    return 'this host allows no new group in cgroup2';
  }
}

export interface Tree {
  /** Files by their absolute path, in /etc, /usr, /var or /wcc. Those in a `bin` can be executed. */
  files: Readonly<Record<string, string>>;
  /** Units that start at boot. */
  units: readonly string[];
}

export interface BootedSystem {
  /** Runs a command as root in all namespaces of the system. @returns its output; it throws for another exit code than 0 */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** The same for any exit code. */
  attempt(command: string, ...args: readonly string[]): Promise<{ code: number; output: string }>;
  /** Path of a file of the system, as this process sees it. */
  path(inside: string): string;
  /** Resolves when the system has powered off by itself. */
  readonly ended: Promise<void>;
  /** Boots again after an end, with the same /etc and /var. */
  boot(): Promise<void>;
  /** Ends all processes of the system, and removes its directories and its group. */
  close(): Promise<void>;
}

/** Units of the host's systemd that a system without devices and people does not need. */
const masked = `
  console-getty.service getty.target systemd-logind.service
  systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket
  systemd-udevd-control.socket systemd-timesyncd.service systemd-networkd.service
  systemd-resolved.service dbus.service dbus.socket
  timers.target remote-fs.target systemd-modules-load.service
  modprobe@.service sys-kernel-debug.mount sys-kernel-tracing.mount
  sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount
  systemd-sysctl.service proc-sys-fs-binfmt_misc.automount systemd-binfmt.service
  systemd-random-seed.service
`
  .trim()
  .split(/\s+/);

const baseFiles: Readonly<Record<string, string>> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nkvm:x:106:\nnogroup:x:65534:\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  '/etc/machine-id': '',
  '/etc/os-release': 'ID=debian\nNAME=wcc-boot\n',
  // Other packages of the host want users and directories that this system does not have.
  '/etc/systemd/system/systemd-sysusers.service.d/only.conf':
    '[Service]\nExecStart=\nExecStart=systemd-sysusers /etc/sysusers.d/wcc.conf\n',
  '/etc/systemd/system/systemd-tmpfiles-setup.service.d/only.conf':
    '[Service]\nExecStart=\nExecStart=systemd-tmpfiles --create --boot /usr/lib/tmpfiles.d/systemd.conf /etc/tmpfiles.d/wcc.conf\n',
};

/** Boots a system of its own and waits until its units are started or have failed. Needs `whyNoBoot() === null`. */
export async function bootSystemd(tree: Tree): Promise<BootedSystem> {
  const home = mkdtempSync(join(tmpdir(), 'wcc-boot-'));
  writeTree(home, tree);
  let running = await start(home);
  const attempt: BootedSystem['attempt'] = (command, ...args) =>
    new Promise((resolve) => {
      const enter = ['--target', String(running.init), '--all', '--', command, ...args];
      execFile('nsenter', enter, { env: insideEnvironment }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: stdout + stderr });
      });
    });
  return {
    attempt,
    async run(command, ...args) {
      const { code, output } = await attempt(command, ...args);
      if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output}`);
      return output;
    },
    path: (inside) => join(`/proc/${running.init}/root`, inside),
    get ended() {
      return running.ended;
    },
    async boot() {
      await running.ended;
      removeGroup(running.group);
      running = await start(home);
    },
    async close() {
      await running.end();
      rmSync(home, { recursive: true });
    },
  };
}

const insideEnvironment = { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C', HOME: '/root' };

function writeTree(home: string, { files, units }: Tree): void {
  for (const name of ['root', 'usr', 'wcc', 'etc/ssl', 'var/lib', 'var/log', 'var/tmp'])
    mkdirSync(join(home, name), { recursive: true });
  // The service enters the directories as a user of its own.
  chmodSync(home, 0o755);
  for (const [path, text] of Object.entries({ ...baseFiles, ...files })) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text, { mode: /\/s?bin\//.test(path) ? 0o755 : 0o644 });
  }
  for (const name of ['ld.so.cache', 'alternatives'])
    if (existsSync(`/etc/${name}`))
      cpSync(`/etc/${name}`, join(home, 'etc', name), { recursive: true, verbatimSymlinks: true });
  const system = join(home, 'etc/systemd/system');
  mkdirSync(join(system, 'multi-user.target.wants'), { recursive: true });
  for (const unit of masked) symlinkSync('/dev/null', join(system, unit));
  for (const unit of units)
    symlinkSync(join('/etc/systemd/system', unit), join(system, 'multi-user.target.wants', unit));
}

/** The Node of this process, as the system sees it. */
export const nodeInTree: string = process.execPath.startsWith('/usr/') ? process.execPath : '/node/bin/node';

interface RunningSystem {
  /** PID 1 of the system, as this host numbers it. */
  init: number;
  group: string;
  ended: Promise<void>;
  end(): Promise<void>;
}

async function start(home: string): Promise<RunningSystem> {
  const group = mkdtempSync(join(cgroupMount() ?? '', 'wcc-boot-'));
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME_DIR: home,
    GROUP: group,
    REPOSITORY: repository.replace(/\/$/, ''),
    ...(nodeInTree === process.execPath ? {} : { NODE_DIR: dirname(dirname(process.execPath)) }),
  };
  // The system dies with this process: unshare kills its child, PID 1, whose end kills all others.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'bash', script], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (log += text));
  const limit = setTimeout(() => child.kill('SIGKILL'), maxLifeMs);
  const ended = once(child, 'close').then(() => clearTimeout(limit));
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    removeGroup(group);
  };
  try {
    const init = await findInit(child, () => log);
    await waitForUnits(init, () => log);
    return { init, group, ended, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The child of unshare, once it is systemd. */
async function findInit(child: ChildProcess, log: () => string): Promise<number> {
  const { pid = 0 } = child;
  return until(
    () => {
      if (child.exitCode !== null) throw new Error(`The boot failed: ${log()}`);
      const init = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
      const isSystemd = init > 0 && readFileSync(`/proc/${init}/comm`, 'utf8').trim() === 'systemd';
      return isSystemd ? init : null;
    },
    { what: 'systemd is PID 1' },
  );
}

async function waitForUnits(init: number, log: () => string): Promise<void> {
  const enter = ['--target', String(init), '--all', '--', 'systemctl', 'is-system-running'];
  await until(
    () => {
      const { stdout } = spawnSync('nsenter', enter, { env: insideEnvironment, encoding: 'utf8' });
      return /^(running|degraded)/.test(stdout) ? true : null;
    },
    { what: () => `all units are started: ${log()}`, timeoutMs: 60_000 },
  );
}

/** Groups are removed from the inside out. The kernel removes the last process of a group a little later. */
function removeGroup(group: string): void {
  const remove = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(path, entry.name));
    for (let attempt = 0; ; attempt += 1) {
      try {
        return rmdirSync(path);
      } catch (error) {
        if (attempt === 100) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
    }
  };
  if (existsSync(group)) remove(group);
}
