import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ServerConfig } from './config.ts';
import type { ConfigErrorCode } from './errors.ts';
import { readConfig } from './read-config.ts';

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

describe('the administrator token', () => {
  const secret = '0123456789abcdef0123456789abcdef';
  it('comes from the environment or a file, without the trailing newline', () => {
    expect(read([], { WCC_ADMIN_TOKEN: secret }).adminToken).toBe(secret);
    expect(read(['--admin-token-file', file('token', `${secret}\n`)]).adminToken).toBe(secret);
  });
});

const short = file('short', 'short');
const refusals: [ConfigErrorCode, string[], Record<string, string>?][] = [
  ['option_invalid', ['--nonsense']],
  ['option_invalid', ['--port']],
  ['option_invalid', ['stray']],
  ['option_invalid', ['--port', '65536']],
  ['option_invalid', ['--port', '-1']],
  ['option_invalid', ['--port', '80a']],
  ['option_invalid', [], { WCC_PORT: 'x' }],
  ['option_invalid', ['--max-copies-per-pool', '0']],
  ['option_invalid', ['--free-space-floor', '5 %']],
  ['option_invalid', ['--emergency-floor', '-1']],
  ['option_invalid', ['--max-virtual-size', '0']],
  ['option_invalid', ['--max-virtual-size', '1TiB']],
  ['option_invalid', ['--max-virtual-size', '9007199254740992']],
  ['option_invalid', ['--upload-quota', '-1']],
  ['option_invalid', ['--upload-quota', '101%']],
  ['option_invalid', ['--free-space-floor', '100%']],
  ['option_invalid', ['--upload-expiry', '0']],
  ['option_invalid', ['--upload-expiry', 'never']],
  ['option_invalid', ['--log-level', 'loud']],
  ['option_invalid', ['--trusted-proxy', '10.0.0.0/33']],
  ['option_invalid', ['--trusted-proxy', 'proxy.example.org']],
  ['option_invalid', ['--foreign-origins', 'https://status.example.org/page']],
  ['option_invalid', ['--foreign-origins', '*']],
  ['option_invalid', [], { WCC_BEHIND_TLS_PROXY: 'perhaps' }],
  ['public_url_invalid', ['--public-url', 'wcc.example.org']],
  ['public_url_invalid', ['--public-url', 'https://wcc.example.org/console']],
  ['public_url_invalid', ['--public-url', 'https://user@wcc.example.org']],
  ['public_url_invalid', ['--public-url', 'ftp://wcc.example.org']],
  ['tls_required', ['--host', '0.0.0.0']],
  ['tls_required', ['--host', '192.0.2.1']],
  ['tls_required', ['--host', '127.evil.example']],
  ['tls_required', ['--public-url', 'https://wcc.example.org']],
  ['tls_required', ['--behind-tls-proxy']],
  ['tls_required', ['--behind-tls-proxy', '--public-url', 'http://wcc.example.org']],
  ['tls_unreadable', ['--tls-cert', short]],
  ['tls_unreadable', ['--tls-cert', '/nonexistent', '--tls-key', short]],
  ['admin_token_short', [], { WCC_ADMIN_TOKEN: 'short' }],
  ['admin_token_short', ['--admin-token-file', short]],
  ['admin_token_unreadable', ['--admin-token-file', '/nonexistent']],
];

describe('readConfig with an invalid setting', () => {
  it.each(refusals)('throws %s for %j %j', (code, argv, environment = {}) => {
    expect(() => read(argv, environment)).toThrow(
      expect.objectContaining({
        code,
        message: expect.any(String) as string,
        hint: expect.any(String) as string,
      }),
    );
  });
});
