import type { FastifyInstance } from 'fastify';
import { isBodyStreamed } from './streamed-body.ts';
import { hasBody } from '../../uploads/headers.ts';

export interface BodyDeadlineOptions {
  /** @default 30000 */
  bodyMs?: number;
}

/**
 * Closes the connection of a slow body. It replaces `requestTimeout`, which is off because uploads may take hours:
 * only their media type has no deadline here. All other bodies are short.
 */
export function registerBodyDeadline(
  app: FastifyInstance,
  { bodyMs = 30_000 }: BodyDeadlineOptions = {},
): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    const { raw } = request;
    if (!hasBody(raw) || isBodyStreamed(request)) return payload;
    const timer = setTimeout(() => {
      // The body of a GET is never read, but it may have arrived.
      if (!raw.complete) raw.destroy();
    }, bodyMs);
    timer.unref();
    const arrived = (): void => clearTimeout(timer);
    payload.once('end', arrived).once('close', arrived);
    return payload;
  });
}
