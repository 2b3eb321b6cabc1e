import type { Session } from '@wcc/api';
import { ApiError, changePasswordRequest, firstSignInRequest, routes, signInRequest } from '@wcc/api';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Access } from '../../access/access.ts';
import type { SignedIn } from '../../access/first-sign-in.ts';
import { sessionAbsoluteMs } from '../../access/sessions.ts';
import { assertPrincipal } from '../credentials.ts';
import { parseBody } from '../parse.ts';

export interface SessionRoutesDeps {
  access: Access;
  cookie: string;
  /** Send the cookie over TLS only. */
  secure: boolean;
  version: string;
}

/** Sign-in, sign-out and password change. */
export function registerSessions(app: FastifyInstance, deps: SessionRoutesDeps): void {
  const { access, cookie, secure, version } = deps;
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
  const limited = { config: { limit: 'signIn', signsIn: true } } as const;

  function welcome(reply: FastifyReply, { session, user }: SignedIn): Session {
    void reply.setCookie(cookie, session.secret, { ...attributes, maxAge: sessionAbsoluteMs / 1000 });
    return { user, expiresInMs: session.expiresAtMs - Date.now(), version };
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
  // Limited like a sign-in, because it tests a password.
  app.put(routes.password(), { config: { limit: 'signIn' } }, async (request, reply) => {
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
    return reply.clearCookie(cookie, attributes).code(204).send();
  });
}
