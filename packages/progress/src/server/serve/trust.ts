import { isIP } from 'node:net';
import { ProgressError } from '@wcc/progress';

/** What the checks need of a request, whether Node's or a Web standard one. */
export interface TrustRequest {
  header(name: string): string | undefined;
  /** True if the client's TLS ends in this process. */
  isTls: boolean;
}

export interface TrustOptions {
  /** Public origins of the pages, e.g. `https://app.example.org`. */
  origin?: string | readonly string[];
  /** Further names in Host headers, e.g. the name that a proxy uses. */
  hosts?: readonly string[];
}

/** Whether a request comes from a page of this server, or from a program. */
export interface Trust {
  /** True if a foreign name cannot lead to this server; see {@link createTrust}. */
  isOwnHost(request: TrustRequest): boolean;
  /** For requests that change something or open a socket: the page's Origin, or a program's bearer token. */
  isOwnOrigin(request: TrustRequest): boolean;
  /** For reading: a same-origin GET of a browser has no Origin. */
  isOwnReader(request: TrustRequest): boolean;
}

/**
 * Same-origin by default: the Origin is the page's own if its host is the Host header.
 *
 * A page of another site can point its own name at this server (DNS rebinding); Origin and Host then agree. So a Host
 * is accepted only if an attacker cannot own it: an IP address, a name without a dot, `*.localhost`, any name over TLS
 * (the certificate would not match), or a name in the options.
 *
 * @throws {ProgressError} `invalid_option` if an origin is not one
 */
export function createTrust({ origin = [], hosts = [] }: TrustOptions): Trust {
  const origins = new Set(typeof origin === 'string' ? [origin] : origin);
  for (const each of origins) {
    if (parseOrigin(each)?.origin !== each)
      throw new ProgressError('invalid_option', {
        detail: `origin: ${JSON.stringify(each)} is not like "https://app.example.org"`,
      });
  }
  const publicNames = new Set([...origins].map((each) => new URL(each).hostname));
  const names = new Set([...publicNames, ...hosts.map((host) => nameOf(host) ?? host)]);

  const isOwnHost = (request: TrustRequest): boolean => {
    const name = nameOf(request.header('host'));
    if (name === null) return false;
    return names.has(name) || request.isTls || isSafeName(name);
  };

  const isListedOrSame = (value: string, request: TrustRequest): boolean => {
    if (origins.has(value)) return true;
    const url = parseOrigin(value);
    const host = request.header('host');
    if (url?.origin !== value || host === undefined) return false;
    // The scheme of a listed name is exact. An attacker in the network could serve a page of the other one.
    if (publicNames.has(url.hostname) || (request.isTls && url.protocol !== 'https:')) return false;
    return hostOf(url.protocol, host) === url.host;
  };

  const isSameSite = (request: TrustRequest): boolean => {
    const site = request.header('sec-fetch-site');
    return site === undefined || site === 'same-origin';
  };

  return {
    isOwnHost,
    isOwnOrigin: (request) => {
      const value = request.header('origin');
      if (value !== undefined) return isSameSite(request) && isListedOrSame(value, request);
      // A browser always sends an Origin here. A program has a token and no cookie.
      return (
        request.header('cookie') === undefined && /^Bearer /i.test(request.header('authorization') ?? '')
      );
    },
    isOwnReader: (request) => {
      const value = request.header('origin');
      const site = request.header('sec-fetch-site');
      const isRead = isSameSite(request) || site === 'none';
      return isRead && (value === undefined || isListedOrSame(value, request));
    },
  };
}

/** Why a request is refused. @param isRead true if it only reads, and opens no socket */
export function untrusted(
  trust: Trust,
  request: TrustRequest,
  { isRead }: { isRead: boolean },
): 'foreign_host' | 'foreign_origin' | null {
  if (!trust.isOwnHost(request)) return 'foreign_host';
  const isOwn = isRead ? trust.isOwnReader(request) : trust.isOwnOrigin(request);
  return isOwn ? null : 'foreign_origin';
}

function parseOrigin(value: string): URL | null {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return null;
  return new URL(value);
}

/** The host with the default port of the scheme removed, or `null`. */
function hostOf(protocol: string, host: string): string | null {
  const address = `${protocol}//${host}`;
  return /[/\\?#@\s]/.test(host) || !URL.canParse(address) ? null : new URL(address).host;
}

function nameOf(host: string | undefined): string | null {
  if (host === undefined || hostOf('http:', host) === null) return null;
  return new URL(`http://${host}`).hostname;
}

/** An IPv6 address is in brackets. */
function isSafeName(name: string): boolean {
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return true;
  return name !== '' && (!name.includes('.') || name.endsWith('.localhost'));
}
