import { routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Images } from '../../images/images.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { assertRequestRight } from '../credentials.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Lasts as long as somebody listens. */
    isStream?: boolean;
  }
}

/** Counts every answer, and shows all metrics to administrators and their tokens. */
export function registerMetrics(
  app: FastifyInstance,
  { metrics, images }: { metrics: Metrics; images: Images },
): void {
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode: status, elapsedTime }) => {
    // The pattern: an address holds ids, and whatever somebody tries.
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
