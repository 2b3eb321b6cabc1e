import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createConfigTemplate, inspectConfig } from '../config-command.ts';
import { environmentName, options } from './options.ts';
import { readConfig } from './read-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'wcc-describe-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string, mode = 0o640): string {
  const path = join(directory, 'wcc.env');
  writeFileSync(path, text, { mode });
  return path;
}

const environment = { HOME: '/home/sato' };

function configOf(argv: string[]): unknown {
  const command = readConfig(argv, environment);
  return command.kind === 'serve' ? command.config : null;
}

describe('wcc config', () => {
  it('names the origin of every setting, and shows no secret', () => {
    const token = '0123456789abcdef0123456789abcdef';
    const path = file(`WCC_POOL=/pool\nWCC_PORT=1\nWCC_ADMIN_TOKEN=${token}\n`);
    const found = inspectConfig({
      flags: ['--config', path, '--log-level', 'debug'],
      environment: { ...environment, WCC_PORT: '2' },
    });
    expect(found.file).toBe(path);
    expect(found.settings.map(({ name }) => name)).toEqual([
      ...options.map(({ flag }) => environmentName(flag)),
      'WCC_ADMIN_TOKEN',
    ]);
    const byName = new Map(found.settings.map((setting) => [setting.name, setting]));
    expect(byName.get('WCC_POOL')).toMatchObject({ value: '/pool', origin: { kind: 'file', path, line: 1 } });
    expect(byName.get('WCC_PORT')).toMatchObject({ value: '2', origin: { kind: 'environment' } });
    expect(byName.get('WCC_LOG_LEVEL')).toMatchObject({ value: 'debug', origin: { kind: 'flag' } });
    expect(byName.get('WCC_DATA_DIR')).toMatchObject({
      value: '/home/sato/.local/state/wcc',
      origin: { kind: 'default' },
    });
    expect(byName.get('WCC_ADMIN_TOKEN')).toMatchObject({
      isSecret: true,
      origin: { kind: 'file', line: 3 },
    });
    expect(JSON.stringify(found)).not.toContain(token);
  });

  it('refuses what a start would refuse', () => {
    expect(() => inspectConfig({ flags: ['--config', file('\nWCC_PORT=x\n')], environment })).toThrow(
      /wcc\.env:2: WCC_PORT: x is not/,
    );
    expect(() => inspectConfig({ flags: ['--help'], environment })).toThrow(/--help has no meaning/);
  });
});

describe('wcc config --template', () => {
  it('has a commented line for every setting, and changes nothing', () => {
    const template = createConfigTemplate([]);
    const names = [...template.matchAll(/^#(WCC_\w+)=/gm)].map(([, name]) => name);
    expect(names).toEqual([...options.map(({ flag }) => environmentName(flag)), 'WCC_ADMIN_TOKEN']);
    expect(configOf(['--config', file(template)])).toEqual(configOf([]));
    expect(Math.max(...template.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  const alone = options.filter(
    ({ flag }) => !/^tls-|^hsts$|-file$|-tls-proxy$|public-url|data-dir|pool/.test(flag),
  );
  it.each(alone)('the line of $flag is valid, and means the default if there is one', (option) => {
    const { flag, default: fallback } = option;
    const line = environmentName(flag);
    const used = createConfigTemplate([]).replace(`#${line}=`, `${line}=`);
    const config = configOf(['--config', file(used)]);
    // The default of the floor has two parts.
    if (fallback === null || fallback === 'none' || flag === 'free-space-floor')
      expect(config).not.toEqual(configOf([]));
    else expect(config).toEqual(configOf([]));
  });

  it.each(['/srv/vm', '/srv/vm images', `/srv/it's`, '/srv/"$x`\\'])(
    'sets the flags that it was given: --pool %j',
    (pool) => {
      const template = createConfigTemplate(['--pool', pool, '--port', '8443']);
      expect(configOf(['--config', file(template)])).toEqual(configOf(['--pool', pool, '--port', '8443']));
    },
  );
});
