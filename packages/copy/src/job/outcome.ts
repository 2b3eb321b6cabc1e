import { withCallersStack } from '../contract/errors.ts';
import { reportIntervalMs } from './run-watched.ts';

/** The end of a job, for those who await it and those who loop over its progress. */
export interface Outcome<Result> {
  readonly done: Promise<Result>;
  /** The loop of a job: the progress now, every 100 ms, and once more after the success. Throws the failure. */
  watch<Progress>(read: () => Progress): AsyncGenerator<Progress, void>;
}

/**
 * A failure is never lost: when nothing awaits `done` and no loop delivers it, Node reports an unhandled rejection.
 * A loop handles the failure, so `done` exists only once a caller reads it; otherwise each failure that a loop has
 * thrown would also be an unhandled rejection of `done`.
 */
export function createOutcome<Result>(work: Promise<Result>): Outcome<Result> {
  let exposed: Promise<Result> | null = null;
  let loops = 0;
  let hasFailed = false;
  const follow = async (): Promise<Result> => {
    try {
      return await work;
    } catch (error) {
      throw withCallersStack(error);
    }
  };
  const expose = (): Promise<Result> => (exposed ??= follow());
  const reportIfUnheard = (): void => {
    if (hasFailed && loops === 0) void expose();
  };
  work.catch(() => {
    hasFailed = true;
    reportIfUnheard();
  });
  return {
    get done() {
      return expose();
    },
    async *watch(read) {
      let isDelivered = false;
      loops += 1;
      try {
        let isRunning = true;
        const end = work.finally(() => (isRunning = false)).catch(() => {});
        while (isRunning) {
          yield read();
          await sleepUntil(end);
        }
        isDelivered = true;
        await follow();
        yield read();
      } finally {
        loops -= 1;
        if (!isDelivered) reportIfUnheard();
      }
    },
  };
}

/** Waits for the next report, or less if the work ends. */
async function sleepUntil(end: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const next = new Promise((resolve) => {
    timer = setTimeout(resolve, reportIntervalMs);
  });
  await Promise.race([end, next]);
  clearTimeout(timer);
}
