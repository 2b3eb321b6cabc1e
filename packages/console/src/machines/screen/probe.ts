import { ApiProblem, readProblem } from '@wcc/api/client';
import type { App } from '../../app/app.ts';

const upgradeRequired = 426;

/**
 * Asks the address of a socket with a plain request. wcc answers 426: then the request arrives, and something on the way
 * drops the upgrade. Any other refusal is the reason. @throws ApiProblem when a retry would not help
 */
export async function probeSocket(app: Pick<App, 'fetch'>, path: string, signal: AbortSignal): Promise<void> {
  const response = await app.fetch(path, { signal });
  const problem = await readProblem(response);
  const isOwn = problem.status === upgradeRequired && problem.code === 'upgrade_required';
  throw isOwn ? upgradeBlocked() : problem;
}

function upgradeBlocked(): ApiProblem {
  return new ApiProblem({
    type: 'about:blank',
    title: 'A proxy between this browser and wcc does not forward WebSocket connections.',
    status: upgradeRequired,
    code: 'upgrade_blocked',
    hint: 'Let the proxy forward upgrades for every path below /api, as docs/proxies.md shows.',
  });
}
