import type { ErrorCode } from '@wcc/api';
import { ApiError, isErrorCode, toProblem } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorFor, LocatedError } from '../access/located-error.ts';
import { toNameTaken } from '../access/name-taken.ts';
import { StoreConflict, StoreError } from '../storage/errors.ts';
import type { StoreErrorCode } from '../storage/errors.ts';
import { cutStream, soften } from './guards/passing-states.ts';
import { findRemoved } from './removed-endpoints.ts';
import { createMethodTable } from './request.ts';

/** Maps all errors to HTTP answers: RFC 9457 problem documents. */
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

/** Answers with the problem document of an error and logs failures of the server. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const apiError = soften(toApiError(error), request);
  // Only failures of the server: refusals are normal, and their cause may contain the caller's body.
  if (isServerFailure(apiError)) request.log.error({ err: error, code: apiError.code }, 'request failed');
  if (cutStream(apiError, request, reply)) return reply;
  if (apiError.retryAfterS !== undefined) void reply.header('retry-after', String(apiError.retryAfterS));
  if (apiError.code === 'unauthenticated' || apiError.code === 'page_key_missing')
    void reply.header('www-authenticate', 'Bearer');
  // The request id is in a header only, so that the 404 of a forbidden and of an unknown thing have equal bodies.
  return reply
    .code(apiError.status)
    .type('application/problem+json')
    .send(toProblem(errorFor(request.principal, apiError)));
}

/** A 5xx without a cause ("stopping", "no space") is an answer; an internal error or one with a cause is a failure. */
function isServerFailure({ status, code, cause }: ApiError): boolean {
  return (status >= 500 || code === 'upload_locked') && (code === 'internal' || cause !== undefined);
}

const fastifyCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_ROUTE_NOT_FOUND: 'not_found',
};

const storeCodes: Partial<Record<StoreErrorCode, ErrorCode>> = {
  store_constraint: 'internal',
  store_full: 'database_full',
  store_damaged: 'database_damaged',
};

/** The error for the caller. Texts of unexpected errors stay in the log. */
export function toApiError(thrown: unknown): ApiError {
  const error = toNameTaken(thrown);
  if (error instanceof ApiError) return error;
  if (error instanceof StoreConflict) return new ApiError('invalid_state', { cause: error });
  if (error instanceof StoreError) {
    return new ApiError(storeCodes[error.code] ?? 'database_unavailable', { cause: error });
  }
  const { code, statusCode, message, hint } = (error ?? {}) as Record<string, unknown>;
  const known = typeof code === 'string' ? code : '';
  if (error instanceof CopyError && isErrorCode(error.code)) return fromCopy(error, error.code);
  if (isErrorCode(known)) return fromDomain(known, { message, hint, cause: error });
  const mapped = fastifyCodes[known];
  if (mapped) return new ApiError(mapped, { cause: error });
  // Other errors of the parser are the caller's: invalid JSON, length or percent-encoding.
  const isCallers = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return new ApiError(isCallers ? 'malformed_request' : 'internal', { cause: error });
}

/** The engine names the file at the end of its message. */
function fromCopy(error: CopyError, code: ErrorCode): ApiError {
  const { path, message: located, hint } = error;
  if (path === null) return new ApiError(code, { message: located, hint, cause: error });
  const message = located.slice(0, -`: ${path}`.length);
  return new LocatedError(code, { message, located, hint, cause: error });
}

/** Errors of the other libraries have codes of the same registry and texts for the caller. */
function fromDomain(code: ErrorCode, error: { message: unknown; hint: unknown; cause: unknown }): ApiError {
  return new ApiError(code, {
    cause: error.cause,
    ...(typeof error.message === 'string' ? { message: error.message } : {}),
    ...(typeof error.hint === 'string' ? { hint: error.hint } : {}),
  });
}
