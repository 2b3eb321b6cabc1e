import type { Problem } from '../errors/errors.ts';

export interface ApiClientOptions {
  /** Origin of the server, without a trailing slash. @default '' (the page's own origin) */
  baseUrl?: string;
  /** Bearer token for programs; browsers use the session cookie. */
  token?: string;
  /** @default globalThis.fetch */
  fetch?: typeof globalThis.fetch;
  /** Time limit of one request in milliseconds. @default 15000 */
  timeoutMs?: number;
}

/** A refusal by the server (`status` ≥ 400) or, with status 0 and code `unreachable`, by the network. */
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

export interface RequestOptions {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  /** Gives the request up, and with it the connection that it waits on. */
  signal?: AbortSignal;
}

export type Send = <Result>(method: string, path: string, options?: RequestOptions) => Promise<Result>;

/** Makes the one function that every call of the client goes through. */
export function createSend(options: ApiClientOptions): Send {
  const { baseUrl = '', token, timeoutMs = 15_000 } = options;
  const doFetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  return async <Result>(method: string, path: string, request: RequestOptions = {}): Promise<Result> => {
    const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await doFetch(baseUrl + path + queryString(request.query), {
        method,
        headers,
        signal: AbortSignal.any([
          AbortSignal.timeout(timeoutMs),
          ...(request.signal ? [request.signal] : []),
        ]),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
    } catch (cause) {
      throw new ApiProblem(unreachable, { cause });
    }
    if (!response.ok) throw await readProblem(response);
    if (response.status === 204) return undefined as Result;
    return (await response.json()) as Result;
  };
}

const unreachable: Problem = {
  type: 'about:blank',
  title: 'The server cannot be reached.',
  status: 0,
  code: 'unreachable',
  hint: 'Check the network; work on the server goes on.',
};

function queryString(query: RequestOptions['query']): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()}`;
}

/** The refusal in an answer, for requests that do not go through the client. */
export async function readProblem(response: Response): Promise<ApiProblem> {
  const retryAfterS = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  const wait = Number.isNaN(retryAfterS) ? null : retryAfterS;
  try {
    const body = (await response.json()) as Problem;
    if (typeof body.code === 'string') return new ApiProblem(body, { retryAfterS: wait });
  } catch {
    // Not ours: a proxy in between answered with a page of its own. Told below by its status.
  }
  const title = `The server, or a proxy before it, answered ${response.status}.`;
  const hint = 'Check the address and the proxy.';
  return new ApiProblem(
    { type: 'about:blank', title, status: response.status, code: 'foreign_answer', hint },
    { retryAfterS: wait },
  );
}

/** The same key gives the same operation, however often the request is sent. */
export function keyHeader(key: string | undefined): { headers?: Record<string, string> } {
  return key === undefined ? {} : { headers: { 'idempotency-key': key } };
}
