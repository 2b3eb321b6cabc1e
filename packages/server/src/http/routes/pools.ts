import type { PoolList, OrphanList, RescanResult } from '@wcc/api';
import { routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Images } from '../../images/images.ts';
import { assertPrincipal } from '../credentials.ts';
import type { WithId } from '../request.ts';

/** Pools: the directories of the images, and the orphans in them. */
export function registerPools(app: FastifyInstance, { images }: { images: Images }): void {
  const one = `${routes.pools()}/:id`;
  app.get(routes.pools(), async (request): Promise<PoolList> => {
    return images.pools(assertPrincipal(request));
  });
  app.post<WithId>(
    `${one}/rescan`,
    { config: { limit: 'creation', right: 'pool.rescan' } },
    async (request): Promise<RescanResult> => {
      return images.rescan(assertPrincipal(request), request.params.id);
    },
  );
  app.get<WithId>(`${one}/orphans`, async (request): Promise<OrphanList> => {
    return images.orphans(assertPrincipal(request), request.params.id);
  });
  app.delete<{ Params: { id: string; orphan: string } }>(`${one}/orphans/:orphan`, async (request, reply) => {
    const { id, orphan } = request.params;
    await images.removeOrphan(assertPrincipal(request), id, orphan);
    return reply.code(204).send();
  });
}
