import { z } from 'zod';
import { errorRegistry } from './registry.ts';
import type { ErrorCode } from './registry.ts';

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
  /** The exact message of this case. @default the registry's message */
  message?: string;
  hint?: string;
  /** The invalid field of the request. */
  field?: string;
  /** Seconds until the client may retry, for 429 and 503. */
  retryAfterS?: number;
  cause?: unknown;
}

/** An error with a message and a hint for the caller. */
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
