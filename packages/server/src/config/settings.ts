import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { EnvironmentFile } from './environment-file.ts';
import { readEnvironmentFile } from './environment-file.ts';
import type { ConfigErrorCode } from './errors.ts';
import { ConfigError } from './errors.ts';
import { nearest } from './nearest.ts';
import type { Flag } from './options.ts';
import { adminTokenVariable, configVariable, environmentName, options } from './options.ts';

/** Environment variables, like `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from. */
export type Origin =
  { kind: 'flag' } | { kind: 'environment' } | { kind: 'file'; path: string; line: number };

/** A value as it was given. */
export interface Setting {
  flag: SettingName;
  text: string;
  origin: Origin;
}

export type SettingName = Flag | 'admin-token';

/** What flags, environment and file set. */
export interface Settings {
  /** The configuration file that was read. */
  file: string | null;
  values: ReadonlyMap<SettingName, Setting>;
}

/** The command line of `wcc serve`. */
export type Arguments =
  | { kind: 'help' | 'version' }
  | { kind: 'serve'; flags: Readonly<Record<string, string | undefined>>; config: string | null };

/** The file of the packaged service. */
export const defaultConfigFile = '/etc/wcc/wcc.env';

/** True for the process that systemd itself started as a service of the host, not for its children or for a user's. */
export function isHostService(environment: Environment, pid: number): boolean {
  return environment['SYSTEMD_EXEC_PID'] === String(pid) && environment['MANAGERPID'] === undefined;
}

/** @throws ConfigError `option_invalid` */
export function parseArguments(argv: readonly string[]): Arguments {
  const known = options.map(
    ({ flag, value, isRepeatable = false }) =>
      [flag, { type: value === null ? 'boolean' : 'string', multiple: isRepeatable }] as const,
  );
  const own = [
    ['help', { type: 'boolean' }],
    ['version', { type: 'boolean' }],
    ['config', { type: 'string' }],
  ] as const;
  try {
    const all = Object.fromEntries([...known, ...own]);
    const { values } = parseArgs({ args: [...argv], options: all, strict: true });
    // The values of a repeated flag become one text with commas.
    const texts = Object.entries(values).map(([flag, value]): [string, string] => [flag, String(value)]);
    const { help, version, config, ...flags }: Record<string, string | undefined> = Object.fromEntries(texts);
    if (help !== undefined) return { kind: 'help' };
    if (version !== undefined) return { kind: 'version' };
    return { kind: 'serve', flags, config: config ?? null };
  } catch (cause) {
    throw new ConfigError('option_invalid', argumentsMessage(cause), cause);
  }
}

function argumentsMessage(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : 'Invalid flags.';
  const unknown = /^Unknown option '--([^']+)'/.exec(message)?.[1];
  if (unknown === undefined) return message;
  const meant = nearest(unknown, [...options.map(({ flag }) => flag), 'config', 'help', 'version']);
  return `--${unknown} is not a flag of wcc serve.${meant === null ? '' : ` Did you mean --${meant}?`}`;
}

export interface SettingSources {
  flags: Readonly<Record<string, string | undefined>>;
  /** `--config`; it has precedence over `WCC_CONFIG`. */
  config: string | null;
  environment: Environment;
  /** The file to read if it exists and no other is named. */
  defaultFile: string | null;
}

/**
 * Collects all settings: the flag, else the environment variable, else the line of the file. It checks no value.
 * @throws ConfigError for a file that cannot be used
 */
export function collectSettings(sources: SettingSources): Settings {
  const file = readFile(sources);
  const values = new Map<SettingName, Setting>();
  for (const flag of [...options.map((option) => option.flag), 'admin-token' as const]) {
    const setting = findSetting(flag, sources, file);
    if (setting !== null) values.set(flag, setting);
  }
  return { file: file?.path ?? null, values };
}

function readFile({ config, environment, defaultFile }: SettingSources): EnvironmentFile | null {
  const named = config ?? (environment[configVariable] || null);
  const path = named ?? (defaultFile !== null && existsSync(defaultFile) ? defaultFile : null);
  if (path === null) return null;
  const names = [...options.map(({ flag }) => environmentName(flag)), adminTokenVariable];
  return readEnvironmentFile(path, { names, secrets: [adminTokenVariable] });
}

function findSetting(
  flag: SettingName,
  { flags, environment }: SettingSources,
  file: EnvironmentFile | null,
): Setting | null {
  const name = environmentName(flag);
  const line = file?.assignments.get(name);
  const found: [string | undefined, Origin | null][] = [
    [flags[flag], { kind: 'flag' }],
    [environment[name], { kind: 'environment' }],
    [line?.text, file && line ? { kind: 'file', path: file.path, line: line.line } : null],
  ];
  for (const [text, origin] of found) {
    // Service managers and compose files set absent variables to an empty text.
    if (text !== undefined && text !== '' && origin !== null) return { flag, text, origin };
  }
  return null;
}

/** Where a person changes the value: `--port`, `WCC_PORT (environment)` or `/etc/wcc/wcc.env:3: WCC_PORT`. */
export function placeOf({ flag, origin }: Setting): string {
  if (origin.kind === 'flag') return `--${flag}`;
  if (origin.kind === 'environment') return `${environmentName(flag)} (environment)`;
  return `${origin.path}:${origin.line}: ${environmentName(flag)}`;
}

/** The setting whose value causes a failed start. */
const causes: Partial<Record<ConfigErrorCode, Flag>> = {
  port_in_use: 'port',
  address_unavailable: 'host',
  data_dir_unwritable: 'data-dir',
  data_dir_in_use: 'data-dir',
  pool_unwritable: 'pool',
};

/** Where a value that only the start could try was set; null for a default. */
export function placeOfFailure(code: ConfigErrorCode, { values }: Settings): string | null {
  const cause = causes[code];
  const setting = cause && values.get(cause);
  return setting === undefined ? null : placeOf(setting);
}

/** @throws ConfigError that says what is wrong with a setting, and where it is */
export function refuse(
  setting: Setting,
  reason: string,
  { code = 'option_invalid', cause }: { code?: ConfigErrorCode; cause?: unknown } = {},
): never {
  throw new ConfigError(code, `${placeOf(setting)}: ${reason}.`, cause);
}
