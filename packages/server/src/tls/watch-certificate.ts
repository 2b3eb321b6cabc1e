import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import type { ServerConfig } from '../config/config.ts';
import { namesOfHost } from './host-names.ts';
import type { KeyPair } from './own-certificate.ts';
import { isStale, provideOwnCertificate } from './own-certificate.ts';

export interface CertificateWatch {
  stop(): void;
}

export interface CertificateWatchOptions {
  config: ServerConfig;
  /** In use. */
  pair: KeyPair;
  /** Takes another pair into use. @throws if key and certificate do not match */
  apply: (pair: KeyPair) => void;
  onError: (error: unknown, context: { stage: string }) => void;
  /** @default 10 seconds */
  everyMs?: number;
  /** @default Date.now */
  now?: () => number;
}

/** The certificate for a server with `ownCertificate`. */
export function ownCertificate(config: ServerConfig, nowMs: number): Promise<KeyPair> {
  const { dataDir, searchPath } = config;
  const environment = searchPath === null ? {} : { PATH: searchPath };
  return provideOwnCertificate({ dataDir, names: namesNow(config), nowMs, environment });
}

function namesNow({ host, publicUrl }: ServerConfig): string[] {
  return namesOfHost({ host, publicUrl, hostname: hostname(), interfaces: networkInterfaces() });
}

/** Looks regularly whether the files changed, or the own certificate needs another one. */
export function watchCertificate(options: CertificateWatchOptions): CertificateWatch {
  const { config, onError, everyMs = 10_000 } = options;
  const look = config.ownCertificate ? renewal(options) : rereading(options);
  if (look === null) return { stop: () => {} };
  let isLooking = false;
  let last = '';
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .then(() => (last = ''))
      .catch((error: unknown) => {
        // The same failure every few seconds would fill the log.
        const text = String(error);
        if (text !== last) onError(error, { stage: 'tls: certificate' });
        last = text;
      })
      .finally(() => (isLooking = false));
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function renewal({ config, pair, apply, now = Date.now }: CertificateWatchOptions): () => Promise<void> {
  let { cert } = pair;
  return async () => {
    const nowMs = now();
    if (!isStale(cert, { names: namesNow(config), nowMs })) return;
    const next = await ownCertificate(config, nowMs);
    if (next.cert === cert) return;
    apply(next);
    ({ cert } = next);
  };
}

function rereading({ config: { tls }, pair, apply }: CertificateWatchOptions): (() => Promise<void>) | null {
  const files = tls?.files;
  if (files === undefined) return null;
  let used = pair;
  return async () => {
    const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
    if (cert === used.cert && key === used.key) return;
    // Half of a replacement does not match; the next look finds both.
    apply({ cert, key });
    used = { cert, key };
  };
}
