import { ApiError } from '@wcc/api';

/** An endpoint of an earlier release, so that its clients get the reason instead of a bare 404. */
interface RemovedEndpoint {
  method: string;
  pattern: RegExp;
  removedIn: string;
  useInstead: string;
}

const removed: readonly RemovedEndpoint[] = [
  {
    method: 'GET',
    pattern: /^\/api\/pools\/[^/]+\/remains$/,
    removedIn: '0.2.0',
    useInstead: 'GET /api/pools/{id}/orphans',
  },
  {
    method: 'DELETE',
    pattern: /^\/api\/pools\/[^/]+\/remains\/[^/]+$/,
    removedIn: '0.2.0',
    useInstead: 'DELETE /api/pools/{id}/orphans/{orphan}',
  },
];

/** The answer to a request for an endpoint of an earlier release; null for any other request. */
export function findRemoved(method: string, path: string): ApiError | null {
  const found = removed.find((endpoint) => endpoint.method === method && endpoint.pattern.test(path));
  if (found === undefined) return null;
  return new ApiError('endpoint_removed', {
    message: `wcc ${found.removedIn} removed this address.`,
    hint: `Upgrade the client, or use ${found.useInstead}.`,
  });
}
