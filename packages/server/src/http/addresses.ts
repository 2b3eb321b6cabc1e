import { X509Certificate } from 'node:crypto';
import type { ServerConfig } from '../config/config.ts';

/** Which Host headers this server answers to, and which Origin belongs to one. Both exact. */
export interface Addresses {
  isHost(host: string | undefined): boolean;
  /** The page's origin is the very address that was asked, or the public one; never another of the list. */
  isOrigin(origin: string | undefined, host: string | undefined): boolean;
  /** Where a person opens the console. */
  readonly consoleUrl: string;
}

type AddressConfig = Pick<ServerConfig, 'host' | 'publicUrl' | 'tls'>;

/** `port` is the one that is really listened on. */
export function createAddresses(config: AddressConfig, port: number): Addresses {
  const scheme = config.tls === null ? 'http' : 'https';
  const names = ['localhost', '127.0.0.1', '[::1]', ...ownNames(config)];
  // A browser leaves the scheme's own port away, in Host and Origin alike.
  const origins = names.filter((name) => URL.canParse(`${scheme}://${name}:${port}`));
  const hosts = new Set(origins.map((name) => new URL(`${scheme}://${name}:${port}`).host));
  const publicUrl = config.publicUrl === null ? null : new URL(config.publicUrl);
  if (publicUrl) hosts.add(publicUrl.host);
  const shown = isEverything(config.host) ? 'localhost' : bracketed(config.host);
  return {
    isHost: (host) => host !== undefined && hosts.has(host),
    isOrigin(origin, host) {
      if (origin === undefined || host === undefined || !hosts.has(host)) return false;
      return origin === `${scheme}://${host}` || origin === publicUrl?.origin;
    },
    consoleUrl: publicUrl?.origin ?? new URL(`${scheme}://${shown}:${port}`).origin,
  };
}

function ownNames({ host, tls }: AddressConfig): string[] {
  const listening = isEverything(host) ? [] : [bracketed(host)];
  return tls === null ? listening : [...listening, ...certificateNames(tls.cert)];
}

/** The names a certificate vouches for: what a browser may ask this server as. Wildcards name nobody exactly. */
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

function isEverything(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
