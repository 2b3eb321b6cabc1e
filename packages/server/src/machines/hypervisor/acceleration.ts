import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { bootSectorTexts, makeBootSector } from '../../images/sample/boot-sector.ts';
import { plainEnvironment } from '../../images/tools/spawn-tool.ts';

/** Under working KVM the guest prints within 0.25 s; under a broken /dev/kvm it never prints. */
const kvmLimitMs = 3_000;
/** There is no fallback after TCG, so a busy host gets more time. */
const tcgLimitMs = 30_000;

/** From util-linux: kills the trial guest when this process dies. Otherwise a SIGKILL during the trial would leave the guest running. */
const setpriv = '/usr/bin/setpriv';

/**
 * Boots a guest of 512 bytes and waits for its output. /dev/kvm may exist and still not work, for example on a
 * nested host. So only the guest's output counts as a success.
 * @returns null when no guest boots
 */
export async function findAcceleration(program: string, workDir: string): Promise<'kvm' | 'tcg' | null> {
  const disk = join(workDir, `probe-${randomUUID()}.img`);
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  // SeaBIOS needs at least one cylinder.
  await writeFile(disk, Buffer.concat([makeBootSector(), Buffer.alloc(1024 ** 2 - 512)]), { mode: 0o600 });
  try {
    if (existsSync('/dev/kvm') && (await boots(program, { acceleration: 'kvm', disk, limitMs: kvmLimitMs })))
      return 'kvm';
    return (await boots(program, { acceleration: 'tcg', disk, limitMs: tcgLimitMs })) ? 'tcg' : null;
  } finally {
    await rm(disk, { force: true });
  }
}

interface Trial {
  acceleration: 'kvm' | 'tcg';
  disk: string;
  limitMs: number;
}

function boots(program: string, { acceleration, disk, limitMs }: Trial): Promise<boolean> {
  const cpu = acceleration === 'kvm' ? 'host' : 'max';
  const node = { driver: 'raw', 'node-name': 'disk', file: { driver: 'file', filename: disk } };
  const args = [
    ['-nodefaults', '-no-user-config', '-machine', `q35,accel=${acceleration}`, '-cpu', cpu, '-m', '32'],
    [
      '-display',
      'none',
      '-sandbox',
      'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
    ],
    ['-chardev', 'stdio,id=serial0,signal=off', '-device', 'isa-serial,chardev=serial0'],
    ['-blockdev', JSON.stringify(node), '-device', 'virtio-blk-pci,drive=disk'],
  ].flat();
  const [command, argv] = existsSync(setpriv)
    ? [setpriv, ['--pdeathsig', 'KILL', '--', program, ...args]]
    : [program, args];
  return new Promise((resolve) => {
    const child = spawn(command, argv, {
      env: plainEnvironment,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    let output = '';
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (text: string) => {
      output = (output + text).slice(-4096);
      if (output.includes(bootSectorTexts.ready)) child.kill('SIGKILL');
    });
    child.on('error', () => {});
    child.on('close', () => {
      clearTimeout(timer);
      resolve(output.includes(bootSectorTexts.ready));
    });
  });
}
