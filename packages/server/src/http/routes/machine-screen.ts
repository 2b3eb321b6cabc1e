import { ApiError, routes, serialQuery } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import type { Machines } from '../../machines/machines.ts';
import { sharedLimits } from '@wcc/progress/server';
import { assertPrincipal, assertStillAllowed } from '../credentials.ts';
import { allowQuietAnswer } from '../guards/quiet-answer.ts';
import { vmIdOf } from '../request.ts';
import { parseQuery } from '../parse.ts';

type Request = FastifyRequest<{ Params: { id: string } }>;

const followersPerUser = 8;
/** See `serialQuery`. */
const defaultTailBytes = 65_536;

/** The serial log of a machine, whole or followed, and a screenshot. */
export function registerMachineScreen(app: FastifyInstance, { machines }: { machines: Machines }): void {
  const one = `${routes.vms()}/:id`;
  const followers = new Set<AbortController>();
  const limits = sharedLimits(followersPerUser);
  app.addHook('preClose', async () => {
    for (const follower of followers) follower.abort();
  });

  async function follow(request: Request, reply: FastifyReply, tail?: number): Promise<FastifyReply> {
    const principal = assertPrincipal(request);
    const leave = limits.acquire(principal.userId);
    if (leave === null) throw new ApiError('too_many_watchers');
    const follower = new AbortController();
    const { signal } = follower;
    followers.add(follower);
    signal.addEventListener('abort', () => {
      followers.delete(follower);
      leave();
    });
    // Before the first await, so that an end of the rights or a disconnect during it is not missed.
    const { openConnection } = request;
    openConnection?.signal.addEventListener('abort', () => follower.abort());
    reply.raw.once('close', () => follower.abort());
    // The guest writes, whether anyone reads it or not.
    if (openConnection !== null) openConnection.use = 'nothing';
    const options = { signal, ...(tail === undefined ? {} : { tailBytes: tail }) };
    const log = await machines.followSerial(principal, vmIdOf(request), options).catch((error: unknown) => {
      follower.abort();
      throw error;
    });
    assertStillAllowed(request);
    reply.raw.once('close', allowQuietAnswer(request.raw.socket));
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
