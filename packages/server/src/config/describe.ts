import type { ServerConfig } from './config.ts';
import type { Option } from './options.ts';
import { adminTokenVariable, environmentName, options } from './options.ts';
import type { Origin, SettingName, Settings } from './settings.ts';

/** One setting that is in force. */
export interface SettingInForce {
  name: string;
  /** Null for a setting without a flag. */
  flag: string | null;
  /** As given, or the default; null when nothing is set. A secret is never shown. */
  value: string | null;
  isSecret: boolean;
  origin: Origin | { kind: 'default' };
}

/** All settings in the order of the help. */
export function describeSettings(settings: Settings, config: ServerConfig): SettingInForce[] {
  const computed: Partial<Record<SettingName, string>> = {
    'data-dir': config.dataDir,
    pool: config.pool.path,
  };
  const rows = options.map(({ flag, default: fallback, value }): SettingInForce => {
    const given = settings.values.get(flag);
    const standard = value === null ? 'false' : (computed[flag] ?? fallback);
    return {
      name: environmentName(flag),
      flag: `--${flag}`,
      value: given?.text ?? standard,
      isSecret: false,
      origin: given?.origin ?? { kind: 'default' },
    };
  });
  const origin = settings.values.get('admin-token')?.origin ?? { kind: 'default' };
  return [...rows, { name: adminTokenVariable, flag: null, value: null, isSecret: true, origin }];
}

const width = 100;

/** The commented configuration file with every setting. What `settings` contains is set in it. */
export function configTemplate({ values }: Settings): string {
  const head = [
    '# Settings of wcc: NAME=VALUE, one in each line. Every line is optional. A line that begins with # is a comment.',
    '# A value may stand in single or double quotes. Flags and environment variables have precedence over this file.',
    '# Which values are in force, and where each comes from: wcc config. All settings: docs/configuration.md.',
  ];
  const parts = options.map((option) => {
    const name = environmentName(option.flag);
    const given = values.get(option.flag);
    const line = given === undefined ? `#${name}=${option.example}` : `${name}=${quoted(given.text)}`;
    return [...comment(option), line].join('\n');
  });
  const secret = [
    '# Bearer token of at least 32 characters with administrator rights. No other user may read this file then.',
    `#${adminTokenVariable}=`,
  ];
  return `${[head.join('\n'), ...parts, secret.join('\n')].join('\n\n')}\n`;
}

function comment({ description, default: fallback }: Option): string[] {
  const words = `${description} Default: ${fallback ?? 'none'}.`.split(' ');
  const lines = ['#'];
  for (const word of words) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length >= width) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function quoted(text: string): string {
  if (/^[^\s'"\\#;]+$/.test(text)) return text;
  return text.includes("'") ? `"${text.replaceAll(/["\\$`]/g, String.raw`\$&`)}"` : `'${text}'`;
}
