/** The configuration of one server. `readConfig` creates it from flags and environment. */
export interface ServerConfig {
  /** 0 lets the system choose. */
  port: number;
  host: string;
  dataDir: string;
  pool: PoolConfig;
  /** An origin, e.g. `https://wcc.example.org`; null: the address listened on. */
  publicUrl: string | null;
  /** Contents of the PEM files, and the paths to read them again from. */
  tls: { cert: string; key: string; files?: { cert: string; key: string } } | null;
  /** Makes a key and a self-signed certificate in the data directory; `tls` is null. */
  ownCertificate: boolean;
  /** Makes browsers use https only. */
  hsts: boolean;
  /** `PATH`, to find programs in. */
  searchPath: string | null;
  behindTlsProxy: boolean;
  /** Addresses or CIDR ranges. */
  trustedProxies: readonly string[];
  /** Origins whose pages may show single operations. */
  foreignOrigins: readonly string[];
  /** Private addresses or CIDR ranges from which users may import images. */
  importAllow: readonly string[];
  adminToken: string | null;
  hypervisor: HypervisorConfig;
  maxCopiesPerPool: number;
  freeSpaceFloor: FreeSpaceFloor;
  /** Free space below which wcc pauses the machines of a file system. */
  emergencyFloor: FreeSpaceFloor;
  uploads: UploadsConfig;
  /** Maximum size of an uploaded or imported image. */
  maxVirtualSizeBytes: number;
  logLevel: LogLevel;
  /** Directory of the built console; null: the server has the API only. */
  consoleDir: string | null;
}

export interface UploadsConfig {
  /** Time without new bytes after which the server removes an unfinished upload. */
  expiryMs: number;
  /** What the unfinished uploads of one user, who is not an administrator, may have in all. */
  quota: UploadQuota;
  /** Maximum number of unfinished uploads of one user. */
  maxPerUser: number;
}

/** `freeFraction`: of the space that would be free in the pool without these uploads. */
export type UploadQuota = { bytes: number } | { freeFraction: number };

const dayMs = 86_400_000;

export const defaultUploads: UploadsConfig = {
  expiryMs: 7 * dayMs,
  quota: { freeFraction: 0.5 },
  maxPerUser: 100,
};

/** The directory of the images. */
export interface PoolConfig {
  path: string;
  /** `default`: in the data directory, created if missing. `named`: set by a flag; it must exist. */
  origin: 'default' | 'named';
}

export interface HypervisorConfig {
  /** `auto`: libvirt if it answers, else QEMU. */
  driver: 'auto' | 'libvirt' | 'qemu';
  /** Environment that libvirt's programs need to find the session of the user. */
  environment: { HOME?: string; XDG_RUNTIME_DIR?: string };
}

/** Space that stays free in a pool: the larger one of both. */
export interface FreeSpaceFloor {
  bytes: number;
  /** 0 to 1, of the file system. */
  fraction: number;
}

/** A full pool pauses running machines, so operations leave this space free. */
export const defaultFreeSpaceFloor: FreeSpaceFloor = { bytes: 2_147_483_648, fraction: 0.05 };

/** A guest that writes 500 MB/s needs half a second for it, and wcc looks every 100 ms when it is near. */
export const defaultEmergencyFloor: FreeSpaceFloor = { bytes: 268_435_456, fraction: 0 };

/** 64 TiB: larger than any disk, and far below the largest safe integer. */
export const defaultMaxVirtualSizeBytes: number = 64 * 1024 ** 4;

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
/** `silent` is for tests only. */
export type LogLevel = (typeof logLevels)[number] | 'silent';

/** True for an address that is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
