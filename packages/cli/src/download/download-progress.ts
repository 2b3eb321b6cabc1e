import { createMeter, formatBytes, formatPercent, formatRate, percent } from '@wcc/progress';
import { textOf } from '@wcc/progress/words';
import { roundEta } from '@wcc/progress';
import type { Show } from '../follow/progress-output.ts';

/** Tells how far a download is. */
export interface Report {
  begin(offsetBytes: number, totalBytes: number): void;
  moved(offsetBytes: number): void;
}

const redrawMs = 100;
const text = textOf('en');

/** A download is no operation of the server: its numbers are made here, by the same meter. */
export function createReport(show: Show, name: string): Report {
  const meter = createMeter({ halfLifeMs: 10_000 });
  let total = 0;
  let startedAtMs = 0;
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  return {
    begin: (offset, totalBytes) => {
      total = totalBytes;
      startedAtMs = performance.now();
      meter.reset(startedAtMs, offset);
      if (offset > 0) show.say(`Going on at ${formatBytes(offset)} of ${formatBytes(total)}`);
    },
    moved: (offset) => {
      const atMs = performance.now();
      if (atMs - drawnAtMs < redrawMs) return;
      drawnAtMs = atMs;
      meter.add({ atMs, done: offset });
      const reading = meter.read(atMs, { total, state: 'running', phaseStartedAtMs: startedAtMs });
      const line = {
        name,
        value: (percent(offset, total) ?? 0) / 100,
        percent: `${formatPercent(offset, total) ?? ''} %`,
        parts: [
          text.amount(formatBytes(offset, { rounding: 'down' }), formatBytes(total)),
          reading.rate === null ? '' : formatRate(reading.rate),
          reading.etaMs === null ? '' : text.left(roundEta(reading.etaMs)),
        ],
        look: 'running' as const,
      };
      show.update(line, 'running');
    },
  };
}
