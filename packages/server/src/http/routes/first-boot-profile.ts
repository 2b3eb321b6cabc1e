import { firstBootProfile, routes } from '@wcc/api';
import type { FirstBootProfile } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../../access/access.ts';
import { requirePrincipal } from '../credentials.ts';
import { parseBody } from '../parse.ts';

/** The first-boot profile of the signed-in user. */
export function registerFirstBootProfile(app: FastifyInstance, { access }: { access: Access }): void {
  app.get(routes.profile(), async (request): Promise<FirstBootProfile> => {
    return access.profiles.read(requirePrincipal(request));
  });
  app.put(routes.profile(), async (request): Promise<FirstBootProfile> => {
    return access.profiles.change(requirePrincipal(request), parseBody(firstBootProfile, request));
  });
}
