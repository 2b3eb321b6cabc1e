import type { ServerConfig } from '../config/config.ts';
import { readCertificate } from '../tls/certificate.ts';

/** The Host headers that this server accepts, and the Origin of each. Both are compared exactly. */
export interface Addresses {
  isHost(host: string | undefined): boolean;
  /** Whether the origin is the requested host or the public address; never another accepted host. */
  isOrigin(origin: string | undefined, host: string | undefined): boolean;
  /** Accepts the names of another certificate instead. */
  useCertificate(pem: string): void;
  /** Where a person opens the console. */
  readonly consoleUrl: string;
}

type AddressConfig = Pick<ServerConfig, 'host' | 'publicUrl' | 'tls'>;

/** @param port the real port, also if the configuration says 0 */
export function createAddresses(config: AddressConfig, port: number): Addresses {
  const scheme = config.tls === null ? 'http' : 'https';
  const publicUrl = config.publicUrl === null ? null : new URL(config.publicUrl);
  let originOf = originsOf(config, port);
  const shown = isWildcard(config.host) ? (ownNames(config)[0] ?? 'localhost') : bracketed(config.host);
  return {
    isHost: (host) => host !== undefined && originOf.has(host),
    isOrigin(origin, host) {
      if (origin === undefined || host === undefined || !originOf.has(host)) return false;
      return origin === originOf.get(host) || origin === publicUrl?.origin;
    },
    useCertificate(cert) {
      originOf = originsOf({ ...config, tls: { cert, key: '' } }, port);
    },
    consoleUrl: publicUrl?.origin ?? new URL(`${scheme}://${shown}:${port}`).origin,
  };
}

/** The origin of each accepted host. */
function originsOf(config: AddressConfig, port: number): Map<string, string> {
  const scheme = config.tls === null ? 'http' : 'https';
  const names = ['localhost', '127.0.0.1', '[::1]', ...ownNames(config)];
  // Browsers omit the default port of the scheme in Host and Origin.
  const urls = names.map((name) => `${scheme}://${name}:${port}`).filter((url) => URL.canParse(url));
  const origins = new Map(urls.map((url) => [new URL(url).host, new URL(url).origin]));
  const publicUrl = config.publicUrl === null ? null : new URL(config.publicUrl);
  // Replaces the own origin of that host: behind a proxy, its scheme is not the one that wcc speaks.
  if (publicUrl) origins.set(publicUrl.host, publicUrl.origin);
  return origins;
}

function ownNames({ host, tls }: AddressConfig): string[] {
  const listening = isWildcard(host) ? [] : [bracketed(host)];
  return tls === null ? listening : [...listening, ...readCertificate(tls.cert).names.map(bracketed)];
}

function bracketed(name: string): string {
  return name.includes(':') ? `[${name}]` : name.toLowerCase();
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
