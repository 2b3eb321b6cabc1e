import { X509Certificate } from 'node:crypto';
import type { ServerConfig } from '../config/config.ts';

/** The Host headers that this server accepts, and the Origin of each. Both are compared exactly. */
export interface Addresses {
  isHost(host: string | undefined): boolean;
  /** Whether the origin is the requested host or the public address; never another accepted host. */
  isOrigin(origin: string | undefined, host: string | undefined): boolean;
  /** Where a person opens the console. */
  readonly consoleUrl: string;
}

type AddressConfig = Pick<ServerConfig, 'host' | 'publicUrl' | 'tls'>;

/** @param port the real port, also if the configuration says 0 */
export function createAddresses(config: AddressConfig, port: number): Addresses {
  const scheme = config.tls === null ? 'http' : 'https';
  const names = ['localhost', '127.0.0.1', '[::1]', ...ownNames(config)];
  // Browsers omit the default port of the scheme in Host and Origin.
  const urls = names.map((name) => `${scheme}://${name}:${port}`).filter((url) => URL.canParse(url));
  const originOf = new Map(urls.map((url) => [new URL(url).host, new URL(url).origin]));
  const publicUrl = config.publicUrl === null ? null : new URL(config.publicUrl);
  // Replaces the own origin of that host: behind a proxy, its scheme is not the one that wcc speaks.
  if (publicUrl) originOf.set(publicUrl.host, publicUrl.origin);
  const shown = isWildcard(config.host) ? 'localhost' : bracketed(config.host);
  return {
    isHost: (host) => host !== undefined && originOf.has(host),
    isOrigin(origin, host) {
      if (origin === undefined || host === undefined || !originOf.has(host)) return false;
      return origin === originOf.get(host) || origin === publicUrl?.origin;
    },
    consoleUrl: publicUrl?.origin ?? new URL(`${scheme}://${shown}:${port}`).origin,
  };
}

function ownNames({ host, tls }: AddressConfig): string[] {
  const listening = isWildcard(host) ? [] : [bracketed(host)];
  return tls === null ? listening : [...listening, ...certificateNames(tls.cert)];
}

/** The names of the certificate, without wildcards. */
function certificateNames(pem: string): string[] {
  const names = new X509Certificate(pem).subjectAltName ?? '';
  return names
    .split(', ')
    .map((name) => /^(?:DNS|IP Address):([^*]+)$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .map(bracketed);
}

function bracketed(name: string): string {
  return name.includes(':') ? `[${name}]` : name.toLowerCase();
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
