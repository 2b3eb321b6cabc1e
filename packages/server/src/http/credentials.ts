import { ApiError, pageKeyHeader, tus, unattendedHeader } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import type { OpenConnection, OpeningOptions } from '../access/open-connections.ts';
import type { Principal } from '../access/principal.ts';
import type { Right } from '../access/rules.ts';
import { assertRight } from '../access/rules.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { cutSocket } from './cut-socket.ts';
import { isApiRequest } from './request.ts';
import type { SessionCookie } from './session-cookie.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The authenticated caller; null: none. */
    principal: Principal | null;
    /** Its entry in the registry of open connections; null: no principal. */
    openConnection: OpenConnection | null;
    /** The cookie belongs to a session, but the page key is missing. */
    lacksPageKey: boolean;
  }
}

/** The secret of an `Authorization: Bearer` header, or null. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer ([\w\-.~+/]+=*)$/i.exec(header ?? '')?.[1] ?? null;
}

export interface CredentialsDeps {
  access: Access;
  cookie: SessionCookie;
  connections: ConnectionLimits;
}

/** Authenticates requests to the API. A bearer token takes precedence over a session. */
export function registerCredentials(app: FastifyInstance, deps: CredentialsDeps): void {
  const { access, connections } = deps;
  app.decorateRequest('principal', null);
  app.decorateRequest('openConnection', null);
  app.decorateRequest('lacksPageKey', false);
  app.addHook('onRequest', async (request, reply) => {
    if (!isApiRequest(request)) return;
    await admitRequest({ request, reply, access, connections }, () => findPrincipal(request, deps));
  });
  // A body may arrive slowly, and its request must not be carried out when the rights have ended since.
  app.addHook('preHandler', async (request) => assertStillAllowed(request));
}

export interface Admission extends Pick<CredentialsDeps, 'access' | 'connections'> {
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Every request with a principal is an open connection, from the look-up of the principal to the end of its answer. */
export async function admitRequest(
  { request, reply, access, connections }: Admission,
  find: () => Promise<Principal | null>,
): Promise<void> {
  const opening = access.connections.begin(describeConnection(request, reply));
  try {
    const principal = await find();
    request.openConnection = principal === null ? null : opening.admit(principal);
  } finally {
    opening.abandon();
  }
  request.principal = request.openConnection?.principal ?? null;
  if (request.principal !== null) connections.keep(request.raw.socket);
  request.openConnection?.signal.addEventListener('abort', () => {
    // An error answer is impossible now. An event stream ends with a last chunk of its own.
    if (reply.raw.headersSent && !isEventStream(request)) cutSocket(request.raw.socket);
  });
}

async function findPrincipal(
  request: FastifyRequest,
  { access, cookie }: CredentialsDeps,
): Promise<Principal | null> {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const secret = bearerOf(authorization);
    return secret === null ? null : access.findBearer(secret, request.clientAddress);
  }
  const cookies = request.isForeignPage ? [] : cookie.valuesOf(request.headers);
  const pageKey = request.headers[pageKeyHeader];
  if (typeof pageKey === 'string') {
    const proof = { cookies, named: { pageKey } };
    return access.sessions.find(proof, request.clientAddress, { isUse: isUse(request) });
  }
  const old = request.isForeignPage ? [] : cookie.oldValuesOf(request.headers);
  request.lacksPageKey = await access.sessions.isCookieOf([...cookies, ...old]);
  return null;
}

/**
 * Event streams open again without a person, and the console marks what it asks while its page is unattended. An
 * upload is use in any case.
 */
function isUse(request: FastifyRequest): boolean {
  const { [unattendedHeader]: unattended, 'content-type': type } = request.headers;
  return (unattended === undefined || type === tus.contentType) && !isEventStream(request);
}

const isEventStream = ({ routeOptions }: FastifyRequest): boolean => routeOptions.config.isStream === true;

function describeConnection(request: FastifyRequest, { raw }: FastifyReply): OpeningOptions {
  const { socket } = request.raw;
  return {
    carrier: raw,
    cut: () => cutSocket(socket),
    use: isEventStream(request) ? 'watching' : isUse(request) ? 'traffic' : 'nothing',
    movedBytes: () => socket.bytesRead + socket.bytesWritten,
  };
}

/** @throws ApiError `unauthenticated` if the rights have ended since the request began */
export function assertStillAllowed({ openConnection }: FastifyRequest): void {
  if (openConnection?.signal.aborted === true) throw new ApiError('unauthenticated');
}

/** @throws ApiError `unauthenticated` */
export function assertPrincipal(request: FastifyRequest): Principal {
  if (!request.principal) throw new ApiError(request.lacksPageKey ? 'page_key_missing' : 'unauthenticated');
  return request.principal;
}

/** The principal, if it has the right. @throws ApiError `unauthenticated`, `forbidden` */
export function assertRequestRight(
  request: FastifyRequest,
  right: Right,
  subject?: { owner: string | null },
): Principal {
  const principal = assertPrincipal(request);
  assertRight(principal, right, subject);
  return principal;
}
