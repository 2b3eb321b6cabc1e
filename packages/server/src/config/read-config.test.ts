import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ServerConfig } from './config.ts';
import type { ConfigErrorCode } from './errors.ts';
import { ConfigError } from './errors.ts';
import type { Flag } from './options.ts';
import { environmentName, options } from './options.ts';
import { readConfig } from './read-config.ts';
import { isHostService } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'wcc-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function read(argv: string[], environment: Record<string, string> = { HOME: '/home/sato' }): ServerConfig {
  const command = readConfig(argv, environment);
  if (command.kind !== 'serve') throw new Error(command.kind);
  return command.config;
}

describe('readConfig without flags', () => {
  it('uses the documented defaults', () => {
    expect(read([])).toEqual({
      port: 8400,
      host: '127.0.0.1',
      dataDir: '/home/sato/.local/state/wcc',
      pool: { path: '/home/sato/.local/state/wcc/images', origin: 'default' },
      publicUrl: null,
      tls: null,
      ownCertificate: false,
      hsts: false,
      searchPath: null,
      behindTlsProxy: false,
      trustedProxies: [],
      foreignOrigins: [],
      importAllow: [],
      adminToken: null,
      hypervisor: { driver: 'auto', environment: { HOME: '/home/sato' } },
      maxCopiesPerPool: 2,
      freeSpaceFloor: { bytes: 2_147_483_648, fraction: 0.05 },
      emergencyFloor: { bytes: 268_435_456, fraction: 0 },
      uploads: { expiryMs: 604_800_000, quota: { freeFraction: 0.5 }, maxPerUser: 100 },
      maxVirtualSizeBytes: 70_368_744_177_664,
      logLevel: 'info',
      consoleDir: null,
    });
  });

  it('puts the data directory in XDG_STATE_HOME if that is absolute', () => {
    expect(read([], { HOME: '/home/sato', XDG_STATE_HOME: '/state' }).dataDir).toBe('/state/wcc');
    expect(read([], { HOME: '/home/sato', XDG_STATE_HOME: 'state' }).dataDir).toBe(
      '/home/sato/.local/state/wcc',
    );
  });
});

describe('readConfig with flags and environment variables', () => {
  it('gives both the same meaning; the flag wins', () => {
    expect(read([], { WCC_PORT: '1', WCC_POOL: '/pool', WCC_DATA_DIR: '/data' })).toMatchObject({
      port: 1,
      dataDir: '/data',
      pool: { path: '/pool', origin: 'named' },
    });
    expect(read(['--port', '2'], { WCC_PORT: '1' }).port).toBe(2);
    expect(read([], { WCC_PORT: '' }).port).toBe(8400);
    const proxied = { WCC_BEHIND_TLS_PROXY: '1', WCC_PUBLIC_URL: 'https://wcc.example.org/' };
    expect(read([], proxied)).toMatchObject({ behindTlsProxy: true, publicUrl: 'https://wcc.example.org' });
  });

  it('makes a certificate for other hosts, unless there is one or a proxy', () => {
    const own = (...argv: string[]): boolean => read(argv).ownCertificate;
    expect(own('--host', '0.0.0.0')).toBe(true);
    expect(own('--host', '192.0.2.1', '--public-url', 'https://wcc.example.org:8400')).toBe(true);
    expect(own('--host', '127.evil.example')).toBe(true);
    expect(own('--host', '127.0.0.2')).toBe(false);
    expect(own('--host', '::', '--behind-tls-proxy', '--public-url', 'https://wcc.example.org')).toBe(false);
    const files = ['--tls-cert', file('cert', 'c'), '--tls-key', file('key', 'k')];
    expect(own('--host', '0.0.0.0', ...files)).toBe(false);
    expect(read([...files, '--hsts'])).toMatchObject({
      hsts: true,
      tls: { cert: 'c', key: 'k', files: { cert: join(directory, 'cert') } },
    });
  });

  it('accepts the free-space floor in bytes or percent', () => {
    expect(read(['--free-space-floor', '1048576']).freeSpaceFloor).toEqual({ bytes: 1_048_576, fraction: 0 });
    expect(read(['--free-space-floor', '2.5%']).freeSpaceFloor).toEqual({ bytes: 0, fraction: 0.025 });
  });

  it('accepts limits in bytes', () => {
    expect(read(['--max-virtual-size', '1073741824']).maxVirtualSizeBytes).toBe(1_073_741_824);
    expect(read([], { WCC_UPLOAD_QUOTA: '5' }).uploads.quota).toEqual({ bytes: 5 });
    expect(read(['--upload-quota', '12.5%']).uploads.quota).toEqual({ freeFraction: 0.125 });
    expect(read(['--upload-quota', '100%']).uploads.quota).toEqual({ freeFraction: 1 });
    expect(read(['--upload-expiry', '0.5']).uploads.expiryMs).toBe(43_200_000);
  });

  it('returns help and version before it checks other flags', () => {
    expect(readConfig(['--help', '--port', 'x'], {})).toEqual({ kind: 'help' });
    expect(readConfig(['--version'], { WCC_PORT: 'x' })).toEqual({ kind: 'version' });
  });
});

