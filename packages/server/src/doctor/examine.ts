import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DoctorCheck, DoctorCheckId, DoctorReport } from '@wcc/api';
import { doctorChecks } from '@wcc/api';
import { checkCertificate } from './certificate.ts';
import { checkClock } from './clock.ts';
import { checkDataDirectory, checkDataFiles, checkServer } from './data-directory.ts';
import { checkAudit, checkDatabase } from './database.ts';
import { checkDurability } from './durability.ts';
import { checkBlocks, checkDisks, checkFileSystem, checkSpace } from './file-systems.ts';
import type { Finding } from './finding.ts';
import { finding, reasonOf, toCheck } from './finding.ts';
import type { Check, Host } from './host.ts';
import { checkKvm, checkQemu, checkUefi } from './hypervisor.ts';
import { checkAppArmor, checkLibvirt, findLibvirtUse } from './libvirt.ts';
import { findLockHolder } from './locks.ts';
import { checkGuests, checkPool, checkPoolLock } from './pool.ts';
import type { DoctorSettings, HostPlaces, SettingsProblem } from './places.ts';
import { hostPlaces } from './places.ts';
import { findServiceUser } from './service-user.ts';
import { checkKernel, checkMemory, checkOpenFiles, checkPrograms } from './system.ts';

/** Longer than the limits of single checks. Only a disk or a program that hangs takes longer. */
const limitMs = 20_000;

const checks: Readonly<Record<DoctorCheckId, Check>> = {
  configuration: checkConfiguration,
  server: checkServer,
  data_directory: checkDataDirectory,
  data_files: checkDataFiles,
  data_file_system: (host) => checkFileSystem(host, 'data'),
  data_space: (host) => checkSpace(host, 'data'),
  durability: checkDurability,
  database: checkDatabase,
  audit: checkAudit,
  pool: checkPool,
  pool_lock: checkPoolLock,
  pool_file_system: (host) => checkFileSystem(host, 'pool'),
  pool_space: (host) => checkSpace(host, 'pool'),
  pool_blocks: checkBlocks,
  pool_guests: checkGuests,
  disks: checkDisks,
  kernel: checkKernel,
  programs: checkPrograms,
  memory: checkMemory,
  open_files: checkOpenFiles,
  kvm: checkKvm,
  qemu: checkQemu,
  uefi: checkUefi,
  libvirt: checkLibvirt,
  apparmor: checkAppArmor,
  clock: checkClock,
  certificate: checkCertificate,
};

/** Checks that run alone: the first measures the disk, and the last uses the processor of this process. */
const first: DoctorCheckId = 'durability';
const last: DoctorCheckId = 'audit';

export interface ExamineOptions {
  settings: DoctorSettings;
  /** @default null */
  problem?: SettingsProblem | null;
  /** @default those of this host */
  places?: Partial<HostPlaces>;
  /** @default all checks */
  only?: readonly DoctorCheckId[];
}

/** Runs all checks. They change nothing, beside a running server and without one. Never rejects because of the host. */
export async function examine(options: ExamineOptions): Promise<DoctorReport> {
  const beganAt = performance.now();
  const host = await describeHost(options);
  const { only = Object.keys(doctorChecks) as DoctorCheckId[] } = options;
  const results = new Map<DoctorCheckId, DoctorCheck>();
  const run = async (id: DoctorCheckId): Promise<void> => {
    results.set(id, toCheck(id, await runLimited(() => checks[id](host))));
  };
  for (const group of [[first], only.filter((id) => id !== first && id !== last), [last]])
    await Promise.all(group.filter((id) => only.includes(id)).map(run));
  const found = only.flatMap((id) => results.get(id) ?? []);
  const has = (state: DoctorCheck['state']): boolean => found.some((check) => check.state === state);
  return {
    version: 1,
    checkedAt: new Date().toISOString(),
    durationMs: Math.round(performance.now() - beganAt),
    state: has('failed') ? 'failed' : has('warning') ? 'warning' : 'ok',
    checks: found,
  };
}

async function describeHost({ settings, problem = null, places = {} }: ExamineOptions): Promise<Host> {
  const all = { ...hostPlaces, ...places };
  const serverPid = await findLockHolder(join(settings.dataDir, 'wcc.lock'), all.proc).catch(() => null);
  const user = await findServiceUser(settings.dataDir, { serverPid, places: all });
  let libvirt: ReturnType<Host['libvirt']> | null = null;
  return {
    settings,
    problem,
    places: all,
    user,
    serverPid,
    libvirt: () => (libvirt ??= findLibvirtUse({ settings, user, places: all })),
  };
}

async function checkConfiguration({ problem }: Host): Promise<Finding> {
  if (problem === null) return finding('settings_valid');
  const { code, message, hint } = problem;
  return finding('settings_invalid', { code, reason: message, hint });
}

async function runLimited(check: () => Promise<Finding>): Promise<Finding> {
  const ended = new AbortController();
  const late = sleep(limitMs, finding('check_slow', { limitMs }), { signal: ended.signal });
  late.catch(() => {});
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return finding('check_broken', { reason: reasonOf(error) });
  } finally {
    ended.abort();
  }
}
