import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { bootSectorTexts, makeBootSector } from '../../images/sample/boot-sector.ts';
import { collect } from '../../images/tools/run-tool.ts';
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
  return withTrialDisk(workDir, async (disk) => {
    const kvm = { acceleration: 'kvm', disk, limitMs: kvmLimitMs } as const;
    if (existsSync('/dev/kvm') && (await boot(program, kvm)).boots) return 'kvm';
    const tcg = { acceleration: 'tcg', disk, limitMs: tcgLimitMs } as const;
    return (await boot(program, tcg)).boots ? 'tcg' : null;
  });
}

/** Boots the guest of {@link findAcceleration} with KVM only. `reason`: what QEMU says when the guest does not boot. */
export async function tryKvm(
  program: string,
  { workDir, identity }: { workDir: string; identity: readonly string[] },
): Promise<{ boots: boolean; reason: string }> {
  return withTrialDisk(workDir, (disk) =>
    boot(program, { acceleration: 'kvm', disk, limitMs: kvmLimitMs, identity }),
  );
}

async function withTrialDisk<Result>(
  workDir: string,
  trial: (disk: string) => Promise<Result>,
): Promise<Result> {
  const disk = join(workDir, `probe-${randomUUID()}.img`);
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  // SeaBIOS needs at least one cylinder.
  await writeFile(disk, Buffer.concat([makeBootSector(), Buffer.alloc(1024 ** 2 - 512)]), { mode: 0o600 });
  try {
    const { uid, gid } = await stat(workDir);
    if (process.getuid?.() === 0) await chown(disk, uid, gid);
    return await trial(disk);
  } finally {
    await rm(disk, { force: true });
  }
}

interface Trial {
  acceleration: 'kvm' | 'tcg';
  disk: string;
  limitMs: number;
  /** Arguments of setpriv that change the user. @default none */
  identity?: readonly string[];
}

function boot(program: string, trial: Trial): Promise<{ boots: boolean; reason: string }> {
  const { limitMs, identity = [] } = trial;
  const [command, argv] = existsSync(setpriv)
    ? [setpriv, [...identity, '--pdeathsig', 'KILL', '--', program, ...argumentsOf(trial)]]
    : [program, argumentsOf(trial)];
  return new Promise((resolve) => {
    const child = spawn(command, argv, {
      env: plainEnvironment,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, limitMs);
    let output = '';
    const errors = collect(child.stderr, 4096);
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (text: string) => {
      output = (output + text).slice(-4096);
      if (output.includes(bootSectorTexts.ready)) child.kill('SIGKILL');
    });
    child.on('error', () => {});
    child.on('close', () => {
      clearTimeout(timer);
      const late = isLate ? `no output of the guest within ${limitMs} ms` : '';
      const reason = errors().trim().split('\n').at(-1) ?? '';
      resolve({ boots: output.includes(bootSectorTexts.ready), reason: reason === '' ? late : reason });
    });
  });
}

function argumentsOf({ acceleration, disk }: Trial): string[] {
  const cpu = acceleration === 'kvm' ? 'host' : 'max';
  const node = { driver: 'raw', 'node-name': 'disk', file: { driver: 'file', filename: disk } };
  return [
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
}
