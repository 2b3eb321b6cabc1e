import type { Problem } from '../errors/errors.ts';
import type { ApiFetch, ApiResponse } from './fetch.ts';
import { ApiProblem, foreignAnswer, readProblem } from './problem.ts';
import { explainProblem } from './versions.ts';

export interface ApiClientOptions {
  /** Origin of the server, without a trailing slash. @default '' (the page's own origin) */
  baseUrl?: string;
  /** Bearer token for programs; browsers use the session cookie. */
  token?: string;
  /** @default globalThis.fetch */
  fetch?: ApiFetch;
  /** Time limit of one request in milliseconds. @default 15000 */
  timeoutMs?: number;
  /** Hint of `version_mismatch`. @default a hint that names the side to upgrade */
  versionHint?: string;
}

export interface RequestOptions {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  /** Aborts the request. */
  signal?: AbortSignal;
  /** A field that every answer to this request has. The client rejects an answer without this field. */
  has?: string;
  /** A status of failure that is an answer too, unless its body is a problem. */
  alsoOn?: number;
}

/** @throws ApiProblem */
export type Send = <Result>(method: string, path: string, options?: RequestOptions) => Promise<Result>;

/** Creates the function that sends every request of the client. */
export function createSend(options: ApiClientOptions): Send {
  const get = (path: string): Promise<ApiResponse> => ask(options, { method: 'GET', path });
  return async <Result>(method: string, path: string, request: RequestOptions = {}): Promise<Result> => {
    const response = await ask(options, { method, path, ...request });
    const { versionHint: hint } = options;
    if (!response.ok && !isAnswer(response, request))
      throw await explainProblem(await readProblem(response), response, { get, hint });
    if (response.status === 204) return undefined as Result;
    const body = await readJson(response);
    if (isUnderstood(body, request.has)) return body as Result;
    throw await explainProblem(foreignAnswer(response.status), response, { get, hint });
  };
}

/** Null when the body is not JSON. @throws ApiProblem `unreachable` when the connection breaks */
async function readJson(response: ApiResponse): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw new ApiProblem(unreachable, { cause });
  }
}

function isAnswer({ status, headers }: ApiResponse, { alsoOn }: RequestOptions): boolean {
  return status === alsoOn && headers.get('content-type')?.startsWith('application/json') === true;
}

function isUnderstood(body: unknown, has: string | undefined): boolean {
  return typeof body === 'object' && body !== null && (has === undefined || Object.hasOwn(body, has));
}

async function ask(
  { baseUrl = '', token, timeoutMs = 15_000, fetch: given }: ApiClientOptions,
  { method, path, ...request }: RequestOptions & { method: string; path: string },
): Promise<ApiResponse> {
  const doFetch = given ?? globalThis.fetch.bind(globalThis);
  const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  const signals = [AbortSignal.timeout(timeoutMs), ...(request.signal ? [request.signal] : [])];
  try {
    return await doFetch(baseUrl + path + queryString(request.query), {
      method,
      headers,
      signal: AbortSignal.any(signals),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
  } catch (cause) {
    throw new ApiProblem(unreachable, { cause });
  }
}

const unreachable: Problem = {
  type: 'about:blank',
  title: 'The server does not answer.',
  status: 0,
  code: 'unreachable',
  hint: 'Check the network. Operations on the server continue.',
};

function queryString(query: RequestOptions['query']): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()}`;
}

/** The same key gives the same operation, however often the request is sent. */
export function keyHeader(key: string | undefined): { headers?: Record<string, string> } {
  return key === undefined ? {} : { headers: { 'idempotency-key': key } };
}
