import { configTemplate, describeSettings } from './config/describe.ts';
import type { SettingInForce } from './config/describe.ts';
import { ConfigError } from './config/errors.ts';
import { toConfig } from './config/read-config.ts';
import type { Environment } from './config/settings.ts';
import { collectSettings, defaultConfigFile, parseArguments } from './config/settings.ts';

export type { SettingInForce } from './config/describe.ts';
export { ConfigError } from './config/errors.ts';

export interface ConfigCommandOptions {
  /** Flags of `wcc serve`. */
  flags: readonly string[];
  environment: Environment;
}

/**
 * What a server of this host would run with. Without another file this is the file of the service, if it exists.
 * @throws ConfigError for the first invalid setting
 */
export function inspectConfig({ flags, environment }: ConfigCommandOptions): {
  file: string | null;
  settings: SettingInForce[];
} {
  const sources = { ...parseFlags(flags), environment, defaultFile: defaultConfigFile };
  const settings = collectSettings(sources);
  const config = toConfig(settings, environment);
  return { file: settings.file, settings: describeSettings(settings, config) };
}

/**
 * The commented configuration file, in which the given flags are set. It does not depend on this host.
 * @throws ConfigError for an invalid flag
 */
export function createConfigTemplate(flags: readonly string[]): string {
  return configTemplate(collectSettings({ ...parseFlags(flags), environment: {}, defaultFile: null }));
}

function parseFlags(flags: readonly string[]): Extract<ReturnType<typeof parseArguments>, { kind: 'serve' }> {
  const given = parseArguments(flags);
  if (given.kind === 'serve') return given;
  throw new ConfigError('option_invalid', `--${given.kind} has no meaning here.`);
}
