import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const stages = [['init', '--local'], ['init'], ['modules', '--mode=config'], ['modules', '--mode=final']];

/** A disk with Debian, on which cloud-init runs in a chroot as it does at a boot. */
export interface DebianGuest {
  /** Runs all stages of cloud-init with the seed. */
  boot(seed: string): void;
  /** Runs a command in the guest. */
  run(...command: string[]): string;
  /** Empty for a missing file. */
  read(path: string): string;
  write(path: string, text: string): void;
  /** A guest whose disk begins as this one's is now. The original must not change any more. */
  copy(): DebianGuest;
  close(): void;
}

/** @param layers directories of the disk, the lowest last; they stay unchanged */
export function startDebian(layers: readonly string[]): DebianGuest {
  const home = mkdtempSync(join(tmpdir(), 'wcc-debian-'));
  const memory = join(home, 'memory');
  const root = join(home, 'root');
  for (const path of [memory, root]) mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', 'wcc-debian', memory]);
  const [upper, work] = [join(memory, 'upper'), join(memory, 'work')];
  for (const path of [upper, work]) mkdirSync(path);
  const options = `lowerdir=${layers.join(':')},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', 'wcc-debian', '-o', options, root]);
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  execFileSync('mount', ['-t', 'sysfs', 'sysfs', join(root, 'sys')]);
  // Host name, mounts and network of this host are out of reach.
  const inside = ['--uts', '--mount', '--net', 'chroot', root];
  const run = (...command: string[]): string =>
    execFileSync('unshare', [...inside, ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const guest: DebianGuest = {
    run,
    boot(seed) {
      run('sh', '-c', 'rm -rf /run/cloud-init /var/lib/cloud/seed && mkdir -p /run /dev');
      const target = join(root, 'var/lib/cloud/seed/nocloud');
      mkdirSync(target, { recursive: true });
      for (const name of ['meta-data', 'user-data'])
        writeFileSync(join(target, name), execFileSync('isoinfo', ['-J', '-x', `/${name}`, '-i', seed]));
      // On a real disk, systemd does this before cloud-init.
      run('systemd-machine-id-setup');
      for (const stage of stages) run('cloud-init', ...stage);
    },
    read(path) {
      const file = join(root, path);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
    write: (path, text) => writeFileSync(join(root, path), text),
    copy: () => startDebian([upper, ...layers]),
    close() {
      for (const path of [join(root, 'sys'), join(root, 'proc'), root, memory])
        execFileSync('umount', ['-l', path]);
      rmSync(home, { recursive: true });
    },
  };
  return guest;
}
