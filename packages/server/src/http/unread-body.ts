import type { FastifyInstance } from 'fastify';

export interface UnreadBodyOptions {
  /** @default 2000 */
  lingerMs?: number;
}

/**
 * An error may be answered while the caller still sends its body. The connection closes after a delay, because a
 * reset could overtake the answer. Node discards the bytes that arrive until then.
 */
export function registerUnreadBody(app: FastifyInstance, { lingerMs = 2_000 }: UnreadBodyOptions = {}): void {
  app.addHook('onSend', async (request, reply) => {
    if (hasUnread(request.raw)) void reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request) => {
    const { raw } = request;
    if (!hasUnread(raw)) return;
    raw.resume();
    const timer = setTimeout(() => raw.socket.destroy(), lingerMs);
    timer.unref();
    raw.socket.once('close', () => clearTimeout(timer));
  });
}

function hasUnread({ complete, headers }: { complete: boolean; headers: Record<string, unknown> }): boolean {
  const announced = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
  return announced && !complete;
}
