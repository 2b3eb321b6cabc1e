import type { ServerConfig } from '../config/config.ts';
import type { ConfigErrorCode } from '../config/errors.ts';
import { toolDirectories } from '../images/tools/find-tool.ts';

/** The settings that checks look at. */
export type DoctorSettings = Pick<
  ServerConfig,
  | 'dataDir'
  | 'pool'
  | 'hypervisor'
  | 'tls'
  | 'publicUrl'
  | 'host'
  | 'behindTlsProxy'
  | 'ownCertificate'
  | 'freeSpaceFloor'
>;

/** Why the server cannot start with the settings. */
export interface SettingsProblem {
  code: ConfigErrorCode;
  message: string;
  hint: string;
}

/** Where the host has its devices and programs. Tests replace them. */
export interface HostPlaces {
  kvm: string;
  proc: string;
  sys: string;
  etc: string;
  programs: readonly string[];
}

export const hostPlaces: HostPlaces = {
  kvm: '/dev/kvm',
  proc: '/proc',
  sys: '/sys',
  etc: '/etc',
  programs: toolDirectories,
};
