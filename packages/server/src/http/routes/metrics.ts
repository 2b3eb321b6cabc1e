import { routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Images } from '../../images/images.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { assertRequestRight } from '../credentials.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer lasts until the client leaves. */
    isStream?: boolean;
  }
}

/** Counts every answer and serves the metrics to administrators and their tokens. */
export function registerMetrics(
  app: FastifyInstance,
  { metrics, images }: { metrics: Metrics; images: Images },
): void {
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode: status, elapsedTime }) => {
    // The route pattern, because an address contains ids and arbitrary text.
    const { url: route = 'none', config } = routeOptions;
    metrics.recordRequest({
      route,
      method,
      status,
      durationMs: elapsedTime,
      isStream: config.isStream === true,
    });
  });
  app.get(routes.metrics(), async (request, reply) => {
    const principal = assertRequestRight(request, 'metrics.read');
    const { items } = await images.pools(principal);
    const text = await metrics.text(items);
    return reply.type(metrics.contentType).send(text);
  });
}
