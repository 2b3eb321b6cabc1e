import type { ErrorCode } from '@wcc/api';
import { ApiError, isErrorCode, toProblem } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { StoreConflict, StoreError } from '../storage/errors.ts';
import { findRemoved } from './removed-endpoints.ts';
import { createMethodTable } from './request.ts';

/** The one mapper from errors to HTTP: every refusal is an RFC 9457 problem document. */
export function registerProblems(app: FastifyInstance): void {
  const allowedMethods = createMethodTable(app);
  app.setErrorHandler((error: unknown, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const gone = findRemoved(request.method, path);
    if (gone !== null) return sendProblem(gone, request, reply);
    const allowed = allowedMethods(path);
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '));
    return sendProblem(new ApiError(allowed.length > 0 ? 'method_not_allowed' : 'not_found'), request, reply);
  });
}

/** Answers an error as what it is to the caller; what is ours goes to the log. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const told = toApiError(error);
  // Only what is our fault: a refusal is no event for the log, and its cause may quote the caller's body.
  if (isOurFault(told)) request.log.error({ err: error, code: told.code }, 'request failed');
  if (told.retryAfterS !== undefined) void reply.header('retry-after', String(told.retryAfterS));
  if (told.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer');
  // The request id stands in a header only: the 404 of the forbidden and of the unknown are equal byte for byte.
  return reply.code(told.status).type('application/problem+json').send(toProblem(told));
}

/** "Not yet", "stopping" and "no space" are answers; what has a cause, or none that is known, is a failure. */
function isOurFault({ status, code, cause }: ApiError): boolean {
  return status >= 500 && (code === 'internal' || cause !== undefined);
}

const fastifyCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_ROUTE_NOT_FOUND: 'not_found',
};

/** What is told of an error. Text of errors that were not made for callers stays in the log. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof StoreConflict) return new ApiError('invalid_state', { cause: error });
  if (error instanceof StoreError) {
    return new ApiError(error.code === 'store_constraint' ? 'internal' : 'database_unavailable', {
      cause: error,
    });
  }
  const { code, statusCode, message, hint } = (error ?? {}) as Record<string, unknown>;
  const known = typeof code === 'string' ? code : '';
  if (isErrorCode(known)) return fromDomain(known, { message, hint, cause: error });
  const mapped = fastifyCodes[known];
  if (mapped) return new ApiError(mapped, { cause: error });
  // Whatever else the parser refuses is the caller's: bad JSON, bad length, bad percent-encoding.
  const isCallers = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return new ApiError(isCallers ? 'malformed_request' : 'internal', { cause: error });
}

/** Errors of the copy engine carry codes of the same registry, with words for people. */
function fromDomain(code: ErrorCode, told: { message: unknown; hint: unknown; cause: unknown }): ApiError {
  return new ApiError(code, {
    cause: told.cause,
    ...(typeof told.message === 'string' ? { message: told.message } : {}),
    ...(typeof told.hint === 'string' ? { hint: told.hint } : {}),
  });
}
