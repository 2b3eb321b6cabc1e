import type { ServerResponse } from 'node:http';

/** Why `serveProgress` or `eventStream` refused a request. The code is in the JSON body. */
export type Refusal =
  | 'malformed'
  | 'unauthenticated'
  | 'foreign_host'
  | 'foreign_origin'
  | 'not_found'
  | 'not_packaged'
  | 'method_not_allowed'
  | 'not_in_state'
  | 'too_big'
  | 'not_json'
  | 'upgrade_required'
  | 'too_many_tickets'
  | 'too_many_watchers'
  | 'action_failed'
  | 'unavailable'
  | 'shutting_down';

const refusals: Readonly<Record<Refusal, { status: number; hint: string }>> = {
  malformed: { status: 400, hint: 'Send an array of sub messages of the protocol wcc.v1.' },
  unauthenticated: { status: 401, hint: 'Sign in, then try again.' },
  foreign_host: { status: 403, hint: 'Pass the public origin to serveProgress as the option origin.' },
  foreign_origin: {
    status: 403,
    hint: 'Pages of the same origin may use this server, and programs with a bearer token and no cookie. Its log has the cause.',
  },
  not_found: { status: 404, hint: 'The operation does not exist, or you may not do this with it.' },
  not_packaged: { status: 404, hint: 'Serve dist/element.min.js yourself: this server is a bundle.' },
  method_not_allowed: { status: 405, hint: 'Use the method in the header allow.' },
  not_in_state: { status: 409, hint: 'The state of the operation does not allow this action.' },
  too_big: { status: 413, hint: 'Watch fewer operations.' },
  not_json: { status: 415, hint: 'Send content-type: application/json.' },
  upgrade_required: { status: 426, hint: 'A proxy removed the header Upgrade. Let it forward WebSockets.' },
  too_many_tickets: { status: 429, hint: 'Use an issued ticket, or wait until one expires.' },
  too_many_watchers: { status: 429, hint: 'Close other pages of this user.' },
  action_failed: { status: 500, hint: 'See the log of the server.' },
  unavailable: { status: 503, hint: 'See the log of the server.' },
  shutting_down: { status: 503, hint: 'Try again in a few seconds.' },
};

const retryAfterS = 2;

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The same bytes for every cause that has the same code, so that no answer reveals which operations exist. */
export function refusalAnswer(code: Refusal, headers: Record<string, string> = {}): Answer {
  const { status, hint } = refusals[code];
  const retry: Record<string, string> =
    status === 503 || status === 429 ? { 'retry-after': String(retryAfterS) } : {};
  return jsonAnswer(status, { code, hint }, { ...retry, ...headers });
}

export function jsonAnswer(status: number, value: object, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(value),
  };
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const length = status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length }).end(body);
}
