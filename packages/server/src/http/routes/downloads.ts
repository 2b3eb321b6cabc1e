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

/** Downloads that run, so that whoever loses the right loses the connection too. */
type Running = Set<{ principal: Principal; stop: () => void }>;

/** `GET` and `HEAD` of an image's bytes, whole or from where an earlier download stopped. */
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
        const wanted = tellWhat(request, reply, image);
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

/** One that goes on is not told to the audit record a second time. */
function isFirst({ headers: { range } }: FastifyRequest): boolean {
  return range === undefined || range.startsWith('bytes=0-');
}

/** Status and headers. @returns what is to be sent, or null for an answer without a body. @throws ApiError for 416 */
function tellWhat(
  request: FastifyRequest,
  reply: FastifyReply,
  image: OpenImage,
): Exclude<Wanted, { kind: 'unsatisfiable' }> | null {
  const { sizeBytes, etag, modifiedAt, name } = image;
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers;
  void reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'last-modified': modifiedAt.toUTCString(),
    'content-disposition': disposition(name),
  });
  if (namesTag(ifNoneMatch, etag)) {
    void reply.code(304);
    return null;
  }
  const canContinue = mayContinue(Array.isArray(ifRange) ? ifRange[0] : ifRange, image);
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
  wanted: Wanted,
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
      // What is in the buffers of the kernel is not to arrive as a proper end.
      request.raw.socket.destroy();
    },
  };
  running.add(entry);
  stream.once('close', () => running.delete(entry));
  return reply.send(stream);
}

/** RFC 6266: the name for old programs in plain characters, and as it is for all others. */
function disposition(name: string): string {
  const plain = name.replaceAll(/[^\w .()+-]/g, '_');
  const exact = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

/** What part of a file a request wants; RFC 9110, section 14. */
export type Wanted =
  | { kind: 'all' }
  /** `end` is the first byte that is not wanted. */
  | { kind: 'part'; start: number; end: number }
  /** Beyond the end of the file: 416. */
  | { kind: 'unsatisfiable' };

/**
 * Reads a `Range` header. A malformed one, another unit and several ranges count as none: a server may ignore
 * the header (section 14.2), and nobody who downloads an image asks for two pieces at once.
 */
export function parseRange(header: string | undefined, sizeBytes: number): Wanted {
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

/** Whether a list of entity tags names this one; `*` names all. For GET, weak and strong ones compare alike. */
export function namesTag(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

/** `If-Range` (section 13.1.5): a range of another state of the file would be glued to the wrong rest. */
export function mayContinue(ifRange: string | undefined, file: { etag: string; modifiedAt: Date }): boolean {
  if (ifRange === undefined) return true;
  // A date has whole seconds: it cannot tell two states of one second apart, so it never proves anything.
  return ifRange.trim() === file.etag;
}
