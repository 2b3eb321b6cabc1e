import type { MatchedUpload, Upload, UploadList } from '@wcc/api';
import { ApiError, matchUploadRequest, routes, tus, uploadMetadata, uploadQuery } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { assertProtocol, metadataOf } from '../../uploads/headers.ts';
import type { TusAnswer, TusRequest } from '../../uploads/headers.ts';
import type { Uploads } from '../../uploads/uploads.ts';
import { assertPrincipal } from '../credentials.ts';
import { idempotencyKeyOf } from '../request.ts';
import type { WithId } from '../request.ts';
import { allowQuietAnswer } from '../guards/quiet-answer.ts';
import { parse, parseBody, parseQuery } from '../parse.ts';

/** tus 1.0 and the JSON endpoints of uploads. A fastify scope of its own, because only here a body is a raw stream. */
export function registerUploads(app: FastifyInstance, { uploads }: { uploads: Uploads }): void {
  void app.register(async (scope) => {
    // Fastify does not read the body; its bytes go from the socket to the file.
    scope.addContentTypeParser(tus.contentType, (_request, _payload, done) => done(null));
    scope.addHook('onSend', async (request, reply) => {
      // tus: the Tus-Resumable header MUST be included in every response, except for OPTIONS.
      if (request.method !== 'OPTIONS') void reply.header('tus-resumable', tus.version);
      // The response to an unsupported version MUST name the supported ones.
      if (reply.statusCode === 412) void reply.header('tus-version', tus.version);
      // Node has no reason phrase for this status.
      if (reply.statusCode === 460) reply.raw.statusMessage = 'Checksum Mismatch';
    });
    void scope.register(async (protocol) => registerTus(protocol, uploads));
    registerUploadQueries(scope, uploads);
  });
}

const one = `${routes.uploads()}/:id`;
const sees = { sees: 'upload.see' } as const;
const sends = { ...sees, right: 'upload.send' } as const;
const streams = { streamedType: tus.contentType } as const;
/** Of the requests after which a stock client would forget its upload. */
const resumes = { isUpload: true } as const;

function registerTus(app: FastifyInstance, uploads: Uploads): void {
  // Before the metadata, because an extension can make the metadata look wrong.
  app.addHook('preHandler', async ({ method, headers }) => {
    if (method !== 'OPTIONS') assertProtocol(headers);
  });
  for (const address of [routes.uploads(), one]) {
    app.options(address, async (_request, reply) => answer(reply, uploads.options()));
  }
  app.post(
    routes.uploads(),
    { config: { limit: 'creation', right: 'image.upload', ...streams } },
    async (request, reply) => {
      const order = {
        ...tusRequestOf(request),
        idempotencyKey: idempotencyKeyOf(request),
        onCreated: (headers: Record<string, string>) => void reply.headers(headers),
      };
      const header = request.headers['upload-metadata'];
      const fields = metadataOf(typeof header === 'string' ? header : '');
      // The schema would only say that a string is missing.
      if ((fields['filename'] ?? '') === '')
        throw new ApiError('filename_missing', { field: 'Upload-Metadata' });
      const metadata = parse(uploadMetadata, fields);
      return answer(
        reply,
        await withoutInactivityTimeout(request, () => uploads.create({ ...order, metadata })),
      );
    },
  );
  app.head<WithId>(one, { config: resumes }, async (request, reply) => {
    return answer(reply, await uploads.head(request.params.id, tusRequestOf(request)));
  });
  app.patch<WithId>(
    one,
    { config: { isFrequent: true, ...resumes, ...sends, ...streams } },
    async (request, reply) => {
      return answer(
        reply,
        await withoutInactivityTimeout(request, () =>
          uploads.patch(request.params.id, tusRequestOf(request)),
        ),
      );
    },
  );
  app.delete<WithId>(one, { config: sends }, async (request, reply) => {
    return answer(reply, await uploads.terminate(request.params.id, tusRequestOf(request)));
  });
}

function registerUploadQueries(app: FastifyInstance, uploads: Uploads): void {
  app.get(routes.uploads(), { exposeHeadRoute: false }, async (request): Promise<UploadList> => {
    return uploads.list(assertPrincipal(request), parseQuery(uploadQuery, request).owner);
  });
  // tus defines HEAD of this address.
  app.get<WithId>(one, { exposeHeadRoute: false }, async (request): Promise<Upload> => {
    return uploads.get(assertPrincipal(request), request.params.id);
  });
  app.post<WithId>(`${one}/match`, { config: sees }, async (request): Promise<MatchedUpload> => {
    const claim = parseBody(matchUploadRequest, request);
    return uploads.match(assertPrincipal(request), request.params.id, claim);
  });
}

function tusRequestOf(request: FastifyRequest): TusRequest {
  const principal = assertPrincipal(request);
  const { signal } = request.openConnection ?? new AbortController();
  return { raw: request.raw, principal, signal };
}

function answer(reply: FastifyReply, { status, headers }: TusAnswer): FastifyReply {
  return reply.code(status).headers(headers).send();
}

/**
 * Disables the connection's inactivity timeout while bytes arrive. The upload has its own idle timer, which does not
 * count the time that a client waits for the server's disk.
 */
async function withoutInactivityTimeout(
  request: FastifyRequest,
  take: () => Promise<TusAnswer>,
): Promise<TusAnswer> {
  const restore = allowQuietAnswer(request.raw.socket);
  try {
    return await take();
  } finally {
    restore();
  }
}
