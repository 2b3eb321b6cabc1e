import { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const lengthRequired = 'HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Gives an upgrade that no one wants to the application as a plain request, as Node does without a listener. Java
 * clients offer `Upgrade: h2c` with their first request, whatever it is. Node 24.9 and newer never need this.
 *
 * Node has parsed the headers only, so the body is read here. One without a length is refused with 411.
 */
export function passAsRequest(
  server: Server | SecureServer,
  { upgrade, socket, head }: { upgrade: IncomingMessage; socket: Duplex; head: Buffer },
): void {
  socket.on('error', () => socket.destroy());
  const length = lengthOf(upgrade.headers);
  if (length === null) return void socket.end(lengthRequired);
  const wire = socket as Socket;
  const request = length === 0 ? upgrade : withBody(upgrade, { wire, head, length });
  // As Node does: a client that ends its side has left.
  socket.once('end', () => socket.end()).resume();
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(wire);
  response.once('finish', () => {
    response.detachSocket(wire);
    socket.end();
  });
  server.emit('request', request, response);
}

/** @returns `null` for a body without a length */
function lengthOf(headers: IncomingHttpHeaders): number | null {
  if (headers['transfer-encoding'] !== undefined) return null;
  return Number(headers['content-length'] ?? 0);
}

/** A request with the same head, whose body comes from the socket. The parsed one has ended already. */
function withBody(
  upgrade: IncomingMessage,
  { wire, head, length }: { wire: Socket; head: Buffer; length: number },
): IncomingMessage {
  const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, headers, rawHeaders } = upgrade;
  const request = new IncomingMessage(wire);
  Object.assign(request, {
    method,
    url,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
    headers,
    rawHeaders,
  });
  let left = length;
  const take = (chunk: Buffer): void => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    // Reading the request resumes the socket.
    if (!request.push(part)) wire.pause();
    if (left > 0) return;
    wire.off('data', take);
    request.complete = true;
    request.push(null);
  };
  const leave = (): void => {
    if (left > 0) request.destroy(new Error('aborted'));
  };
  wire.once('end', leave).once('close', leave);
  if (head.length > 0) take(head);
  if (left > 0) wire.on('data', take);
  return request;
}
