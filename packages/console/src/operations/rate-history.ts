import type { Snapshot } from '@wcc/progress';

export interface RateSample {
  /** Elapsed time of the operation, by the server's clock. */
  elapsedMs: number;
  /** Units per second. */
  rate: number;
}

const maxCount = 240;

/**
 * The rates of one operation that this page has received. When there are too many, every other one is
 * dropped.
 */
export class RateHistory {
  #samples: RateSample[] = [];
  #everyMs = 0;

  get samples(): readonly RateSample[] {
    return this.#samples;
  }

  add({ rate, elapsedMs, state }: Pick<Snapshot, 'rate' | 'elapsedMs' | 'state'>): void {
    const last = this.#samples.at(-1);
    if (rate === null || state !== 'running') return;
    if (last !== undefined && elapsedMs - last.elapsedMs <= this.#everyMs) return;
    this.#samples.push({ elapsedMs, rate });
    if (this.#samples.length <= maxCount) return;
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    const spanMs = (this.#samples.at(-1)?.elapsedMs ?? 0) - (this.#samples[0]?.elapsedMs ?? 0);
    this.#everyMs = spanMs / this.#samples.length;
  }
}

export interface Sparkline {
  /** Path data of the line; empty with fewer than two samples. */
  line: string;
  /** Path data of the area under the line. */
  area: string;
  /** Highest rate: the top of the chart. */
  peak: number;
}

/** The vertical axis starts at 0, so that a small change looks small. */
export function sparkline(
  samples: readonly RateSample[],
  size: { width: number; height: number },
): Sparkline {
  const first = samples[0];
  const last = samples.at(-1);
  const peak = Math.max(0, ...samples.map(({ rate }) => rate));
  if (first === undefined || last === undefined || first === last || peak <= 0)
    return { line: '', area: '', peak };
  const spanMs = Math.max(1, last.elapsedMs - first.elapsedMs);
  const points = samples.map(({ elapsedMs, rate }) => {
    const x = ((elapsedMs - first.elapsedMs) / spanMs) * size.width;
    const y = size.height * (1 - rate / peak);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const line = `M${points.join('L')}`;
  return { line, area: `${line}L${size.width},${size.height}L0,${size.height}Z`, peak };
}
