import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { handshakeStatuses, subprotocol, ticketPrefix } from '@wcc/progress/protocol';

export type HandshakeStatus = (typeof handshakeStatuses)[keyof typeof handshakeStatuses];

const ticketPattern = /^[A-Za-z0-9_-]{1,128}$/;
const websocketVersion = '13';
const lingerMs = 1000;

/** Refuses an upgrade with a short plain-text answer and closes the socket. */
export function refuseUpgrade(socket: Duplex, status: HandshakeStatus): void {
  const body = `${STATUS_CODES[status] ?? 'Refused'}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Cache-Control: no-store',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    // RFC 6455, 4.4: names the supported version. RFC 9110, 15.5.22: a 426 names the protocol.
    ...(status === handshakeStatuses.upgradeRequired
      ? ['Upgrade: websocket', `Sec-WebSocket-Version: ${websocketVersion}`]
      : []),
  ];
  if (socket.destroyed) return;
  // Unread bytes would turn the answer into a connection reset.
  socket.resume();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(timer));
}

/** The path of a request without its query. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** The status of a request that is not a valid WebSocket handshake; `null` if it is one (RFC 6455, 4.2.1). */
export function handshakeError(request: IncomingMessage): HandshakeStatus | null {
  const { headers } = request;
  if (request.method !== 'GET') return handshakeStatuses.badRequest;
  const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket';
  if (!isWebSocket || headers['sec-websocket-version'] !== websocketVersion) {
    return handshakeStatuses.upgradeRequired;
  }
  return null;
}

export interface Offer {
  ticket: string | null;
}

/**
 * Reads the offered subprotocols and removes the ticket from the request headers, so that a log of the headers
 * contains no secret.
 *
 * @returns `null` if `wcc.v1` is not offered exactly once, or the ticket is malformed
 */
export function takeOffer(request: IncomingMessage): Offer | null {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  request.headers['sec-websocket-protocol'] = subprotocol;
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === 'sec-websocket-protocol') {
      request.rawHeaders[index + 1] = subprotocol;
    }
  }
  const tickets = offered.filter((name) => name.startsWith(ticketPrefix));
  if (offered.filter((name) => name === subprotocol).length !== 1 || tickets.length > 1) return null;
  const ticket = tickets[0]?.slice(ticketPrefix.length) ?? null;
  return ticket === null || ticketPattern.test(ticket) ? { ticket } : null;
}
