import type { Health } from '../access.ts';
import { routes } from '../routes.ts';
import { version, versionHeader } from '../version.ts';
import type { ApiResponse } from './fetch.ts';
import { ApiProblem } from './problem.ts';

/** Codes that a client of the server's own version does not get from it. */
const unexpected: ReadonlySet<string> = new Set([
  'endpoint_removed',
  'method_not_allowed',
  'malformed_request',
  'foreign_answer',
]);

export interface VersionCheck {
  /** Sends a GET request without a body to the server. */
  get: (path: string) => Promise<ApiResponse>;
  /** Hint for the user of this client. @default a hint that names the side to upgrade */
  hint?: string | undefined;
}

/**
 * Explains an answer that this client does not understand. If server and client have different versions, the problem
 * becomes `version_mismatch` and names both versions. An unknown id keeps its code; its hint says that the versions
 * differ, because a server answers `not_found` for an unknown address too.
 */
export async function explainProblem(
  problem: ApiProblem,
  response: ApiResponse,
  { get, hint }: VersionCheck,
): Promise<ApiProblem> {
  if (!unexpected.has(problem.code) && problem.code !== 'not_found') return problem;
  const server = response.headers.get(versionHeader) ?? (await askVersion(get));
  if (server === null || server === version) return problem;
  const { status, field, retryAfterS } = problem;
  const differ = `The server is wcc ${server}, and this program is wcc ${version}.`;
  if (problem.code === 'not_found')
    return new ApiProblem(
      { ...base, title: problem.message, status, code: problem.code, hint: `${problem.hint} ${differ}` },
      { retryAfterS, cause: problem },
    );
  const document = {
    ...base,
    title: differ,
    status,
    code: 'version_mismatch',
    hint: hint ?? whatToUpgrade(server),
  };
  return new ApiProblem(field === null ? document : { ...document, field }, { cause: problem });
}

const base = { type: 'about:blank' } as const;

function whatToUpgrade(server: string): string {
  return isNewer(server, version)
    ? `Upgrade this program to ${server}.`
    : `Upgrade the server to ${version}, or use this program in version ${server}.`;
}

function isNewer(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { numeric: true }) > 0;
}

/** Null: not a wcc server, or it does not answer now. */
async function askVersion(get: VersionCheck['get']): Promise<string | null> {
  try {
    const { status, version: found } = (await (await get(routes.health())).json()) as Partial<Health>;
    return (status === 'ok' || status === 'degraded') && typeof found === 'string' ? found : null;
  } catch {
    return null;
  }
}
