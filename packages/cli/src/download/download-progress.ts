import { createMeter, formatBytes, formatPercent, formatRate, percent } from '@wcc/progress';
import { amountText, timeLeftText } from '@wcc/progress/text';
import type { Display } from '@wcc/progress/terminal';

/** Shows the progress of a download. */
export interface DownloadProgress {
  start(offsetBytes: number, totalBytes: number): void;
  update(offsetBytes: number): void;
}

const redrawMs = 100;

/** A download is not an operation of the server, so its rate and ETA are measured here. */
export function createDownloadProgress(output: Display, name: string): DownloadProgress {
  const meter = createMeter({ halfLifeMs: 10_000 });
  let total = 0;
  let startedAtMs = 0;
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  return {
    start: (offset, totalBytes) => {
      total = totalBytes;
      startedAtMs = performance.now();
      meter.reset(startedAtMs, offset);
      if (offset > 0) output.print(`Resuming at ${formatBytes(offset)} of ${formatBytes(total)}`);
    },
    update: (offset) => {
      const atMs = performance.now();
      if (atMs - drawnAtMs < redrawMs) return;
      drawnAtMs = atMs;
      meter.add({ atMs, done: offset });
      const reading = meter.read(atMs, { total, state: 'running', phaseStartedAtMs: startedAtMs });
      const line = {
        id: name,
        key: 'running',
        name,
        value: (percent(offset, total) ?? 0) / 100,
        percent: `${formatPercent(offset, total) ?? ''} %`,
        parts: [
          amountText(offset, total, 'en'),
          reading.rate === null ? '' : formatRate(reading.rate),
          reading.etaMs === null ? '' : timeLeftText(reading.etaMs, 'en'),
        ],
        look: 'running' as const,
      };
      output.show([line]);
    },
  };
}