describe('readConfig with a configuration file', () => {
  const lines = 'WCC_PORT=1\nWCC_LOG_LEVEL=debug\nWCC_HYPERVISOR=qemu\nWCC_BEHIND_TLS_PROXY=\n';

  it('prefers the flag, then the environment variable, then the file', () => {
    const path = file('order.env', lines);
    const environment = { HOME: '/home/sato', WCC_CONFIG: path, WCC_LOG_LEVEL: 'warn', WCC_PORT: '2' };
    expect(read(['--port', '3'], environment)).toMatchObject({
      port: 3,
      logLevel: 'warn',
      hypervisor: { driver: 'qemu' },
      behindTlsProxy: false,
    });
    const other = file('other.env', 'WCC_PORT=4\n');
    expect(read(['--config', other], { WCC_CONFIG: path }).port).toBe(4);
  });

  it('reads the default file only if it exists and no other is named', () => {
    const portOf = (argv: string[], defaultFile: string): number => {
      const command = readConfig(argv, {}, { defaultFile });
      return command.kind === 'serve' ? command.config.port : 0;
    };
    const path = file('default.env', lines);
    expect(portOf([], path)).toBe(1);
    expect(portOf([], join(directory, 'absent.env'))).toBe(8400);
    expect(portOf(['--config', file('other.env', '')], path)).toBe(8400);
    expect(() => read(['--config', join(directory, 'absent.env')])).toThrow(
      expect.objectContaining({ code: 'config_unreadable' }),
    );
  });

  it('takes only a process that systemd itself started for the service of the host', () => {
    expect(isHostService({ SYSTEMD_EXEC_PID: '71' }, 71)).toBe(true);
    // A child of the service, a terminal of a desktop, and a service of a user.
    expect(isHostService({ SYSTEMD_EXEC_PID: '70' }, 71)).toBe(false);
    expect(isHostService({ INVOCATION_ID: 'x' }, 71)).toBe(false);
    expect(isHostService({ SYSTEMD_EXEC_PID: '71', MANAGERPID: '9' }, 71)).toBe(false);
  });
});

describe('the administrator token', () => {
  const secret = '0123456789abcdef0123456789abcdef';
  it('comes from the environment or a file, without the trailing newline', () => {
    expect(read([], { WCC_ADMIN_TOKEN: secret }).adminToken).toBe(secret);
    expect(read(['--admin-token-file', file('token', `${secret}\n`)]).adminToken).toBe(secret);
  });
});

const short = file('short', 'short');
const absent = join(directory, 'absent');
type WrongValues = readonly [string, ConfigErrorCode?][];

