import { z } from 'zod';
import type { ErrorEntry } from './error-entry.ts';
import { imageErrors } from './image-errors.ts';
import { machineErrors } from './machine-errors.ts';
import { uploadErrors } from './upload-errors.ts';

/**
 * Every error code that the API or an operation can carry. `docs/errors.md` is checked against this.
 */
export const errorRegistry = {
  malformed_request: {
    status: 400,
    message: 'The request is malformed.',
    hint: 'Send well-formed JSON with the documented fields.',
  },
  invalid_input: {
    status: 422,
    message: 'A field of the request is not acceptable.',
    hint: 'Correct the named field.',
  },
  invalid_name: {
    status: 422,
    message: 'This name cannot be used for an image.',
    hint: 'Use a file name without slashes, control characters or a leading dot, up to 255 bytes.',
  },
  unsupported_media_type: {
    status: 415,
    message: 'The body has the wrong content type.',
    hint: 'Send application/json.',
  },
  payload_too_large: {
    status: 413,
    message: 'The body is too large.',
    hint: 'Send at most 64 KiB.',
  },
  unauthenticated: {
    status: 401,
    message: 'You are not signed in.',
    hint: 'Sign in, or send a bearer token.',
  },
  wrong_credentials: {
    status: 401,
    message: 'The name or the password is wrong.',
    hint: 'Check both; names are lower case.',
  },
  link_used: {
    status: 401,
    message: 'This sign-in link is not valid any more.',
    hint: 'Restart wcc for a new link, or sign in with the password that was set.',
  },
  forbidden: {
    status: 403,
    message: 'You may not do this.',
    hint: 'Ask an administrator.',
  },
  foreign_origin: {
    status: 403,
    message: 'The request comes from another origin.',
    hint: 'Use the console at its own address; behind a proxy set --public-url.',
  },
  foreign_host: {
    status: 403,
    message: 'The request names a host that this server does not answer to.',
    hint: 'Use the address that was printed at the start, or set --public-url.',
  },
  not_found: {
    status: 404,
    message: 'There is no such thing, or you may not see it.',
    hint: 'Check the id.',
  },
  endpoint_removed: {
    status: 410,
    message: 'A newer version of wcc removed this address.',
    hint: 'Upgrade the client.',
  },
  method_not_allowed: {
    status: 405,
    message: 'This address does not take that method.',
    hint: 'See the API documentation.',
  },
  upgrade_required: {
    status: 426,
    message: 'This address speaks WebSocket only.',
    hint: 'Open it with the subprotocol wcc.v1.',
  },
  exists: {
    status: 409,
    message: 'The name is taken.',
    hint: 'Choose another name.',
  },
  invalid_state: {
    status: 409,
    message: 'This is not possible in the present state.',
    hint: 'Look at the state and what it allows.',
  },
  last_admin: {
    status: 409,
    message: 'This is the last administrator.',
    hint: 'Make another user an administrator first.',
  },
  image_unavailable: {
    status: 409,
    message: 'The image cannot be used now.',
    hint: 'See its state; rescan the pool when the file is back.',
  },
  source_in_use: {
    status: 409,
    message: 'A program has the source open for writing.',
    hint: 'Stop the machine or program that uses it, then try again.',
  },
  clone_unsupported: {
    status: 409,
    message: 'The file system cannot share blocks between these files.',
    hint: 'Use the method "auto" or "copy".',
  },
  idempotency_conflict: {
    status: 422,
    message: 'This Idempotency-Key was used with another request.',
    hint: 'Use a new key for a new request.',
  },
  no_space: {
    status: 507,
    message: 'There is not enough free space.',
    hint: 'Make room in the pool or copy a smaller image.',
  },
  quota: {
    status: 507,
    message: "The file system's quota is used up.",
    hint: 'Raise the quota or make room.',
  },
  too_large: {
    status: 422,
    message: 'The file would be larger than the file system allows.',
    hint: 'Use a pool on another file system.',
  },
  permission: {
    status: 403,
    message: 'The file system denies access.',
    hint: 'Give the user that runs wcc read and write access to the pool.',
  },
  read_only: {
    status: 503,
    message: 'The file system is read-only.',
    hint: 'Check the disk, then mount it writable again.',
  },
  pool_unavailable: {
    status: 503,
    message: 'The pool is not available.',
    hint: 'See the reason that is named; nothing was written.',
  },
  not_regular: {
    status: 409,
    message: 'This is not a regular file.',
    hint: 'Only regular files are images; links, pipes and devices are refused.',
  },
  source_changed: {
    status: 409,
    message: 'The source changed while it was copied.',
    hint: 'Try again when nothing writes to it.',
  },
  source_vanished: {
    status: 409,
    message: 'The source file is gone.',
    hint: 'Put it back and rescan the pool.',
  },
  ...imageErrors,
  ...machineErrors,
  io_error: {
    status: 500,
    message: 'The disk reported an input or output error.',
    hint: 'Check the disk (dmesg, SMART), then try again.',
  },
  verify_mismatch: {
    status: 500,
    message: 'The copy read back differs from the source; it was not published.',
    hint: 'Check the disk and the memory of this host.',
  },
  ...uploadErrors,
  server_restarted: {
    status: 500,
    message: 'The server stopped before this could end; nothing half-made remains.',
    hint: 'Start it again.',
  },
  rate_limited: {
    status: 429,
    message: 'Too many requests.',
    hint: 'Wait as long as Retry-After says.',
  },
  too_many_tickets: {
    status: 429,
    message: 'Too many unused tickets.',
    hint: 'Use the tickets you have, or wait 30 s.',
  },
  too_many_watchers: {
    status: 429,
    message: 'You watch from too many places at once.',
    hint: 'Close a page or a program that watches; 16 at once are possible.',
  },
  publisher_lost: {
    status: 504,
    message: 'The program that reported this operation was not heard of any more.',
    hint: 'Look at that program; start it again.',
  },
  database_unavailable: {
    status: 503,
    message: 'The database does not answer; running work goes on.',
    hint: 'Check the disk of the data directory, then restart wcc.',
  },
  starting: {
    status: 503,
    message: 'The server is starting.',
    hint: 'Try again in a moment.',
  },
  shutting_down: {
    status: 503,
    message: 'The server is stopping.',
    hint: 'Try again in a moment.',
  },
  internal: {
    status: 500,
    message: 'Something went wrong in the server.',
    hint: 'See its log under the request id.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;

export const errorCodes = Object.keys(errorRegistry) as ErrorCode[];

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorRegistry, text);
}

