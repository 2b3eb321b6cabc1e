import { ApiError } from '@wcc/api';
import type { ApiErrorOptions, ErrorCode } from '@wcc/api';
import type { Principal } from './principal.ts';
import { can } from './rules.ts';

export interface LocatedErrorOptions extends ApiErrorOptions {
  message: string;
  /** The message with paths of the host. */
  located: string;
}

/** An error whose message for most callers has no paths of the host. Records of operations keep that message. */
export class LocatedError extends ApiError {
  readonly #located: string;

  constructor(code: ErrorCode, { located, ...options }: LocatedErrorOptions) {
    super(code, options);
    this.#located = located;
  }

  /** The same error with its paths. */
  locate(): ApiError {
    const { code, hint, field, retryAfterS, cause } = this;
    const shared = { message: this.#located, hint, cause };
    return new ApiError(code, {
      ...shared,
      ...(field === undefined ? {} : { field }),
      ...(retryAfterS === undefined ? {} : { retryAfterS }),
    });
  }
}

/** The error as this caller may see it. A request with a malformed address has no caller. */
export function errorFor(principal: Principal | null | undefined, error: ApiError): ApiError {
  if (!(error instanceof LocatedError)) return error;
  return principal && can(principal, 'pool.locate') ? error.locate() : error;
}
