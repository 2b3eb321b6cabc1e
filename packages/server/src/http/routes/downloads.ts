import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import type { Access } from '../../access/access.ts';
import { isRevoked } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import { readImageBytes } from '../../images/download/open.ts';
import type { OpenImage } from '../../images/download/open.ts';
import type { Images } from '../../images/images.ts';
import { assertPrincipal } from '../credentials.ts';
import { imageIdOf } from '../request.ts';
import type { WithId } from '../request.ts';

/** Running downloads; each ends when its caller loses the right. */
type Running = Set<{ principal: Principal; stop: () => void }>;

/** `GET` and `HEAD` of the bytes of an image, as a whole or as one range. */
export function registerDownload(
  app: FastifyInstance,
  { images, access }: { images: Images; access: Access },
): void {
  const running: Running = new Set();
  access.onRevoked((revocation) => {
    for (const { principal, stop } of running) if (isRevoked(revocation, principal)) stop();
  });
  app.route<WithId>({
    method: ['GET', 'HEAD'],
    url: `${routes.images()}/:id/download`,
    async handler(request, reply) {
      const principal = assertPrincipal(request);
      const wantsBytes = request.method === 'GET';
      const image = await images.open(principal, imageIdOf(request), {
        isFirst: wantsBytes && isFirst(request),
      });
      try {
        const wanted = setHeaders(request, reply, image);
        if (wantsBytes && wanted !== null)
          return await send({ request, reply, principal, running }, image, wanted);
        await image.file.close();
        return await reply.send();
      } catch (error) {
        await image.file.close().catch(() => {});
        throw error;
      }
    },
  });
}

/** A resumed download gets no second audit row. */
function isFirst({ headers: { range } }: FastifyRequest): boolean {
  return range === undefined || range.startsWith('bytes=0-');
}

/** Sets status and headers. @returns the range to send, or null without a body. @throws ApiError for 416 */
function setHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  image: OpenImage,
): Exclude<RequestedRange, { kind: 'unsatisfiable' }> | null {
  const { sizeBytes, etag, modifiedAt, name } = image;
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers;
  void reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'last-modified': modifiedAt.toUTCString(),
    'content-disposition': disposition(name),
  });
  if (matchesTag(ifNoneMatch, etag)) {
    void reply.code(304);
    return null;
  }
  const canContinue = canResume(Array.isArray(ifRange) ? ifRange[0] : ifRange, image);
  const wanted = canContinue ? parseRange(range, sizeBytes) : ({ kind: 'all' } as const);
  if (wanted.kind === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${sizeBytes}`);
    throw new ApiError('range_unsatisfiable', { message: `The image has ${sizeBytes} bytes.` });
  }
  const [start, end] = wanted.kind === 'part' ? [wanted.start, wanted.end] : [0, sizeBytes];
  void reply.type('application/octet-stream').header('content-length', String(end - start));
  if (wanted.kind === 'part')
    void reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`);
  return wanted;
}

interface Sending {
  request: FastifyRequest;
  reply: FastifyReply;
  principal: Principal;
  running: Running;
}

const bufferedBytes = 1024 ** 2;

async function send(
  { request, reply, principal, running }: Sending,
  image: OpenImage,
  wanted: RequestedRange,
): Promise<FastifyReply> {
  const part = wanted.kind === 'part' ? wanted : { start: 0, end: image.sizeBytes };
  const stream = Readable.from(readImageBytes(image, part), {
    objectMode: false,
    highWaterMark: bufferedBytes,
  });
  const entry = {
    principal,
    stop: () => {
      stream.destroy();
      // Without this, the client would receive a proper end of the answer.
      request.raw.socket.destroy();
    },
  };
  running.add(entry);
  stream.once('close', () => running.delete(entry));
  return reply.send(stream);
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

/** The requested part of a file; RFC 9110, section 14. */
export type RequestedRange =
  | { kind: 'all' }
  /** `end` is exclusive. */
  | { kind: 'part'; start: number; end: number }
  /** After the end of the file: 416. */
  | { kind: 'unsatisfiable' };

/**
 * Parses a `Range` header. A malformed header, another unit and several ranges count as none; a server may ignore
 * the header (section 14.2).
 */
export function parseRange(header: string | undefined, sizeBytes: number): RequestedRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return { kind: 'all' };
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return { kind: 'all' };
  if (start >= sizeBytes) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/** Whether a list of entity tags contains the tag; `*` matches all. GET compares weak and strong tags alike. */
export function matchesTag(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

/** `If-Range` (section 13.1.5): a partial answer is allowed only if the file is unchanged. */
export function canResume(ifRange: string | undefined, file: { etag: string; modifiedAt: Date }): boolean {
  if (ifRange === undefined) return true;
  // A date has whole seconds, so two versions within one second look equal. It is never accepted.
  return ifRange.trim() === file.etag;
}
