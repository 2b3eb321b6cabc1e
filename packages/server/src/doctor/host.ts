import type { LibvirtUri } from '../machines/hypervisor/libvirt/virsh.ts';
import type { Finding } from './finding.ts';
import type { DoctorSettings, HostPlaces, SettingsProblem } from './places.ts';
import type { ServiceUser } from './service-user.ts';

/** Whether the server uses libvirt, and whether libvirt answers. */
export type LibvirtUse =
  | { kind: 'unused' }
  | { kind: 'missing' }
  | { kind: 'silent'; uri: LibvirtUri; reason: string }
  | { kind: 'ready'; uri: LibvirtUri; version: string };

/** What all checks know about the host. */
export interface Host {
  settings: DoctorSettings;
  problem: SettingsProblem | null;
  places: HostPlaces;
  /** The user of the server, who may be another one than the user of this process. */
  user: ServiceUser;
  /** The running server of the data directory; 0: its process is not visible here. */
  serverPid: number | null;
  libvirt: () => Promise<LibvirtUse>;
}

export type Check = (host: Host) => Promise<Finding>;
