import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCertificate } from './certificate.ts';
import { isStale, provideOwnCertificate } from './own-certificate.ts';
import type { KeyPair, OwnCertificateOptions } from './own-certificate.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.log('Skipped, own certificates: openssl is not installed.');

const dayMs = 86_400_000;
const names = ['192.0.2.7', 'host', 'host.local', '2001:db8::7', 'localhost', '127.0.0.1', '::1'];
const environment = { PATH: process.env['PATH'] ?? '' };

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'wcc-own-certificate-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const provide = (changes: Partial<OwnCertificateOptions> = {}): Promise<KeyPair> =>
  provideOwnCertificate({ dataDir, names, nowMs: Date.now(), environment, ...changes });
const keyPath = (): string => join(dataDir, 'tls', 'key.pem');

describe.skipIf(!hasOpenssl)('provideOwnCertificate', () => {
  it('makes a key and a certificate for all names, which only this user can read', async () => {
    const pair = await provide();
    const facts = readCertificate(pair.cert);
    expect(isStale(pair.cert, { names, nowMs: Date.now() })).toBe(false);
    expect(facts.names).toEqual(expect.arrayContaining(['192.0.2.7', 'host.local', 'localhost']));
    expect(facts.pin).toMatch(/^sha256\/\/[\w+/]{43}=$/);
    expect((facts.validToMs - facts.validFromMs) / dayMs).toBe(365);
    const files = readdirSync(join(dataDir, 'tls')).toSorted();
    expect(files).toEqual(['cert.pem', 'key.pem']);
    for (const file of files) expect(statSync(join(dataDir, 'tls', file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'tls')).mode & 0o777).toBe(0o700);
    const [key, cert] = [keyPath(), join(dataDir, 'tls', 'cert.pem')];
    // Another program agrees: it verifies the certificate, and computes the same pin.
    const checked = spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', cert, cert]);
    expect(checked.status, String(checked.stderr)).toBe(0);
    const script = `openssl pkey -in ${key} -pubout -outform der | openssl dgst -sha256 -binary | base64`;
    expect(`sha256//${String(spawnSync('sh', ['-c', script]).stdout).trim()}`).toBe(facts.pin);
  });

  it('keeps the certificate until it ends soon, and then the key with its pin', async () => {
    const first = await provide();
    expect(await provide({ nowMs: Date.now() + 200 * dayMs })).toEqual(first);
    const renewed = await provide({ nowMs: Date.now() + 300 * dayMs });
    expect(renewed.cert).not.toBe(first.cert);
    expect(renewed.key).toBe(first.key);
    expect(readCertificate(renewed.cert).pin).toBe(readCertificate(first.cert).pin);
  });

  it('replaces a certificate that lacks a name, is not valid yet, or belongs to another key', async () => {
    const first = await provide();
    const wider = await provide({ names: [...names, 'other.example'] });
    expect(readCertificate(wider.cert).names).toContain('other.example');
    // A name less changes nothing.
    expect(await provide()).toEqual(wider);
    const early = await provide({ nowMs: Date.now() - 10 * dayMs });
    expect(early.cert).not.toBe(wider.cert);
    rmSync(keyPath());
    const fresh = await provide();
    expect(fresh.key).not.toBe(first.key);
    expect(readCertificate(fresh.cert).pin).not.toBe(readCertificate(first.cert).pin);
  });

  it('names a missing openssl, and needs none while the certificate is good', async () => {
    const absent = { environment: { PATH: join(dataDir, 'nothing') } };
    await expect(provide(absent)).rejects.toMatchObject({ code: 'openssl_missing' });
    const pair = await provide();
    expect(await provide(absent)).toEqual(pair);
    // It ends soon and cannot be replaced: still better than no server.
    expect(await provide({ ...absent, nowMs: Date.now() + 300 * dayMs })).toEqual(pair);
    await expect(provide({ ...absent, nowMs: Date.now() + 400 * dayMs })).rejects.toMatchObject({
      code: 'openssl_missing',
    });
  });

  it('never replaces a damaged key, because clients have pinned it', async () => {
    await provide();
    writeFileSync(keyPath(), 'no key');
    await expect(provide()).rejects.toMatchObject({
      code: 'certificate_failed',
      message: `${keyPath()} is not a private key.`,
    });
    expect(readFileSync(keyPath(), 'utf8')).toBe('no key');
  });

  it('replaces what a killed start left', async () => {
    await provide();
    writeFileSync(join(dataDir, 'tls', 'cert.pem'), '');
    writeFileSync(join(dataDir, 'tls', 'cert.pem.tmp'), 'half');
    const pair = await provide();
    expect(readCertificate(pair.cert).names).toContain('host');
    expect(existsSync(join(dataDir, 'tls', 'cert.pem.tmp'))).toBe(false);
  });
});
