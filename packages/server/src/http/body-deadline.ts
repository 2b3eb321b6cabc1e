import type { FastifyInstance } from 'fastify';

export interface BodyDeadlineOptions {
  /** @default 30000 */
  bodyMs?: number;
}

/**
 * Ends a connection that takes its time over a JSON body of at most 64 KiB. Stands in for `requestTimeout`,
 * which is off so that long uploads are not cut (page 05); bodies of other types are not touched.
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
