import { ApiError, routes, serialQuery } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { isRevoked } from '../../access/access.ts';
import type { Access } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import type { Machines } from '../../machines/machines.ts';
import { createPlaces } from '@wcc/progress/server';
import { assertPrincipal } from '../credentials.ts';
import { scheduleExpiry } from '../principal-expiry.ts';
import { vmIdOf } from '../request.ts';
import { parseQuery } from '../parse.ts';

type Request = FastifyRequest<{ Params: { id: string } }>;

const followersPerUser = 8;
/** See `serialQuery`. */
const defaultTailBytes = 65_536;

interface Follower {
  principal: Principal;
  controller: AbortController;
}

/** The serial log of a machine, whole or followed, and a screenshot. */
export function registerMachineScreen(
  app: FastifyInstance,
  { machines, access }: { machines: Machines; access: Access },
): void {
  const one = `${routes.vms()}/:id`;
  const followers = new Set<Follower>();
  const places = createPlaces(followersPerUser);
  access.onRevoked((revocation) => {
    for (const { principal, controller } of followers)
      if (isRevoked(revocation, principal)) controller.abort();
  });
  app.addHook('preClose', async () => {
    for (const { controller } of followers) controller.abort();
  });

  async function follow(request: Request, reply: FastifyReply, tail?: number): Promise<FastifyReply> {
    const principal = assertPrincipal(request);
    const leave = places.acquire(principal.userId);
    if (leave === null) throw new ApiError('too_many_watchers');
    const follower = { principal, controller: new AbortController() };
    const { signal } = follower.controller;
    // Before the first await, so that a revocation or a disconnect during it is not missed.
    followers.add(follower);
    const forgetExpiry = scheduleExpiry(principal, () => follower.controller.abort());
    signal.addEventListener('abort', () => {
      forgetExpiry();
      followers.delete(follower);
      leave();
    });
    reply.raw.once('close', () => follower.controller.abort());
    const options = { signal, ...(tail === undefined ? {} : { tailBytes: tail }) };
    const log = await machines.followSerial(principal, vmIdOf(request), options).catch((error: unknown) => {
      follower.controller.abort();
      throw error;
    });
    if (signal.aborted) throw new ApiError('unauthenticated');
    const stream = Readable.from(log, { objectMode: false });
    return reply.type('text/plain; charset=utf-8').send(stream);
  }

  app.get(`${one}/serial`, async (request: Request, reply) => {
    const { tail, follow: isFollowing } = parseQuery(serialQuery, request);
    if (isFollowing) return follow(request, reply, tail);
    const log = await machines.serial(assertPrincipal(request), vmIdOf(request));
    return reply
      .type('text/plain; charset=utf-8')
      .send(log.subarray(Math.max(0, log.length - (tail ?? defaultTailBytes))));
  });
  app.get(`${one}/screenshot`, async (request: Request, reply) => {
    const png = await machines.screenshot(assertPrincipal(request), vmIdOf(request));
    return reply.type('image/png').send(png);
  });
}
