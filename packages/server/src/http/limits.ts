import { ApiError } from '@wcc/api';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The limit that counts calls of this route. */
    limit?: LimitName;
  }
}

/** `creation`: all requests that create a record. */
export type LimitName = 'signIn' | 'ticket' | 'creation';

/**
 * Calls per minute. Sign-in: limits the cost of hashing and the speed of guessing. Ticket: one for each reconnect
 * of each open page. Creation: stops a program in a loop from filling the store.
 */
const perMinute = {
  signInByAddress: 60,
  signInByName: 15,
  ticket: 300,
  creation: 120,
  creationByAdminToken: 6000,
};

/** Rate limits by route; a route names its limit: `config: { limit: 'creation' }`. */
export async function registerLimits(app: FastifyInstance): Promise<void> {
  await app.register(rateLimit, { global: false });
  const limiters: Record<LimitName, ((request: FastifyRequest) => Promise<void>)[]> = {
    signIn: [
      createLimiter(app, perMinute.signInByAddress, (request) => request.clientAddress),
      // Against guesses at one name from many addresses.
      createLimiter(app, perMinute.signInByName, nameOf),
    ],
    ticket: [createLimiter(app, perMinute.ticket, principalOf)],
    creation: [createLimiter(app, (request) => creationsPerMinute(request), principalOf)],
  };
  app.addHook('preHandler', async (request) => {
    const { limit } = request.routeOptions.config;
    if (limit === undefined) return;
    for (const check of limiters[limit]) await check(request);
  });
}

function creationsPerMinute({ principal }: FastifyRequest): number {
  return principal?.kind === 'admin-token' ? perMinute.creationByAdminToken : perMinute.creation;
}

function principalOf(request: FastifyRequest): string {
  return request.principal?.sessionKey ?? request.clientAddress;
}

/** The user name of a sign-in, or the name of the signed-in user. */
function nameOf({ body, principal }: FastifyRequest): string {
  const name = (body as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? name.slice(0, 64) : (principal?.userName ?? '');
}

function createLimiter(
  app: FastifyInstance,
  max: number | ((request: FastifyRequest) => number),
  keyGenerator: (request: FastifyRequest) => string,
): (request: FastifyRequest) => Promise<void> {
  const count = app.createRateLimit({ max, timeWindow: 60_000, keyGenerator });
  return async (request) => {
    const state = await count(request);
    if (state.isAllowed || !state.isExceeded) return;
    throw new ApiError('rate_limited', { retryAfterS: state.ttlInSeconds });
  };
}
