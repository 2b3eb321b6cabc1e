import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSecureContext } from 'node:tls';
import type { ServerConfig } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { readCertificate } from './certificate.ts';
import type { KeyPair } from './own-certificate.ts';
import { provideOwnCertificate } from './own-certificate.ts';
import type { CertificateWatch } from './watch-certificate.ts';
import { ownCertificate, watchCertificate } from './watch-certificate.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.log('Skipped, certificates that change: openssl is not installed.');

let directory: string;
let watch: CertificateWatch | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcc-watch-certificate-'));
});
afterEach(() => {
  watch?.stop();
  rmSync(directory, { recursive: true });
});

const environment = { PATH: process.env['PATH'] ?? '' };
const pairFor = (name: string): Promise<KeyPair> =>
  provideOwnCertificate({
    dataDir: join(directory, name),
    names: [name],
    nowMs: Date.now(),
    environment,
  });

function configOf(argv: string[]): ServerConfig {
  const command = readConfig(argv, { HOME: directory, ...environment });
  if (command.kind !== 'serve') throw new Error(command.kind);
  return command.config;
}

describe.skipIf(!hasOpenssl)('watchCertificate', () => {
  it('reads own files again when both have changed, and reports a half replacement once', async () => {
    const [first, second] = [await pairFor('first'), await pairFor('second')];
    const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    writeFileSync(files.cert, first.cert);
    writeFileSync(files.key, first.key);
    const used: string[] = [];
    const errors: unknown[] = [];
    watch = watchCertificate({
      config: configOf(['--tls-cert', files.cert, '--tls-key', files.key]),
      pair: first,
      apply: ({ cert, key }) => {
        createSecureContext({ cert, key });
        used.push(...readCertificate(cert).names);
      },
      onError: (error) => errors.push(error),
      everyMs: 20,
    });
    writeFileSync(files.cert, second.cert);
    await vi.waitUntil(() => errors.length > 0);
    writeFileSync(files.key, second.key);
    await vi.waitUntil(() => used.length > 0);
    expect(used).toEqual(['second']);
    expect(errors).toHaveLength(1);
  });

  it('renews the own certificate before its end, with the same pin', async () => {
    const config = configOf(['--host', '0.0.0.0', '--data-dir', join(directory, 'data')]);
    const pair = await ownCertificate(config, Date.now());
    let nowMs = Date.now();
    const used: KeyPair[] = [];
    watch = watchCertificate({
      config,
      pair,
      apply: (next) => used.push(next),
      onError: () => {},
      everyMs: 20,
      now: () => nowMs,
    });
    nowMs += 300 * 86_400_000;
    await vi.waitUntil(() => used.length > 0);
    const [renewed] = used;
    expect(renewed?.cert).not.toBe(pair.cert);
    expect(readCertificate(renewed?.cert ?? '').pin).toBe(readCertificate(pair.cert).pin);
  });
});
