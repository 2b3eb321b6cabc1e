import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, readFile, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { ConfigError } from '../config/errors.ts';
import { makePrivateDirectory, replaceFile } from '../files/replace-file.ts';
import { readCertificate } from './certificate.ts';
import { openssl } from './openssl.ts';

/** The contents of PEM files. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface OwnCertificateOptions {
  dataDir: string;
  /** For the certificate; the first one is its common name. */
  names: readonly string[];
  nowMs: number;
  environment: { PATH?: string };
}

export const tlsDirName = 'tls';

const dayMs = 86_400_000;
/** Below 398 days: some programs refuse longer ones. */
const validDays = 365;
const renewBeforeMs = 120 * dayMs;

/**
 * The self-signed certificate of this data directory. The key is made once and kept, so that its pin stays. A
 * certificate that ends soon, or lacks a name, is replaced.
 *
 * @throws ConfigError `openssl_missing`, `certificate_failed`; errors of the file system
 */
export async function provideOwnCertificate(options: OwnCertificateOptions): Promise<KeyPair> {
  const directory = join(options.dataDir, tlsDirName);
  await makePrivateDirectory(directory);
  await chmod(directory, 0o700).catch(() => {});
  const key = await provideKey(directory, options);
  const held = await readIfExists(join(directory, 'cert.pem'));
  if (held !== null && belongsTo(held, key) && !isStale(held, options)) return { cert: held, key };
  try {
    const cert = await makeCertificate(directory, options);
    await replaceFile(join(directory, 'cert.pem'), cert);
    return { cert, key };
  } catch (error) {
    // A certificate that ends soon is better than no server.
    if (held !== null && belongsTo(held, key) && isValid(held, options.nowMs)) return { cert: held, key };
    throw error;
  }
}

/** The certificate that an earlier start made; null if there is none. @throws errors of the file system */
export async function readOwnCertificate(dataDir: string): Promise<KeyPair | null> {
  const [cert, key] = await Promise.all(
    ['cert.pem', 'key.pem'].map((name) => readIfExists(join(dataDir, tlsDirName, name))),
  );
  return cert && key ? { cert, key } : null;
}

/** Whether the certificate should be replaced: it ends soon, is not valid yet, or lacks a name. */
export function isStale(
  cert: string,
  { names, nowMs }: Pick<OwnCertificateOptions, 'names' | 'nowMs'>,
): boolean {
  const facts = readCertificate(cert);
  const known = new Set(facts.names.map(comparable));
  return (
    nowMs < facts.validFromMs ||
    nowMs > facts.validToMs - renewBeforeMs ||
    names.some((name) => !known.has(comparable(name)))
  );
}

function isValid(cert: string, nowMs: number): boolean {
  const { validFromMs, validToMs } = readCertificate(cert);
  return nowMs >= validFromMs && nowMs < validToMs;
}

/** Certificates show IPv6 addresses in their long form. */
function comparable(name: string): string {
  return isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name.toLowerCase();
}

function belongsTo(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

async function provideKey(directory: string, { environment }: OwnCertificateOptions): Promise<string> {
  const path = join(directory, 'key.pem');
  const held = await readIfExists(path);
  if (held !== null) {
    // Never replaced without being asked: every client has pinned it.
    if (isKey(held)) return held;
    throw new ConfigError('certificate_failed', `${path} is not a private key.`);
  }
  const kind = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const key = await openssl(['genpkey', ...kind], environment);
  await replaceFile(path, key);
  return key;
}

function isKey(pem: string): boolean {
  try {
    createPrivateKey(pem);
    return true;
  } catch {
    return false;
  }
}

async function makeCertificate(
  directory: string,
  { names, environment }: OwnCertificateOptions,
): Promise<string> {
  const settings = join(directory, 'request.cnf');
  await replaceFile(settings, requestSettings(names));
  try {
    const files = ['-key', join(directory, 'key.pem'), '-config', settings];
    return await openssl(
      ['req', '-x509', '-new', '-sha256', '-days', String(validDays), ...files],
      environment,
    );
  } finally {
    await rm(settings, { force: true });
  }
}

function requestSettings(names: readonly string[]): string {
  const alternatives = names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`));
  return [
    '[req]',
    'distinguished_name = name',
    'x509_extensions = extensions',
    'prompt = no',
    '[name]',
    `CN = ${(names[0] ?? 'wcc').slice(0, 64)}`,
    'O = wcc',
    '[extensions]',
    `subjectAltName = ${alternatives.join(',')}`,
    // A person who trusts this certificate does not trust others because of it.
    'basicConstraints = critical,CA:FALSE',
    'keyUsage = critical,digitalSignature',
    'extendedKeyUsage = serverAuth',
    'subjectKeyIdentifier = hash',
    '',
  ].join('\n');
}

async function readIfExists(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
