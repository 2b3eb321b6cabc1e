import { firstBootProfile, routes } from '@wcc/api';
import type { FirstBootProfile } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../../access/access.ts';
import { assertPrincipal } from '../credentials.ts';
import { parseBody } from '../parse.ts';

/** The first-boot profile of the signed-in user. */
export function registerFirstBootProfile(app: FastifyInstance, { access }: { access: Access }): void {
  app.get(routes.profile(), async (request): Promise<FirstBootProfile> => {
    return access.profiles.read(assertPrincipal(request));
  });
  app.put(
    routes.profile(),
    { config: { right: 'profile.change' } },
    async (request): Promise<FirstBootProfile> => {
      return access.profiles.change(assertPrincipal(request), parseBody(firstBootProfile, request));
    },
  );
}
