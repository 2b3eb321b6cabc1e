import { versionHeader } from '@wcc/api';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { isApiRequest } from './request.ts';

/** Only own files, no inline script or style, and no script from a string (docs/security.md). */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:', 'blob:'],
    connectSrc: ["'self'"],
    // The form of a download, and the frame that it is posted into.
    frameSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
  },
};

const permissions = ['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'usb'];

/** Sets security headers on every answer, including errors. */
export async function registerHeaders(
  app: FastifyInstance,
  { hsts, version }: { hsts: boolean; version: string },
): Promise<void> {
  await app.register(helmet, {
    global: true,
    contentSecurityPolicy,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
    // The console's page relaxes it to `same-origin`, because the Origin of its own form would be `null`.
    referrerPolicy: { policy: 'no-referrer' },
    hsts: hsts ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  });
  const permissionsPolicy = permissions.map((feature) => `${feature}=()`).join(', ');
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('permissions-policy', permissionsPolicy);
    void reply.header('x-request-id', request.id);
    if (isApiRequest(request)) void reply.headers({ 'cache-control': 'no-store', [versionHeader]: version });
  });
}
