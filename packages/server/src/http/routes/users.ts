import type { User, UserList } from '@wcc/api';
import { changeUserRequest, createUserRequest, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../../access/access.ts';
import { assertRequestRight } from '../credentials.ts';
import { parseBody } from '../parse.ts';

/** Users, for administrators. */
export function registerUsers(app: FastifyInstance, { access }: { access: Access }): void {
  app.get(routes.users(), async (request): Promise<UserList> => {
    assertRequestRight(request, 'user.see');
    return { items: await access.users.list() };
  });
  app.post(
    routes.users(),
    { config: { limit: 'creation', right: 'user.manage' } },
    async (request, reply): Promise<User> => {
      const principal = assertRequestRight(request, 'user.manage');
      const user = await access.users.create(principal, parseBody(createUserRequest, request));
      void reply.code(201).header('location', routes.user(user.id));
      return user;
    },
  );
  const manages = { config: { right: 'user.manage' } } as const;
  app.patch<{ Params: { id: string } }>(`${routes.users()}/:id`, manages, async (request): Promise<User> => {
    const principal = assertRequestRight(request, 'user.manage');
    return access.users.change(principal, request.params.id, parseBody(changeUserRequest, request));
  });
}
