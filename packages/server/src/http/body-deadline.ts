import type { FastifyInstance } from 'fastify';

export interface BodyDeadlineOptions {
  /** @default 30000 */
  bodyMs?: number;
}

/**
 * Closes the connection of a slow JSON body (at most 64 KiB). It replaces `requestTimeout`, which is off because
 * uploads may take hours. Bodies of other types have no deadline here.
 */
export function registerBodyDeadline(
  app: FastifyInstance,
  { bodyMs = 30_000 }: BodyDeadlineOptions = {},
): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (!request.headers['content-type']?.startsWith('application/json')) return payload;
    const timer = setTimeout(() => request.raw.destroy(), bodyMs);
    timer.unref();
    const arrived = (): void => clearTimeout(timer);
    payload.once('end', arrived).once('close', arrived);
    return payload;
  });
}