/** Every setting with what it refuses. Null: every text is a possible value. */
const wrongValues: Record<Flag, WrongValues | null> = {
  port: [['65536'], ['-1'], ['80a'], ['8400 # web'], ['1e3']],
  host: [['127.0.0.256'], ['10.0.0'], ['wcc example'], ['https://wcc.example.org'], ['-a'], ['::g']],
  'data-dir': null,
  pool: null,
  'public-url': [
    ['wcc.example.org', 'public_url_invalid'],
    ['https://wcc.example.org/console', 'public_url_invalid'],
    ['https://user@wcc.example.org', 'public_url_invalid'],
    ['ftp://wcc.example.org', 'public_url_invalid'],
    ['https://wcc.example.org', 'tls_required'],
  ],
  'tls-cert': [[short, 'tls_unreadable']],
  'tls-key': [[short, 'tls_unreadable']],
  hsts: [['perhaps'], ['true', 'tls_required']],
  'behind-tls-proxy': [['perhaps'], ['2'], ['true', 'tls_required']],
  'trusted-proxy': [['10.0.0.0/33'], ['proxy.example.org'], ['127.0.0.1,x']],
  'foreign-origins': [['https://status.example.org/page'], ['*']],
  'import-allow': [['10.0.0.0/33'], ['lan'], ['::1/129']],
  'admin-token-file': [
    [absent, 'admin_token_unreadable'],
    [directory, 'admin_token_unreadable'],
    [short, 'admin_token_short'],
  ],
  'max-copies-per-pool': [['0'], ['65'], ['two']],
  'free-space-floor': [['5 %'], ['100%'], ['-1'], ['9007199254740992'], ['2GiB']],
  'emergency-floor': [['-1'], ['101%'], ['none']],
  'upload-expiry': [['0'], ['never'], ['7d']],
  'upload-quota': [['-1'], ['0'], ['101%'], ['half']],
  'max-uploads-per-user': [['0'], ['10001']],
  'max-virtual-size': [['0'], ['1TiB'], ['9007199254740992']],
  hypervisor: [['xen'], ['QEMU']],
  'log-level': [['loud'], ['INFO']],
};

const cases = options.flatMap(({ flag }) =>
  (wrongValues[flag] ?? []).map(([text, code = 'option_invalid']) => ({
    flag,
    text,
    code,
    isSwitch: options.some((option) => option.flag === flag && option.value === null),
  })),
);

function refusal(argv: string[], environment: Record<string, string> = {}): ConfigError {
  try {
    read(argv, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('readConfig with a wrong value', () => {
  it.each(cases)('names file and line of the value $text of $flag', ({ flag, text, code }) => {
    const name = environmentName(flag);
    const path = file('wcc.env', `# A comment\n\n; another\n${name}="${text}"\n`);
    const error = refusal(['--config', path]);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(new RegExp(`^${path}:4: ${name}: .+\\.$`));
    expect(error.hint).toMatch(/\w/);
  });

  it.each(cases)('names the variable of the value $text of $flag', ({ flag, text, code }) => {
    const error = refusal([], { [environmentName(flag)]: text });
    expect(error.code).toBe(code);
    expect(error.message.startsWith(`${environmentName(flag)} (environment): `)).toBe(true);
  });

  it.each(cases.filter(({ isSwitch }) => !isSwitch))(
    'names the flag of the value $text of $flag',
    ({ flag, text, code }) => {
      const error = refusal([`--${flag}=${text}`]);
      expect(error.code).toBe(code);
      expect(error.message.startsWith(`--${flag}: `)).toBe(true);
    },
  );

  it.each(['data-dir', 'pool', 'tls-cert', 'admin-token-file'] as const)(
    'refuses a relative path of %s in a file, which has no current directory',
    (flag) => {
      const path = file(
        'wcc.env',
        `${environmentName(flag)}=images\n${flag === 'tls-cert' ? 'WCC_TLS_KEY=/nonexistent\n' : ''}`,
      );
      expect(refusal(['--config', path]).message).toBe(
        `${path}:1: ${environmentName(flag)}: images is not an absolute path.`,
      );
    },
  );

  it('does not show a token that is too short', () => {
    const path = file('wcc.env', 'WCC_ADMIN_TOKEN=short-secret\n');
    chmodSync(path, 0o640);
    for (const error of [refusal(['--config', path]), refusal([], { WCC_ADMIN_TOKEN: 'short-secret' })]) {
      expect(error.code).toBe('admin_token_short');
      expect(error.message).not.toContain('short-secret');
    }
  });
});

const refusals: [ConfigErrorCode, RegExp, string[]][] = [
  ['option_invalid', /^--nonsense is not a flag of wcc serve\.$/, ['--nonsense']],
  ['option_invalid', /^--prot is not a flag of wcc serve\. Did you mean --port\?$/, ['--prot', '80']],
  ['option_invalid', /--port/, ['--port']],
  ['option_invalid', /stray/, ['stray']],
  ['tls_required', /^--behind-tls-proxy: /, ['--behind-tls-proxy', '--public-url', 'http://wcc.example.org']],
  ['tls_unreadable', /^--tls-cert: .*\/nonexistent/, ['--tls-cert', '/nonexistent', '--tls-key', short]],
];

describe('readConfig with a wrong command line', () => {
  it.each(refusals)('throws %s: %s for %j', (code, message, argv) => {
    const error = refusal(argv);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});
