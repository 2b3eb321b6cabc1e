import { join, resolve } from 'node:path';
import type { PoolConfig, ServerConfig } from './config.ts';
import {
  defaultEmergencyFloor,
  defaultFreeSpaceFloor,
  defaultMaxVirtualSizeBytes,
  defaultUploads,
  isLoopback,
  logLevels,
} from './config.ts';
import { defaultDataDir } from './data-dir.ts';
import type { Environment, Setting, SettingName, Settings } from './settings.ts';
import { collectSettings, parseArguments, refuse } from './settings.ts';
import type { ParseValue } from './values.ts';
import {
  bytes,
  days,
  fileContent,
  foreignOrigins,
  integer,
  listenAddress,
  oneOf,
  path,
  publicOrigin,
  ranges,
  spaceFloor,
  toggle,
  uploadQuota,
} from './values.ts';

export type { Environment } from './settings.ts';

/** What the command line requests. */
export type Command =
  { kind: 'help' } | { kind: 'version' } | { kind: 'serve'; config: ServerConfig; settings: Settings };

/**
 * Reads flags, then environment variables, then the configuration file, then defaults. It reads only the files that
 * they name.
 *
 * @param defaultFile a configuration file that is read if it exists and no other is named. @default none
 * @throws ConfigError for an invalid setting
 */
export function readConfig(
  argv: readonly string[],
  environment: Environment,
  { defaultFile = null }: { defaultFile?: string | null } = {},
): Command {
  const given = parseArguments(argv);
  if (given.kind !== 'serve') return given;
  const settings = collectSettings({ ...given, environment, defaultFile });
  return { kind: 'serve', config: toConfig(settings, environment), settings };
}

/** @throws ConfigError for an invalid setting */
export function toConfig({ values }: Settings, environment: Environment): ServerConfig {
  const read = <T>(flag: SettingName, parse: ParseValue<T>, fallback: T): T => {
    const setting = values.get(flag);
    return setting === undefined ? fallback : parse(setting);
  };
  const dataDir = read('data-dir', path, resolve(defaultDataDir(environment)));
  const config: ServerConfig = {
    port: read('port', integer({ min: 0, max: 65_535 }), 8400),
    host: read('host', listenAddress, '127.0.0.1'),
    dataDir,
    pool: read<PoolConfig>('pool', namedPool, { path: join(dataDir, 'images'), origin: 'default' }),
    publicUrl: read<string | null>('public-url', publicOrigin, null),
    tls: readTls(values.get('tls-cert'), values.get('tls-key')),
    ownCertificate: false,
    hsts: read('hsts', toggle, false),
    searchPath: environment['PATH'] ?? null,
    behindTlsProxy: read('behind-tls-proxy', toggle, false),
    trustedProxies: read('trusted-proxy', ranges, []),
    foreignOrigins: read('foreign-origins', foreignOrigins, []),
    importAllow: read('import-allow', ranges, []),
    adminToken: readAdminToken(values.get('admin-token-file'), values.get('admin-token')),
    maxCopiesPerPool: read('max-copies-per-pool', integer({ min: 1, max: 64 }), 2),
    freeSpaceFloor: read('free-space-floor', spaceFloor, defaultFreeSpaceFloor),
    emergencyFloor: read('emergency-floor', spaceFloor, defaultEmergencyFloor),
    uploads: {
      expiryMs: read('upload-expiry', days, defaultUploads.expiryMs),
      quota: read('upload-quota', uploadQuota, defaultUploads.quota),
      maxPerUser: read('max-uploads-per-user', integer({ min: 1, max: 10_000 }), defaultUploads.maxPerUser),
    },
    maxVirtualSizeBytes: read('max-virtual-size', bytes, defaultMaxVirtualSizeBytes),
    hypervisor: {
      driver: read('hypervisor', oneOf(['auto', 'libvirt', 'qemu']), 'auto'),
      environment: sessionEnvironment(environment),
    },
    logLevel: read('log-level', oneOf(logLevels), 'info'),
    consoleDir: null,
  };
  assertExposure(config, values);
  const { tls, host, behindTlsProxy } = config;
  return { ...config, ownCertificate: tls === null && !behindTlsProxy && !isLoopback(host) };
}

function namedPool(setting: Setting): PoolConfig {
  return { path: path(setting), origin: 'named' };
}

function sessionEnvironment(environment: Environment): ServerConfig['hypervisor']['environment'] {
  const { HOME, XDG_RUNTIME_DIR } = environment;
  return {
    ...(HOME === undefined ? {} : { HOME }),
    ...(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }),
  };
}

function readTls(cert: Setting | undefined, key: Setting | undefined): ServerConfig['tls'] {
  if (cert === undefined) {
    if (key === undefined) return null;
    return refuse(key, 'it needs --tls-cert too', { code: 'tls_unreadable' });
  }
  if (key === undefined) return refuse(cert, 'it needs --tls-key too', { code: 'tls_unreadable' });
  const files = { cert: path(cert), key: path(key) };
  return { cert: fileContent(cert, 'tls_unreadable'), key: fileContent(key, 'tls_unreadable'), files };
}

/** The file has precedence. */
function readAdminToken(file: Setting | undefined, variable: Setting | undefined): string | null {
  const setting = file ?? variable;
  if (setting === undefined) return null;
  const secret = file === undefined ? setting.text : fileContent(file, 'admin_token_unreadable').trim();
  if (secret.length >= 32) return secret;
  const reason = `the administrator token has only ${secret.length} characters`;
  return refuse(setting, reason, { code: 'admin_token_short' });
}

/** Plain HTTP is for loopback addresses, or behind a declared TLS proxy (docs/security.md). */
function assertExposure(
  { host, tls, behindTlsProxy, publicUrl, hsts }: ServerConfig,
  values: Settings['values'],
): void {
  const isPublicHttps = publicUrl?.startsWith('https:') ?? false;
  const refuseTls = (flag: SettingName, reason: string): void => {
    const setting = values.get(flag);
    if (setting !== undefined) refuse(setting, reason, { code: 'tls_required' });
  };
  if (behindTlsProxy && !isPublicHttps) refuseTls('behind-tls-proxy', 'it needs an https --public-url');
  if (tls !== null || behindTlsProxy) return;
  // After this header, browsers have no way past the warning about a self-signed certificate.
  if (hsts) refuseTls('hsts', 'it needs TLS files or --behind-tls-proxy');
  if (isPublicHttps && isLoopback(host))
    refuseTls('public-url', `${host} has plain HTTP, and no proxy is declared`);
}
