import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { createBufferPool } from '../../images/download/buffers.ts';
import type { BufferPool } from '../../images/download/buffers.ts';
import type { OpenImage } from '../../images/download/open.ts';
import { sendImage } from '../../images/download/send.ts';
import type { Images } from '../../images/images.ts';
import { assertPrincipal, assertStillAllowed } from '../credentials.ts';
import { closeIfUnread } from '../guards/unread-body.ts';
import { acceptForms } from '../live/form-tickets.ts';
import { evaluate } from '../preconditions.ts';
import { imageIdOf } from '../request.ts';
import type { WithId } from '../request.ts';

/**
 * The bytes of an image: `GET` and `HEAD` as a whole or as one range, `POST` as a whole for a form of the console. A
 * page cannot set a header for a download, and the cookie alone gives no access (docs/security.md).
 */
export function registerDownload(app: FastifyInstance, { images }: { images: Images }): void {
  const url = `${routes.images()}/:id/download`;
  const buffers = createBufferPool();
  const handler = async (request: FastifyRequest<WithId>, reply: FastifyReply): Promise<FastifyReply> => {
    const principal = assertPrincipal(request);
    const image = await images.open(principal, imageIdOf(request));
    try {
      const part = setHeaders(request, reply, image);
      if (request.method !== 'HEAD' && part !== null) {
        await images.recordDownload({ principal, image, start: part.start });
        return await send({ request, reply, image, range: part, buffers });
      }
      await image.file.close();
      return await reply.send();
    } catch (error) {
      await image.file.close().catch(() => {});
      throw error;
    }
  };
  app.route<WithId>({ method: ['GET', 'HEAD'], url, handler });
  void app.register(async (scope) => {
    acceptForms(scope);
    scope.route<WithId>({
      method: 'POST',
      url,
      config: { ticket: 'download' },
      // The console posts the form into a frame, so that it stays open and can read a refusal.
      onRequest: async (_request, reply) => void reply.headers(framedByOwnPages),
      handler,
    });
  });
}

const framedByOwnPages = {
  'x-frame-options': 'SAMEORIGIN',
  'content-security-policy': "default-src 'none'; frame-ancestors 'self'",
};

/**
 * Sets status and headers. @returns the bytes to send, `end` exclusive; null without a body. @throws ApiError for
 * 412 and 416
 */
function setHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  image: OpenImage,
): { start: number; end: number } | null {
  const { sizeBytes, etag, modifiedAt, name } = image;
  const { method } = request;
  // A form has no use for them: the browser would have to send another ticket.
  const wanted = evaluate({ method, headers: method === 'POST' ? {} : request.headers }, image);
  if (wanted.kind === 'precondition_failed') throw new ApiError('precondition_failed');
  void reply.headers({
    etag,
    'accept-ranges': method === 'POST' ? 'none' : 'bytes',
    'last-modified': modifiedAt.toUTCString(),
  });
  if (wanted.kind === 'not_modified') {
    void reply.code(304);
    return null;
  }
  if (wanted.kind === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${sizeBytes}`);
    throw new ApiError('range_unsatisfiable', { message: `The image has ${sizeBytes} bytes.` });
  }
  const { start, end } = wanted.kind === 'part' ? wanted : { start: 0, end: sizeBytes };
  void reply
    .type('application/octet-stream')
    .headers({ 'content-disposition': disposition(name), 'content-length': String(end - start) });
  if (wanted.kind === 'part')
    void reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`);
  return { start, end };
}

interface Sending {
  request: FastifyRequest;
  reply: FastifyReply;
  image: OpenImage;
  range: { start: number; end: number };
  buffers: BufferPool;
}

/** Headers of the file, which an error instead of it does not have. */
const fileHeaders = ['accept-ranges', 'content-disposition', 'content-range', 'etag', 'last-modified'];

/** Sends the bytes without a stream, so that a buffer can be used again when the system has taken its bytes. */
async function send({ request, reply, image, range, buffers }: Sending): Promise<FastifyReply> {
  const begin = (): ServerResponse => {
    // Everything before took its time. From here on, the registry of open connections cuts the answer.
    assertStillAllowed(request);
    closeIfUnread(request, reply);
    reply.hijack();
    return reply.raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  };
  try {
    await sendImage(image, { range, buffers, connection: request.raw.socket, begin });
  } catch (error) {
    if (!reply.sent) {
      for (const name of fileHeaders) void reply.removeHeader(name);
      throw error;
    }
    request.log.warn({ err: error }, 'download cut');
    reply.raw.destroy();
  }
  return reply;
}

/** RFC 6266: an ASCII name for old clients, and the exact name for all others. */
function disposition(name: string): string {
  const plain = name.replaceAll(/[^\w .()+-]/g, '_');
  const exact = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
