// Replace this file by your own sign-in. Here every visitor gets a cookie and an identity without a password.
import { randomBytes } from 'node:crypto';

const users = new Map();

/** The session of a request by its cookie, or `null`. */
export function sessionOf({ headers }) {
  const session = /\bsid=([\w-]{43})\b/.exec(headers.cookie ?? '')?.[1];
  return users.has(session) ? session : null;
}

/** The visitor of a request. A new visitor gets a cookie with the answer. */
export function visitorOf(request, response) {
  const session = sessionOf(request) ?? randomBytes(32).toString('base64url');
  if (!users.has(session)) {
    users.set(session, `visitor-${users.size + 1}`);
    response.setHeader('set-cookie', `sid=${session}; HttpOnly; SameSite=Strict; Path=/`);
  }
  return { session, user: users.get(session) };
}
