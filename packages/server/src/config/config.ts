/** How one server runs. Made from flags and environment by `readConfig`, or by a test. */
export interface ServerConfig {
  /** 0 lets the system choose. */
  port: number;
  host: string;
  dataDir: string;
  pool: PoolConfig;
  /** An origin, e.g. `https://wcc.example.org`; null: the address listened on. */
  publicUrl: string | null;
  /** Contents of the PEM files. */
  tls: { cert: string; key: string } | null;
  behindTlsProxy: boolean;
  /** Addresses or CIDR ranges. */
  trustedProxies: readonly string[];
  /** Origins whose pages may show single operations. */
  foreignOrigins: readonly string[];
  /** Addresses or CIDR ranges outside the public internet that images may be imported from. */
  importAllow: readonly string[];
  adminToken: string | null;
  hypervisor: HypervisorConfig;
  maxCopiesPerPool: number;
  freeSpaceFloor: FreeSpaceFloor;
  uploads: UploadsConfig;
  /** Larger images are not taken in, by upload or import. */
  maxVirtualSizeBytes: number;
  logLevel: LogLevel;
  /** Directory of the console's built files; null: none is served. */
  consoleDir: string | null;
}

export interface UploadsConfig {
  /** An unfinished upload that nobody goes on with for so long is removed. */
  expiryMs: number;
  /** Bytes that the unfinished uploads of one user may have in all; null: as much as there is room. */
  quotaBytes: number | null;
  /** Unfinished uploads of one user. */
  maxPerUser: number;
}

const dayMs = 86_400_000;

export const defaultUploads: UploadsConfig = { expiryMs: 7 * dayMs, quotaBytes: null, maxPerUser: 100 };

/** The directory in which images live, and whether somebody chose it. */
export interface PoolConfig {
  path: string;
  /** `default`: below the data directory, made when it is missing. `named`: a user chose it; it must exist. */
  origin: 'default' | 'named';
}

export interface HypervisorConfig {
  /** What runs machines; `auto`: libvirt where it answers, else QEMU alone. */
  driver: 'auto' | 'libvirt' | 'qemu';
  /** What libvirt's programs need to find the session of the user that runs wcc. */
  environment: { HOME?: string; XDG_RUNTIME_DIR?: string };
}

/** Space that stays free in a pool. Both hold: the larger one of bytes and part wins. */
export interface FreeSpaceFloor {
  bytes: number;
  /** 0 to 1, of the file system. */
  fraction: number;
}

/** Page 02, rule 3: a full pool pauses running machines. */
export const defaultFreeSpaceFloor: FreeSpaceFloor = { bytes: 2_147_483_648, fraction: 0.05 };

/** 64 TiB: more than a disk of today holds, and far from where arithmetic on sizes ends. */
export const defaultMaxVirtualSizeBytes: number = 64 * 1024 ** 4;

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
/** `silent` is for tests; no flag gives it. */
export type LogLevel = (typeof logLevels)[number] | 'silent';

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
