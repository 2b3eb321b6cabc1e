import type { ErrorCode } from '@wcc/api';
import { ApiError } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cutSocket } from '../cut-socket.ts';
import { isApiRequest } from '../request.ts';

/**
 * What the server does now. While it is `starting`, requests are held and none arrives here; while it is
 * `stopping` or the database is away, {@link registerPassingStates} answers.
 */
export type ServerState = 'starting' | 'ready' | 'stopping' | 'database_unavailable';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A stock tus client takes a failure here for the end of its upload, but asks again after 423. */
    isUpload?: boolean;
  }
}

const codes = {
  starting: 'starting',
  stopping: 'shutting_down',
  database_unavailable: 'database_unavailable',
} as const satisfies Record<Exclude<ServerState, 'ready'>, ErrorCode>;
const passing: ReadonlySet<ErrorCode> = new Set(Object.values(codes));

export interface PassingStatesDeps {
  state: () => ServerState;
  /** How long an event stream waits for the server. @default 30000 */
  holdMs?: number;
}

/** Refuses all requests to the API unless the server is ready. Event streams wait. */
export function registerPassingStates(
  app: FastifyInstance,
  { state, holdMs = 30_000 }: PassingStatesDeps,
): void {
  app.addHook('onRequest', async (request) => {
    if (state() === 'ready' || !isApiRequest(request)) return;
    if (isStream(request)) await readyWithin(holdMs, state, request.raw.socket);
    const now = state();
    if (now !== 'ready') throw new ApiError(codes[now], { retryAfterS: 1 });
  });
}

const stepMs = 100;

async function readyWithin(holdMs: number, state: () => ServerState, socket: Socket): Promise<void> {
  for (let waitedMs = 0; waitedMs < holdMs && !socket.destroyed && state() !== 'ready'; waitedMs += stepMs)
    await sleep(stepMs, undefined, { ref: false });
}

/**
 * The answer to a failure that passes, for clients that would take the usual one for final: an event source closes for
 * good after any answer except 200, and a tus client forgets its upload after any 5xx.
 */
export function soften(error: ApiError, { method, routeOptions }: FastifyRequest): ApiError {
  const isLost = passing.has(error.code) || (method === 'HEAD' && error.status >= 500);
  if (routeOptions.config.isUpload !== true || !isLost) return error;
  const { message, hint, cause, retryAfterS = 1 } = error;
  return new ApiError('upload_locked', { message, hint, retryAfterS, cause });
}

/** Cuts the connection of an event stream instead of an answer. @returns false for other requests and errors */
export function cutStream(error: ApiError, request: FastifyRequest, reply: FastifyReply): boolean {
  if (!isStream(request) || !passing.has(error.code)) return false;
  reply.hijack();
  cutSocket(request.raw.socket);
  return true;
}

const isStream = ({ routeOptions }: FastifyRequest): boolean => routeOptions.config.isStream === true;
