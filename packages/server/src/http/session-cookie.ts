import type { FastifyReply } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { sessionAbsoluteMs } from '../access/sessions.ts';

/**
 * The cookie of a session. A browser sends it to every port of the host, and every service there can set one of the
 * same name. So its name contains the port, there may be several values, and a value alone gives no access.
 */
export interface SessionCookie {
  /** All values with the name of this address. */
  valuesOf(headers: IncomingHttpHeaders): string[];
  /** All values with the name that versions before 0.2.0 used. */
  oldValuesOf(headers: IncomingHttpHeaders): string[];
  set(reply: FastifyReply, secret: string): void;
  clear(reply: FastifyReply): void;
}

/**
 * @param secure browsers reach this server over TLS. The prefix then binds the cookie to this host and to https. Plain
 * http cannot use it (docs/security.md).
 */
export function createSessionCookie({ secure }: { secure: boolean }): SessionCookie {
  const oldName = secure ? '__Host-wcc_sid' : 'wcc_sid';
  const nameFor = ({ host }: IncomingHttpHeaders): string =>
    `${oldName}_${portOf(host) ?? (secure ? 443 : 80)}`;
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
  return {
    valuesOf: (headers) => valuesOf(headers.cookie, nameFor(headers)),
    oldValuesOf: (headers) => valuesOf(headers.cookie, oldName),
    set: (reply, secret) =>
      void reply.setCookie(nameFor(reply.request.headers), secret, {
        ...attributes,
        maxAge: sessionAbsoluteMs / 1000,
      }),
    clear: (reply) => void reply.clearCookie(nameFor(reply.request.headers), attributes),
  };
}

/** The port that the browser knows. Two services on one host always differ in it, also behind a proxy. */
function portOf(host: string | undefined): string | undefined {
  return /:(\d{1,5})$/.exec(host ?? '')?.[1];
}

function valuesOf(header: string | undefined, name: string): string[] {
  return (header ?? '').split(';').flatMap((pair) => {
    const [key = '', value = ''] = pair.trim().split('=', 2);
    return key === name && value !== '' ? [value] : [];
  });
}
