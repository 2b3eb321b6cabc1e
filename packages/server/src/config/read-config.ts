import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { FreeSpaceFloor, LogLevel, PoolConfig, ServerConfig, UploadQuota } from './config.ts';
import {
  defaultEmergencyFloor,
  defaultFreeSpaceFloor,
  defaultMaxVirtualSizeBytes,
  defaultUploads,
  isLoopback,
  logLevels,
} from './config.ts';
import { defaultDataDir } from './data-dir.ts';
import { ConfigError } from './errors.ts';
import type { Flag } from './options.ts';
import { adminTokenVariable, environmentName, options } from './options.ts';
import { isAddressRange } from './address-range.ts';

/** Environment variables, like `process.env`. */
export type Environment = Record<string, string | undefined>;

/** What the command line requests. */
export type Command = { kind: 'help' } | { kind: 'version' } | { kind: 'serve'; config: ServerConfig };

type Values = Partial<Record<Flag, string | boolean>>;

/**
 * Reads flags, then environment variables, then defaults. It reads only the files that they name.
 * @throws ConfigError for an invalid setting
 */
export function readConfig(argv: readonly string[], environment: Environment): Command {
  const given = parse(argv);
  if (given['help']) return { kind: 'help' };
  if (given['version']) return { kind: 'version' };
  const values: Values = {};
  for (const { flag, value } of options) {
    const found = given[flag] ?? environment[environmentName(flag)];
    // Service managers and compose files set absent variables to an empty text.
    if (found === undefined || found === '') continue;
    values[flag] = value === null ? found === true || isTrue(flag, String(found)) : found;
  }
  const config = toConfig(values, environment);
  assertExposure(config);
  return { kind: 'serve', config };
}

function parse(argv: readonly string[]): Record<string, string | boolean | undefined> {
  const known = options.map(
    ({ flag, value, isRepeatable = false }) =>
      [flag, { type: value === null ? 'boolean' : 'string', multiple: isRepeatable }] as const,
  );
  const all = [...known, ['help', { type: 'boolean' }] as const, ['version', { type: 'boolean' }] as const];
  try {
    const { values } = parseArgs({ args: [...argv], options: Object.fromEntries(all), strict: true });
    const joined = Object.entries(values).map(([flag, value]) => [
      flag,
      Array.isArray(value) ? value.join(',') : value,
    ]);
    return Object.fromEntries(joined) as Record<string, string | boolean | undefined>;
  } catch (cause) {
    throw new ConfigError('option_invalid', cause instanceof Error ? cause.message : 'Invalid flags.', cause);
  }
}

function toConfig(values: Values, environment: Environment): ServerConfig {
  const text = (flag: Flag): string | null => (values[flag] === undefined ? null : String(values[flag]));
  const dataDir = resolve(text('data-dir') ?? defaultDataDir(environment));
  return {
    port: integer('port', text('port') ?? '8400', { min: 0, max: 65_535 }),
    host: (text('host') ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'),
    dataDir,
    pool: poolConfig(text('pool'), dataDir),
    publicUrl: publicOrigin(text('public-url')),
    tls: readTls(text('tls-cert'), text('tls-key')),
    behindTlsProxy: values['behind-tls-proxy'] === true,
    trustedProxies: ranges('trusted-proxy', text('trusted-proxy')),
    foreignOrigins: foreignOrigins(text('foreign-origins')),
    importAllow: ranges('import-allow', text('import-allow')),
    adminToken: readAdminToken(text('admin-token-file'), environment[adminTokenVariable]),
    maxCopiesPerPool: integer('max-copies-per-pool', text('max-copies-per-pool') ?? '2', { min: 1, max: 64 }),
    freeSpaceFloor: floor('free-space-floor', text('free-space-floor')) ?? defaultFreeSpaceFloor,
    emergencyFloor: floor('emergency-floor', text('emergency-floor')) ?? defaultEmergencyFloor,
    uploads: {
      expiryMs: days('upload-expiry', text('upload-expiry')),
      quota: uploadQuota(text('upload-quota')),
      maxPerUser: integer('max-uploads-per-user', text('max-uploads-per-user') ?? '100', {
        min: 1,
        max: 10_000,
      }),
    },
    maxVirtualSizeBytes:
      optionalBytes('max-virtual-size', text('max-virtual-size')) ?? defaultMaxVirtualSizeBytes,
    hypervisor: {
      driver: hypervisorDriver(text('hypervisor') ?? 'auto'),
      environment: sessionEnvironment(environment),
    },
    logLevel: logLevel(text('log-level') ?? 'info'),
    consoleDir: null,
  };
}

/** Fractions of a day are for trials. */
function days(flag: Flag, text: string | null): number {
  if (text === null) return defaultUploads.expiryMs;
  const value = /^\d{1,4}(?:\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value * 86_400_000;
  throw new ConfigError('option_invalid', `--${flag}: ${text} is not a number of days.`);
}

function optionalBytes(flag: Flag, text: string | null): number | null {
  return text === null ? null : integer(flag, text, { min: 1, max: Number.MAX_SAFE_INTEGER });
}

function poolConfig(named: string | null, dataDir: string): PoolConfig {
  return named === null
    ? { path: join(dataDir, 'images'), origin: 'default' }
    : { path: resolve(named), origin: 'named' };
}

function integer(flag: Flag, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new ConfigError('option_invalid', `--${flag}: ${text} is not a whole number from ${min} to ${max}.`);
}

function isTrue(flag: Flag, text: string): boolean {
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new ConfigError('option_invalid', `${environmentName(flag)}: ${text} is not true or false.`);
}

function logLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text);
  if (level) return level;
  throw new ConfigError('option_invalid', `--log-level: ${text} is not one of ${logLevels.join(', ')}.`);
}

