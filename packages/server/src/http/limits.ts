import { ApiError } from '@wcc/api';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { createAttempts } from '../access/attempts.ts';
import { networkOf } from '../config/address-range.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The limit that counts calls of this route. */
    limit?: LimitName;
  }
}

/** `creation`: all requests that create a record. */
export type LimitName = 'signIn' | 'ticket' | 'creation';

/**
 * Calls per minute. Sign-in: limits the requests of one client network; guesses at a password are counted where it
 * is checked. Ticket: one for each reconnect of each open page. Creation: stops a program in a loop from filling the
 * store.
 */
const perMinute = {
  signIn: 60,
  ticket: 300,
  creation: 120,
  creationByAdminToken: 6000,
};

/** Rate limits by route; a route names its limit: `config: { limit: 'creation' }`. They count before the body is read. */
export async function registerLimits(app: FastifyInstance, { access }: { access: Access }): Promise<void> {
  await app.register(rateLimit, { global: false });
  const limiters: Record<LimitName, Limiter> = {
    signIn: createLimiter(app, {
      max: perMinute.signIn,
      keyOf: ({ clientAddress }) => networkOf(clientAddress),
      onFirst: ({ clientAddress }) => access.recordSignInLimit(clientAddress),
    }),
    ticket: createLimiter(app, { max: perMinute.ticket, keyOf: principalOf }),
    creation: createLimiter(app, { max: creationsPerMinute, keyOf: principalOf }),
  };
  app.addHook('onRequest', async (request) => {
    const { limit } = request.routeOptions.config;
    if (limit !== undefined) await limiters[limit](request);
  });
}

function creationsPerMinute({ principal }: FastifyRequest): number {
  return principal?.kind === 'admin-token' ? perMinute.creationByAdminToken : perMinute.creation;
}

function principalOf(request: FastifyRequest): string {
  return request.principal?.sessionKey ?? networkOf(request.clientAddress);
}

type Limiter = (request: FastifyRequest) => Promise<void>;

interface LimiterOptions {
  max: number | ((request: FastifyRequest) => number);
  keyOf: (request: FastifyRequest) => string;
  /** Called for the first refusal of a key in a minute. */
  onFirst?: (request: FastifyRequest) => Promise<void>;
}

function createLimiter(app: FastifyInstance, { max, keyOf, onFirst }: LimiterOptions): Limiter {
  const count = app.createRateLimit({ max, timeWindow: 60_000, keyGenerator: keyOf });
  const refusals = createAttempts({ max: 0, now: () => performance.now() });
  return async (request) => {
    const state = await count(request);
    if (state.isAllowed || !state.isExceeded) return;
    if (refusals.take(keyOf(request))?.isFirst === true) await onFirst?.(request);
    throw new ApiError('rate_limited', { retryAfterS: state.ttlInSeconds });
  };
}
