import type { MatchedUpload, Upload, UploadList } from '@wcc/api';
import { ApiError, matchUploadRequest, routes, tus, uploadMetadata, uploadQuery } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { metadataOf } from '../../uploads/headers.ts';
import type { TusAnswer, TusRequest } from '../../uploads/headers.ts';
import type { Uploads } from '../../uploads/uploads.ts';
import { assertPrincipal } from '../credentials.ts';
import { idempotencyKeyOf } from '../request.ts';
import type { WithId } from '../request.ts';
import { parse, parseBody, parseQuery } from '../parse.ts';

/** tus 1.0, and what the console asks about uploads. In a scope of its own: only here a body is a raw stream. */
export function registerUploads(app: FastifyInstance, { uploads }: { uploads: Uploads }): void {
  void app.register(async (scope) => {
    // Neither read nor limited here: the bytes go from the socket into the file.
    scope.addContentTypeParser(tus.contentType, (_request, _payload, done) => done(null));
    scope.addHook('onSend', async (request, reply) => {
      // tus: the Tus-Resumable header MUST be included in every response, except for OPTIONS.
      if (request.method !== 'OPTIONS') void reply.header('tus-resumable', tus.version);
      // The response to an unsupported version MUST name the supported ones.
      if (reply.statusCode === 412) void reply.header('tus-version', tus.version);
      // Node has no word for this status of the protocol.
      if (reply.statusCode === 460) reply.raw.statusMessage = 'Checksum Mismatch';
    });
    registerTus(scope, uploads);
    registerQuestions(scope, uploads);
  });
}

const one = `${routes.uploads()}/:id`;

function registerTus(app: FastifyInstance, uploads: Uploads): void {
  for (const address of [routes.uploads(), one]) {
    app.options(address, async (_request, reply) => tell(reply, uploads.options()));
  }
  app.post(routes.uploads(), { config: { limit: 'creation' } }, async (request, reply) => {
    const order = { ...tusRequestOf(request), idempotencyKey: idempotencyKeyOf(request) };
    const header = request.headers['upload-metadata'];
    const metadata = parse(uploadMetadata, metadataOf(typeof header === 'string' ? header : ''));
    return tell(reply, await sending(request, () => uploads.create({ ...order, metadata })));
  });
  app.head<WithId>(one, async (request, reply) => {
    return tell(reply, await uploads.head(request.params.id, tusRequestOf(request)));
  });
  app.patch<WithId>(one, { config: { isFrequent: true } }, async (request, reply) => {
    return tell(reply, await sending(request, () => uploads.patch(request.params.id, tusRequestOf(request))));
  });
  app.delete<WithId>(one, async (request, reply) => {
    return tell(reply, await uploads.terminate(request.params.id, tusRequestOf(request)));
  });
}

function registerQuestions(app: FastifyInstance, uploads: Uploads): void {
  app.get(routes.uploads(), { exposeHeadRoute: false }, async (request): Promise<UploadList> => {
    return uploads.list(assertPrincipal(request), parseQuery(uploadQuery, request).owner);
  });
  // The HEAD of this address is the protocol's.
  app.get<WithId>(one, { exposeHeadRoute: false }, async (request): Promise<Upload> => {
    return uploads.get(assertPrincipal(request), request.params.id);
  });
  app.post<WithId>(`${one}/match`, async (request): Promise<MatchedUpload> => {
    const claim = parseBody(matchUploadRequest, request);
    return uploads.match(assertPrincipal(request), request.params.id, claim);
  });
}

function tusRequestOf(request: FastifyRequest): TusRequest {
  return { raw: request.raw, principal: assertPrincipal(request) };
}

function tell(reply: FastifyReply, { status, headers }: TusAnswer): FastifyReply {
  return reply.code(status).headers(headers).send();
}

/**
 * While bytes come, their silence is measured by the upload itself, which knows whose fault it is: the clock of
 * the connection would also cut a client that waits for our disk.
 */
async function sending(request: FastifyRequest, take: () => Promise<TusAnswer>): Promise<TusAnswer> {
  const { socket } = request.raw;
  const inactivityMs = socket.timeout ?? 0;
  socket.setTimeout(0);
  try {
    return await take();
  } catch (error) {
    // Whoever may send no more is not listened to any longer.
    if (error instanceof ApiError && error.code === 'unauthenticated') socket.destroy();
    throw error;
  } finally {
    socket.setTimeout(inactivityMs);
  }
}
