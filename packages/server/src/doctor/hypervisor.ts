import { chown, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode } from '../files/errors.ts';
import { findTool, packageOf } from '../images/tools/find-tool.ts';
import { runTool } from '../images/tools/run-tool.ts';
import { tryKvm } from '../machines/hypervisor/acceleration.ts';
import { findUefi } from '../machines/hypervisor/uefi.ts';
import type { Finding } from './finding.ts';
import { finding } from './finding.ts';
import type { Host } from './host.ts';
import { identityArguments, refusalOf } from './service-user.ts';

/** Debian 12 has it. */
const oldestTested = '7.2';

const programs = ['qemu-system-x86_64', 'qemu-img'] as const;

export async function checkQemu({ places }: Host): Promise<Finding> {
  const missing = programs.filter((name) => findTool(name, places.programs) === null);
  if (missing.length > 0)
    return finding('qemu_missing', {
      programs: missing.join(', '),
      packages: missing.map((name) => packageOf[name]).join(' '),
    });
  const versions: string[] = [];
  for (const tool of programs) {
    const command = { tool, args: ['--version'], limits: null, directories: places.programs } as const;
    const { code, stdout, stderr } = await runTool(command, { timeoutMs: 5_000 });
    const version = /version (\d+(?:\.\d+)+)/.exec(stdout)?.[1];
    if (code !== 0 || version === undefined) {
      const reason = stderr.trim().split('\n')[0] ?? '';
      return finding('qemu_broken', { program: tool, packages: packageOf[tool], reason });
    }
    versions.push(version);
  }
  const [version = '', imageVersion = ''] = versions;
  if (isOlder(version, oldestTested)) return finding('qemu_old', { version, needed: oldestTested });
  return finding('qemu_ready', { version, imageVersion });
}

/** Compares versions number by number. */
export function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10)),
  );
  for (const [at, wanted] of (other ?? []).entries()) {
    const found = one?.[at] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}

export async function checkUefi({ places }: Host): Promise<Finding> {
  if (findTool('qemu-system-x86_64', places.programs) === null) return finding('needs_qemu');
  const found = findUefi();
  return found === null ? finding('uefi_missing') : finding('uefi_ready', { path: found.code });
}

/** Boots a guest, because the device may exist and not work. */
export async function checkKvm({ places, user }: Host): Promise<Finding> {
  const device = places.kvm;
  const program = findTool('qemu-system-x86_64', places.programs);
  if (program === null) return finding('needs_qemu');
  const isThere = await stat(device).then(
    () => true,
    (error: unknown) => !hasErrorCode(error, 'ENOENT'),
  );
  if (!isThere) {
    const processor = await readFile(join(places.proc, 'cpuinfo'), 'utf8').catch(() => '');
    return finding(/^flags\s*:.*\b(vmx|svm)\b/m.test(processor) ? 'kvm_no_device' : 'kvm_no_processor', {
      device,
    });
  }
  if ((await refusalOf(user, device, ['r', 'w'])) !== null)
    return finding('kvm_denied', { device, user: user.name });
  const workDir = await mkdtemp(join(tmpdir(), 'wcc-doctor-'));
  try {
    if (user.identity !== null) await chown(workDir, user.identity.uid, user.identity.gid);
    const beganAt = performance.now();
    const { boots, reason } = await tryKvm(program, { workDir, identity: identityArguments(user) });
    if (!boots) return finding('kvm_broken', { device, reason });
    return finding('kvm_boots', { bootMs: performance.now() - beganAt });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
