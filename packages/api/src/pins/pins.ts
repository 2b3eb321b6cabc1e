import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Agent, request as sendRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { ApiFetch, ApiResponse } from '../client/fetch.ts';

/** The server has another key than the pinned ones. No byte of the request was sent. */
export class PinMismatch extends Error {
  override readonly name = 'PinMismatch';
  readonly code = 'key_changed';
  /** What the caller trusts. */
  readonly pins: readonly string[];
  /** What the server has. */
  readonly presented: string;

  constructor(pins: readonly string[], presented: string) {
    super(`The key of the server is ${presented}, not ${pins.join(' or ')}.`);
    this.pins = pins;
    this.presented = presented;
  }
}

/**
 * Reads pins as `WCC_PIN` has them: `sha256//` and the base64 of the SHA-256 of the public key (SPKI), as in
 * `curl --pinnedpubkey`. Several are separated by `;`.
 *
 * @throws TypeError for anything else
 */
export function parsePins(written: string): string[] {
  const pins = written
    .split(';')
    .map((pin) => pin.trim())
    .filter((pin) => pin !== '');
  const wrong = pins.find((pin) => !/^sha256\/\/[A-Za-z0-9+/]{43}=$/.test(pin));
  if (wrong !== undefined) throw new TypeError(`"${wrong}" is not a pin such as sha256//…=.`);
  return pins;
}

/** The pin of the other side of a connection. */
export function pinOfPeer(socket: TLSSocket): string {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Error('The server sent no certificate.');
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256//${createHash('sha256').update(spki).digest('base64')}`;
}

/**
 * An agent for https and wss that accepts exactly the servers with one of these keys. Names, authorities and dates of
 * certificates do not count.
 */
export function createPinnedAgent(pins: readonly string[]): Agent {
  return new PinnedAgent(pins);
}

type Connected = (error: Error | null, socket: Duplex) => void;

class PinnedAgent extends Agent {
  readonly #pins: readonly string[];

  constructor(pins: readonly string[]) {
    // A connection of its own for each request, because a kept one may be dead.
    super({ keepAlive: false, maxCachedSessions: 0 });
    this.#pins = pins;
  }

  /** The request gets the socket after the comparison, so no other server sees any of its bytes. */
  override createConnection(options: RequestOptions, done?: Connected): undefined {
    const socket = connect({ ...(options as ConnectionOptions), rejectUnauthorized: false });
    const fail = (error: Error): void => done?.(error, socket);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      const presented = pinOfPeer(socket);
      if (this.#pins.includes(presented)) return done?.(null, socket);
      const error = new PinMismatch(this.#pins, presented);
      socket.on('error', () => {}).destroy();
      return done?.(error, socket);
    });
  }
}

/**
 * A `fetch` for `createApiClient` in Node that accepts exactly the servers with one of these keys. Another server is
 * `unreachable` with a {@link PinMismatch} as the cause.
 */
export function createPinnedFetch(pins: readonly string[]): ApiFetch {
  const agent = createPinnedAgent(pins);
  return async (url, { method, headers, signal, body }) => {
    const options = { method, headers: { ...headers, ...lengthOf(body) }, signal, agent };
    return exchange(sendRequest(url, options), body);
  };
}

/** Without a length, Node sends the body of a DELETE behind a request that has none. */
export function lengthOf(body: string | undefined): { 'content-length'?: number } {
  return body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
}

/**
 * Sends the body of a request of Node, and reads the answer as the typed client wants it.
 * @throws the error of the connection
 */
export async function exchange(
  request: ClientRequest,
  body: string | undefined,
): Promise<ApiResponse & { readonly cookies: readonly string[] }> {
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end(body);
  const [response] = await answered;
  // A later failure is an error of the body.
  request.on('error', () => {});
  const { statusCode: status = 0 } = response;
  if (status === 204) response.resume();
  return {
    ok: status >= 200 && status < 300,
    status,
    headers: { get: (name) => [response.headers[name.toLowerCase()] ?? []].flat().join(', ') || null },
    cookies: response.headers['set-cookie'] ?? [],
    json: async () => JSON.parse(await text(response)) as unknown,
  };
}
