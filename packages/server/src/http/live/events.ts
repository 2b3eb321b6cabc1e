import { ApiError, routes, toProblem } from '@wcc/api';
import type { ErrorCode } from '@wcc/api';
import type { EventStreams } from '@wcc/progress/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../access/principal.ts';
import { assertPrincipal } from '../credentials.ts';
import { cutSocket } from '../cut-socket.ts';

/** Streams operations as server-sent events: one until its end, or everything that a client watches. */
export function registerEvents(app: FastifyInstance, deps: { streams: EventStreams<Principal> }): void {
  const config = { isStream: true };

  const serve = async (
    request: FastifyRequest,
    reply: FastifyReply,
    wanted: Parameters<EventStreams<Principal>['serve']>[2],
  ): Promise<void> => {
    // From here on, the stream writes the answer, so the common headers are copied.
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    await deps.streams.serve(request.raw, reply.raw, wanted).catch((error: unknown) => {
      // No other code answers now; the client reconnects.
      request.log.error({ err: error }, 'request failed');
      reply.raw.destroy();
    });
  };

  const path = `${routes.operations()}/:id/events`;
  app.get<{ Params: { id: string } }>(path, { config }, async (request, reply) =>
    serve(request, reply, { principal: assertPrincipal(request), operation: request.params.id }),
  );
  const watches = { ...config, right: 'operation.watch' } as const;
  app.post(routes.events(), { config: watches }, async (request, reply) =>
    serve(request, reply, { principal: assertPrincipal(request), subs: request.body }),
  );
}

/** Answers a refused stream with a problem document. */
export function answerRefusedStream(
  refusal: ErrorCode | 'malformed',
  _request: IncomingMessage,
  response: ServerResponse,
): void {
  // An event source would never come back after an answer.
  if (refusal === 'shutting_down') return response.socket === null ? undefined : cutSocket(response.socket);
  const error = new ApiError(refusal === 'malformed' ? 'malformed_request' : refusal);
  const retry = refusal === 'too_many_watchers' ? { 'retry-after': '5' } : {};
  const body = JSON.stringify(toProblem(error));
  response
    .writeHead(error.status, {
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      ...retry,
    })
    .end(body);
}
