import { ApiError, routes, toProblem } from '@wcc/api';
import type { EventRefusal, EventStreams } from '@wcc/progress/server';
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../access/principal.ts';
import { assertPrincipal } from '../credentials.ts';

/** Streams one operation as server-sent events until its end, for clients without WebSocket. */
export function registerEvents(app: FastifyInstance, deps: { streams: EventStreams<Principal> }): void {
  const path = `${routes.operations()}/:id/events`;
  app.get<{ Params: { id: string } }>(path, { config: { isStream: true } }, async (request, reply) => {
    const principal = assertPrincipal(request);
    // From here on, the stream writes the answer, so the common headers are copied.
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    const wanted = { principal, operation: request.params.id };
    await deps.streams.serve(request.raw, reply.raw, wanted).catch((error: unknown) => {
      // No other code answers now; the client reconnects.
      request.log.error({ err: error }, 'request failed');
      reply.raw.destroy();
    });
  });
}

/** Answers a refused stream with a problem document. */
export function answerRefusedStream(
  refusal: EventRefusal,
  _request: IncomingMessage,
  response: ServerResponse,
): void {
  const error = new ApiError(refusal);
  const mayComeBack = refusal === 'too_many_watchers' || refusal === 'shutting_down';
  const retry = mayComeBack ? { 'retry-after': '5' } : {};
  const body = JSON.stringify(toProblem(error));
  response
    .writeHead(error.status, {
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      ...retry,
    })
    .end(body);
}
