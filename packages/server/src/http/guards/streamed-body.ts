import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route itself reads bodies of this media type from the connection, while they arrive. */
    streamedType?: string;
  }
}

/** Whether the route reads the body of this request itself. */
export function isBodyStreamed({ headers, routeOptions }: FastifyRequest): boolean {
  const { streamedType } = routeOptions.config;
  return streamedType !== undefined && streamedType === mediaTypeOf(headers['content-type']);
}

/** Without parameters, in lower case: the names of media types have no case. */
function mediaTypeOf(contentType = ''): string {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
