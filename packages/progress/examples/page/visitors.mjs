// Replace this file by your own sign-in. Here every visitor gets a cookie and an identity without a password.
import { randomBytes } from 'node:crypto';

const users = new Map();

/** The visitor of a request by its cookie, or `null`: the option `user` of `serveProgress`. */
export function visitorOf({ headers }) {
  const session = /\bsid=([\w-]{43})\b/.exec(headers.cookie ?? '')?.[1];
  return users.has(session) ? { id: users.get(session), session } : null;
}

/** The visitor of a request. A new visitor gets a cookie with the answer. */
export function welcome(request, response) {
  const known = visitorOf(request);
  if (known !== null) return known;
  const session = randomBytes(32).toString('base64url');
  users.set(session, `visitor-${users.size + 1}`);
  response.setHeader('set-cookie', `sid=${session}; HttpOnly; SameSite=Strict; Path=/`);
  return { id: users.get(session), session };
}