function sessionEnvironment(environment: Environment): ServerConfig['hypervisor']['environment'] {
  const { HOME, XDG_RUNTIME_DIR } = environment;
  return {
    ...(HOME === undefined ? {} : { HOME }),
    ...(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }),
  };
}

function hypervisorDriver(text: string): ServerConfig['hypervisor']['driver'] {
  const choice = (['auto', 'libvirt', 'qemu'] as const).find((known) => known === text);
  if (choice) return choice;
  throw new ConfigError('option_invalid', `--hypervisor: ${text} is not one of auto, libvirt, qemu.`);
}

function publicOrigin(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  const isOrigin = url?.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
  if (url && isWeb && isOrigin) return url.origin;
  throw new ConfigError('public_url_invalid', `--public-url: ${text} is not an http or https origin.`);
}

function ranges(flag: Flag, text: string | null): string[] {
  const list = (text ?? '').split(',').filter((part) => part !== '');
  const wrong = list.find((part) => !isAddressRange(part));
  if (wrong === undefined) return list;
  throw new ConfigError('option_invalid', `--${flag}: ${wrong} is not an address or a CIDR range.`);
}

function foreignOrigins(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const url = URL.canParse(part) ? new URL(part) : null;
      if (url !== null && url.origin === part) return part;
      const hint = 'is not an origin, e.g. https://status.example.org';
      throw new ConfigError('option_invalid', `--foreign-origins: ${part} ${hint}.`);
    });
}

function fraction(text: string): number | null {
  const percent = /^(\d{1,2}(?:\.\d+)?|100)%$/.exec(text)?.[1];
  return percent === undefined ? null : Number(percent) / 100;
}

function uploadQuota(text: string | null): UploadQuota {
  if (text === null) return defaultUploads.quota;
  const freeFraction = fraction(text);
  if (freeFraction !== null) return { freeFraction };
  return { bytes: integer('upload-quota', text, { min: 1, max: Number.MAX_SAFE_INTEGER }) };
}

function floor(flag: Flag, text: string | null): FreeSpaceFloor | null {
  if (text === null) return null;
  const ofFileSystem = fraction(text);
  if (ofFileSystem !== null && ofFileSystem < 1) return { bytes: 0, fraction: ofFileSystem };
  return { bytes: integer(flag, text, { min: 0, max: Number.MAX_SAFE_INTEGER }), fraction: 0 };
}

function readTls(certFile: string | null, keyFile: string | null): ServerConfig['tls'] {
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) {
    throw new ConfigError('tls_unreadable', 'Set both --tls-cert and --tls-key, or neither.');
  }
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw new ConfigError('tls_unreadable', `The server cannot read ${file}.`, cause);
    }
  };
  return { cert: read(certFile), key: read(keyFile) };
}

function readAdminToken(file: string | null, variable: string | undefined): string | null {
  let secret = variable === undefined || variable === '' ? null : variable;
  if (file !== null) {
    try {
      secret = readFileSync(file, 'utf8').trim();
    } catch (cause) {
      throw new ConfigError(
        'admin_token_unreadable',
        `--admin-token-file: the server cannot read ${file}.`,
        cause,
      );
    }
  }
  if (secret !== null && secret.length < 32) {
    throw new ConfigError(
      'admin_token_short',
      `The administrator token has only ${secret.length} characters.`,
    );
  }
  return secret;
}

/** Plain HTTP is for loopback addresses, or behind a declared TLS proxy (docs/security.md). */
function assertExposure({ host, tls, behindTlsProxy, publicUrl }: ServerConfig): void {
  const isPublicHttps = publicUrl?.startsWith('https:') ?? false;
  if (behindTlsProxy && !isPublicHttps) {
    throw new ConfigError('tls_required', '--behind-tls-proxy needs an https --public-url.');
  }
  if (tls === null && !behindTlsProxy && (!isLoopback(host) || isPublicHttps)) {
    throw new ConfigError('tls_required', `Plain HTTP on ${host} would expose passwords to the network.`);
  }
}
