import type { Problem } from '../errors/errors.ts';
import type { ApiResponse } from './fetch.ts';

/** Codes of the client itself; the server never sends them. `upgrade_blocked` is the console's. */
export type ClientErrorCode = 'unreachable' | 'foreign_answer' | 'version_mismatch' | 'upgrade_blocked';

/**
 * A refusal by the server (`status` ≥ 400), or an answer that the client does not understand. The codes
 * `foreign_answer` and `version_mismatch` have the status of that answer. Without an answer, `status` is 0 and
 * `code` is `unreachable`.
 */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly field: string | null;
  readonly retryAfterS: number | null;

  constructor(problem: Problem, options: { retryAfterS?: number | null; cause?: unknown } = {}) {
    super(problem.detail ?? problem.title, options.cause === undefined ? {} : { cause: options.cause });
    this.status = problem.status;
    this.code = problem.code;
    this.hint = problem.hint;
    this.field = problem.field ?? null;
    this.retryAfterS = options.retryAfterS ?? null;
  }
}

/** Reads the problem of an answer, for requests outside the client. */
export async function readProblem(response: Omit<ApiResponse, 'ok'>): Promise<ApiProblem> {
  const retryAfterS = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  const wait = Number.isNaN(retryAfterS) ? null : retryAfterS;
  try {
    const body = (await response.json()) as Problem;
    if (typeof body.code === 'string') return new ApiProblem(body, { retryAfterS: wait });
  } catch {
    // Not JSON: a proxy answered with its own page.
  }
  return foreignAnswer(response.status, wait);
}

/** The problem for an answer of another program, or of a version of wcc that this client does not know. */
export function foreignAnswer(status: number, retryAfterS: number | null = null): ApiProblem {
  const title = `The server, or a proxy before it, answered ${status}${status < 400 ? ' with unknown content' : ''}.`;
  const hint = 'Check the address and the proxy.';
  return new ApiProblem(
    { type: 'about:blank', title, status, code: 'foreign_answer', hint },
    { retryAfterS },
  );
}