/** RFC 9457 problem document, `application/problem+json`. */
export const problem = z.object({
  type: z.string().describe('about:blank'),
  title: z.string(),
  status: z.number(),
  detail: z.string().optional(),
  code: z.string(),
  hint: z.string(),
  field: z.string().optional(),
  requestId: z.string().optional(),
});
export type Problem = z.infer<typeof problem>;

export interface ApiErrorOptions {
  /** Exact words for this case; default: the registry's message. */
  message?: string;
  hint?: string;
  /** The field of the request that is at fault. */
  field?: string;
  /** Seconds, for 429 and 503. */
  retryAfterS?: number;
  cause?: unknown;
}

/** An error that is told to the caller as it is. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly hint: string;
  readonly field: string | undefined;
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, options: ApiErrorOptions = {}) {
    const entry = errorRegistry[code];
    super(options.message ?? entry.message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = entry.status;
    this.hint = options.hint ?? entry.hint;
    this.field = options.field;
    this.retryAfterS = options.retryAfterS;
  }
}

/** The problem document of an error. */
export function toProblem(error: ApiError): Problem {
  return {
    type: 'about:blank',
    title: errorRegistry[error.code].message,
    status: error.status,
    detail: error.message,
    code: error.code,
    hint: error.hint,
    ...(error.field === undefined ? {} : { field: error.field }),
  };
}
