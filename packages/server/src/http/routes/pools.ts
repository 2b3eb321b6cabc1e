import type { PoolList, RemainsList, RescanResult } from '@wcc/api';
import { routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Images } from '../../images/images.ts';
import { assertPrincipal } from '../credentials.ts';

/** The directories in which images live, and what copies left in them. */
export function registerPools(app: FastifyInstance, { images }: { images: Images }): void {
  const one = `${routes.pools()}/:id`;
  app.get(routes.pools(), async (request): Promise<PoolList> => {
    return images.pools(assertPrincipal(request));
  });
  app.post<WithId>(
    `${one}/rescan`,
    { config: { limit: 'creation' } },
    async (request): Promise<RescanResult> => {
      return images.rescan(assertPrincipal(request), request.params.id);
    },
  );
  app.get<WithId>(`${one}/remains`, async (request): Promise<RemainsList> => {
    return images.remains(assertPrincipal(request), request.params.id);
  });
  app.delete<{ Params: { id: string; remain: string } }>(`${one}/remains/:remain`, async (request, reply) => {
    const { id, remain } = request.params;
    await images.removeRemains(assertPrincipal(request), id, remain);
    return reply.code(204).send();
  });
}

interface WithId {
  Params: { id: string };
}
