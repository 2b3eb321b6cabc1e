import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { hasBody } from '../../uploads/headers.ts';

export interface UnreadBodyOptions {
  /** @default 2000 */
  lingerMs?: number | undefined;
}

/**
 * An error may be answered while the caller still sends its body. The connection closes after a delay, because a
 * reset could overtake the answer. Node discards the bytes that arrive until then.
 */
export function registerUnreadBody(app: FastifyInstance, { lingerMs }: UnreadBodyOptions = {}): void {
  app.addHook('onSend', async (request, reply) => closeIfUnread(request, reply, { lingerMs }));
  app.addHook('onResponse', async ({ raw }) => {
    if (hasBody(raw)) raw.resume();
  });
}

/** Prepares the answer to a request with an unread body. An answer without the hooks of fastify calls it itself. */
export function closeIfUnread(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  { lingerMs = 2_000 }: UnreadBodyOptions = {},
): void {
  if (!hasUnread(raw)) return;
  void reply.header('connection', 'close');
  closeLater(raw.socket, lingerMs);
}

/** Replaces the close of Node, which destroys the socket right after the last byte of the answer. */
function closeLater(socket: Socket, lingerMs: number): void {
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
    socket.once('close', () => clearTimeout(timer));
  };
}

function hasUnread(request: IncomingMessage): boolean {
  return hasBody(request) && !request.complete;
}
