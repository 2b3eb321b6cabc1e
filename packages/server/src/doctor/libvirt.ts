import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool, packageOf } from '../images/tools/find-tool.ts';
import { createVirsh } from '../machines/hypervisor/libvirt/virsh.ts';
import type { LibvirtConnection } from '../machines/hypervisor/libvirt/virsh.ts';
import type { Finding } from './finding.ts';
import { finding, reasonOf } from './finding.ts';
import type { Host, LibvirtUse } from './host.ts';
import type { DoctorSettings, HostPlaces } from './places.ts';
import type { ServiceUser } from './service-user.ts';

interface LibvirtQuestion {
  settings: DoctorSettings;
  user: ServiceUser;
  places: HostPlaces;
}

/** Chooses as the server does: see `createHypervisor`. */
export async function findLibvirtUse({ settings, user, places }: LibvirtQuestion): Promise<LibvirtUse> {
  const { driver } = settings.hypervisor;
  const machines = join(settings.dataDir, 'machines', 'qemu', 'machines');
  const isAuto = driver === 'auto';
  const hasOther = isAuto && (await readdir(machines).catch(() => [])).length > 0;
  if (driver === 'qemu' || hasOther || (isAuto && user.uid === 0)) return { kind: 'unused' };
  if (findTool('virsh', places.programs) === null) return { kind: isAuto ? 'unused' : 'missing' };
  const connection = connectionOf(settings, user);
  const { uri } = connection;
  try {
    const answer = await createVirsh(connection).run('version');
    return { kind: 'ready', uri, version: /libvirt (\d[\d.]*)/.exec(answer)?.[1] ?? '?' };
  } catch (error) {
    if (isAuto) return { kind: 'unused' };
    const detail = (error as { detail?: unknown }).detail;
    return { kind: 'silent', uri, reason: typeof detail === 'string' ? detail : reasonOf(error) };
  }
}

function connectionOf({ hypervisor }: DoctorSettings, user: ServiceUser): LibvirtConnection {
  if (user.identity === null) {
    const uri = user.uid === 0 ? 'qemu:///system' : 'qemu:///session';
    return { uri, environment: { ...hypervisor.environment } };
  }
  const runtime = `/run/user/${user.uid}`;
  const environment = {
    ...(user.home === null ? {} : { HOME: user.home }),
    ...(existsSync(runtime) ? { XDG_RUNTIME_DIR: runtime } : {}),
  };
  return { uri: 'qemu:///session', environment, identity: user.identity };
}

export async function checkLibvirt({ libvirt, user }: Host): Promise<Finding> {
  const use = await libvirt();
  if (use.kind === 'unused') return finding('libvirt_unused');
  if (use.kind === 'missing') return finding('libvirt_missing', { packages: packageOf.virsh });
  const { uri } = use;
  if (use.kind === 'silent')
    return finding('libvirt_unreachable', { uri, user: user.name, reason: use.reason });
  return finding('libvirt_ready', { uri, version: use.version });
}

/** libvirt's names of its profile: of the one daemon, and of the daemon for QEMU. */
const profile = /^(libvirtd|virtqemud|\/usr\/sbin\/(libvirtd|virtqemud)) /m;

export async function checkAppArmor({ libvirt, user, places }: Host): Promise<Finding> {
  const use = await libvirt();
  if (use.kind !== 'ready') return finding('libvirt_unused');
  if (use.uri !== 'qemu:///system') return finding('apparmor_session', { user: user.name });
  const file = join(places.etc, 'libvirt', 'qemu.conf');
  const settings = await readFile(file, 'utf8').catch(() => '');
  if (/^[ \t]*security_driver[ \t]*=[ \t]*(?:\[[ \t]*)?"none"/m.test(settings))
    return finding('apparmor_disabled', { file });
  const enabled = join(places.sys, 'module', 'apparmor', 'parameters', 'enabled');
  if ((await readFile(enabled, 'utf8').catch(() => 'N')).trim() !== 'Y') return finding('apparmor_off');
  const profiles = join(places.sys, 'kernel', 'security', 'apparmor', 'profiles');
  const loaded = await readFile(profiles, 'utf8').catch(() => null);
  if (loaded === null) return finding('apparmor_unknown');
  return finding(profile.test(loaded) ? 'apparmor_on' : 'apparmor_no_profile');
}
