import { eventCases, eventRevocationCases } from './event-cases.ts';
import { handshakeCases } from './handshake-cases.ts';
import type { ConformanceCase, ConformanceTarget } from './target.ts';
import { revocationCases, sessionCases, watchingCases } from './watching-cases.ts';

/**
 * The rules of `wcc.v1` (docs/protocol.md) as cases against a running server, written in any language. Cases for
 * optional members of the target (`revoke`, `endSession`, `events`) are left out if the target has none.
 *
 * @returns independent cases; run them one at a time
 *
 * @example
 * for (const { name, run } of gatewayConformance(target)) test(name, run);
 */
export function gatewayConformance(target: ConformanceTarget): readonly ConformanceCase[] {
  const hasEvents = target.events !== undefined;
  const canRevoke = target.revoke !== undefined;
  const checks = {
    ...handshakeCases,
    ...watchingCases,
    ...(canRevoke && revocationCases),
    ...(hasEvents && eventCases),
    ...(hasEvents && canRevoke && eventRevocationCases),
    ...(target.endSession !== undefined && sessionCases),
  };
  return Object.entries(checks).map(([name, check]) => ({ name, run: () => check(target) }));
}
