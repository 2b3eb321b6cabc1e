import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

const resolutionMs = 10;
const quantiles = [0.5, 0.99, 1];

/** Measures the event-loop lag since the last scrape. @returns stops it */
export function registerEventLoopLag(registry: Registry): () => void {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  registry.registerMetric(
    new Gauge({
      name: 'wcc_event_loop_lag_seconds',
      help: 'Lateness of the event loop since the last scrape; quantile 1 is the worst.',
      registers: [],
      labelNames: ['quantile'],
      collect() {
        // The measured delay includes the resolution.
        const lagSeconds = (ns: number): number => Math.max(0, ns / 1e6 - resolutionMs) / 1000;
        for (const quantile of quantiles) {
          const measured = quantile === 1 ? delays.max : delays.percentile(quantile * 100);
          this.set({ quantile: String(quantile) }, lagSeconds(measured));
        }
        delays.reset();
      },
    }),
  );
  return () => void delays.disable();
}
