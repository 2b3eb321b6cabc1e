import { escapeTerminal } from '@wcc/progress/terminal';
import type { Command } from 'commander';
import { jsonDocument } from '../output/json.ts';
import type { Context } from '../runtime/context.ts';
import { onServerPackage } from '../runtime/server-package.ts';

interface SettingInForce {
  name: string;
  flag: string | null;
  value: string | null;
  isSecret: boolean;
  origin: { kind: 'default' | 'flag' | 'environment' } | { kind: 'file'; path: string; line: number };
}

/** The part of `@wcc/server/config` that this command calls. */
interface ServerConfiguration {
  inspectConfig(options: { flags: readonly string[]; environment: Context['env'] }): {
    file: string | null;
    settings: SettingInForce[];
  };
  createConfigTemplate(flags: readonly string[]): string;
}

/** Adds `wcc config`. */
export function addConfig(program: Command, context: Context): void {
  program
    .command('config')
    .description('print the settings of the server on this host and where each one comes from')
    .argument('[flags...]', 'flags of wcc serve that count as well')
    .option('--template', 'print a commented configuration file with every setting instead')
    .option('--json', 'write JSON to standard output')
    .allowUnknownOption()
    .action(async (flags: string[], { template, json }: { template?: boolean; json?: boolean }) => {
      const text = await onServerPackage('@wcc/server/config', (door) => {
        const server = door as ServerConfiguration;
        if (template === true) return server.createConfigTemplate(flags);
        const found = server.inspectConfig({ flags, environment: context.env });
        return json === true ? jsonDocument(found) : report(found);
      });
      context.stdout.write(text);
    });
}

function report({ file, settings }: { file: string | null; settings: readonly SettingInForce[] }): string {
  const nameWidth = Math.max(...settings.map(({ name }) => name.length));
  const rows = settings.map((setting) => [setting.name, shown(setting), origin(setting)] as const);
  const valueWidth = Math.min(48, Math.max(...rows.map(([, value]) => value.length)));
  const lines = rows.map(
    ([name, value, from]) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${from}`,
  );
  return `Configuration file: ${file === null ? 'none' : escapeTerminal(file)}\n\n${lines.join('\n')}\n`;
}

function shown({ value, isSecret, origin: { kind } }: SettingInForce): string {
  if (isSecret && kind !== 'default') return '(hidden)';
  return value === null ? '-' : escapeTerminal(value);
}

function origin({ flag, origin: from }: SettingInForce): string {
  if (from.kind === 'file') return escapeTerminal(`${from.path}:${from.line}`);
  return { default: 'default', flag: `flag ${flag ?? ''}`, environment: 'environment' }[from.kind];
}
