import type { IncomingMessage } from 'node:http';

/**
 * The option `hosts` for an exact list of Host headers.
 *
 * @param hosts as in the Host header, e.g. `wcc.example.org`, `127.0.0.1:8400`
 */
export function exactHosts(hosts: readonly string[]): (host: string | undefined) => boolean {
  const allowed = new Set(hosts.map((host) => host.toLowerCase()));
  return (host) => host !== undefined && allowed.has(host.toLowerCase());
}

/**
 * The option `origins` for an exact list of Origin headers. A request without Origin passes only with
 * `Authorization: Bearer` and without a cookie. A page in a browser cannot send such a request.
 *
 * @param origins e.g. `https://wcc.example.org`
 */
export function exactOrigins(
  origins: readonly string[],
): (origin: string | undefined, request: IncomingMessage) => boolean {
  const allowed = new Set(origins);
  return (origin, request) => {
    if (origin !== undefined) return allowed.has(origin);
    const { authorization, cookie } = request.headers;
    return cookie === undefined && authorization !== undefined && /^Bearer /i.test(authorization);
  };
}
