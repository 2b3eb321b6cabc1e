import type { IncomingMessage } from 'node:http';
import { ProgressError } from '@wcc/progress';
import { createTrust, untrusted } from './trust.ts';
import type { TrustOptions, TrustRequest } from './trust.ts';

/** Which requests of a Node server are of a page of this server, or of a program. */
export interface RequestGuard {
  /** Reports the first refusal of each cause, because it often means a missing option. */
  refusal(request: IncomingMessage): 'foreign_host' | 'foreign_origin' | null;
}

/** @throws {ProgressError} `invalid_option` */
export function createRequestGuard(
  options: TrustOptions,
  report: (error: ProgressError) => void,
): RequestGuard {
  const trust = createTrust(options);
  const reported = new Set<string>();
  return {
    refusal: (request) => {
      const isRead = request.method === 'GET' && request.headers.upgrade === undefined;
      const code = untrusted(trust, trustRequestOf(request), { isRead });
      if (code === null) return null;
      const { host = 'absent', origin = 'absent' } = request.headers;
      const detail = `Host ${host.slice(0, 100)}, Origin ${origin.slice(0, 100)}`;
      const error = new ProgressError(code, { detail, ...hintFor(code, request.headers) });
      // Once, because anyone on the network can cause it.
      if (!reported.has(error.hint)) report(error);
      reported.add(error.hint);
      return code;
    },
  };
}

/** Without an Origin, the request is not of a page; no option of the server heals it. */
function hintFor(code: string, { origin, cookie }: IncomingMessage['headers']): { hint?: string } {
  if (code !== 'foreign_origin' || origin !== undefined) return {};
  return {
    hint:
      cookie === undefined
        ? 'A program that is not a page sends a token: Authorization: Bearer … .'
        : 'A program that sends a cookie also sends the Origin of the pages, or a bearer token instead of the cookie.',
  };
}

function trustRequestOf({ headers, socket }: IncomingMessage): TrustRequest {
  return {
    header: (name) => headers[name]?.toString(),
    isTls: (socket as { encrypted?: boolean }).encrypted === true,
  };
}
