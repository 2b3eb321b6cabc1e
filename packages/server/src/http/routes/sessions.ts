import type { NewSession, Session } from '@wcc/api';
import { ApiError, changePasswordRequest, firstSignInRequest, routes, signInRequest } from '@wcc/api';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Access } from '../../access/access.ts';
import type { SignedIn } from '../../access/first-sign-in.ts';
import { sessionAbsoluteMs } from '../../access/sessions.ts';
import { assertPrincipal } from '../credentials.ts';
import { parseBody } from '../parse.ts';
import type { SessionCookie } from '../session-cookie.ts';

export interface SessionRoutesDeps {
  access: Access;
  cookie: SessionCookie;
  version: string;
}

/** Sign-in, sign-out and password change. */
export function registerSessions(app: FastifyInstance, deps: SessionRoutesDeps): void {
  const { access, cookie, version } = deps;
  const limited = { config: { limit: 'signIn', signsIn: true } } as const;

  function welcome(reply: FastifyReply, { session, user }: SignedIn): NewSession {
    cookie.set(reply, session.secret);
    const { pageKey, expiresAtMs } = session;
    return { user, expiresInMs: expiresAtMs - Date.now(), version, pageKey };
  }
  app.post(routes.session(), limited, async (request, reply) => {
    const signedIn = await access.signIn(parseBody(signInRequest, request), request.clientAddress);
    if (!signedIn) throw new ApiError('wrong_credentials');
    return welcome(reply, signedIn);
  });
  app.post(routes.firstSignIn(), limited, async (request, reply) =>
    welcome(
      reply,
      await access.firstSignIn.redeem(parseBody(firstSignInRequest, request), request.clientAddress),
    ),
  );
  app.get(routes.session(), async (request): Promise<Session> => {
    const { userId, userName, role, expiresAtMs } = assertPrincipal(request);
    const expiresInMs = expiresAtMs === null ? sessionAbsoluteMs : expiresAtMs - Date.now();
    return { user: { id: userId, name: userName, role }, expiresInMs, version };
  });
  app.put(routes.password(), async (request, reply) => {
    await access.changePassword(assertPrincipal(request), parseBody(changePasswordRequest, request));
    return reply.code(204).send();
  });
  app.delete(routes.session(), async (request, reply) => {
    const principal = assertPrincipal(request);
    // Only a cookie has a session; a program would think that its token is revoked.
    if (principal.kind !== 'session') {
      throw new ApiError('forbidden', {
        message: 'A token has no session to end.',
        hint: 'Revoke the token.',
      });
    }
    await access.signOut(principal);
    cookie.clear(reply);
    return reply.code(204).send();
  });
}
