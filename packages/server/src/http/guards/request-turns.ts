import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, toProblem } from '@wcc/api';

/** Requests of one connection that wait for the answer of an earlier one. */
export const maxWaitingRequests = 16;

type Exchange = [IncomingMessage, ServerResponse];

/** The requests of one connection. */
interface Turns {
  readonly waiting: Exchange[];
  /** A request was refused, and its answer closes the connection: later ones are not answered. */
  isClosing: boolean;
}

/**
 * Hands over pipelined requests (RFC 9112, section 9.3.2) one after the other. Node hands over all of them at once,
 * and an answer that waits for its connection never emits `close` when that connection is cut: its work would
 * continue, and its entry in the registry of open connections would stay.
 */
export function takeRequestsInTurn(server: Server, listener: RequestListener): void {
  const connections = new WeakMap<Socket, Turns>();
  const take = ([request, response]: Exchange, turns: Turns): void => {
    response.once('close', () => {
      const next = turns.waiting.shift();
      if (next === undefined) connections.delete(request.socket);
      else if (request.socket.destroyed) turns.waiting.length = 0;
      else take(next, turns);
    });
    listener(request, response);
  };
  server.on('request', (request, response) => {
    const { socket } = request;
    const turns = connections.get(socket);
    if (turns === undefined) {
      const first = { waiting: [], isClosing: false };
      connections.set(socket, first);
      take([request, response], first);
    } else if (turns.isClosing) socket.pause();
    else if (turns.waiting.length < maxWaitingRequests) turns.waiting.push([request, response]);
    else {
      turns.isClosing = true;
      // Reads no more. A request that already arrived in the same part gets no answer.
      socket.pause();
      refuse(response);
    }
  });
  // An answer would be sent into the middle of the upgraded stream.
  server.on('upgrade', ({ socket }: IncomingMessage) => {
    if (connections.has(socket)) socket.destroy();
  });
}

/** Node sends this after the answers of the waiting requests, and closes the connection behind it. */
function refuse(response: ServerResponse): void {
  const error = new ApiError('rate_limited');
  response.writeHead(error.status, {
    connection: 'close',
    'cache-control': 'no-store',
    'content-type': 'application/problem+json',
    'retry-after': '1',
    'x-content-type-options': 'nosniff',
  });
  response.end(JSON.stringify(toProblem(error)));
}
