import { PoolError } from './error.ts';

/** Lets few calls of a pool's file system run at a time, and waits for none of them longer than its deadline. */
export interface LookGate {
  /** @throws PoolError `not_responding` after the deadline, and at once while an earlier call has passed its own */
  run<Result>(call: () => Promise<Result>): Promise<Result>;
  /** Whether a call has passed its deadline and still runs. */
  isStuck(): boolean;
}

export interface LookGateOptions {
  /** @default 2 */
  maxRunning?: number;
  /** @default 5000 */
  deadlineMs?: number;
}

/**
 * A call to a disk that hangs keeps one of Node's four threads for files, and nothing can stop it. So a pool gets two of
 * them, and a call that hangs keeps all later ones away until it returns.
 */
export function createLookGate({ maxRunning = 2, deadlineMs = 5_000 }: LookGateOptions = {}): LookGate {
  let running = 0;
  let late = 0;
  const waiting: (() => void)[] = [];

  async function start<Result>(call: () => Promise<Result>, onLate: () => void): Promise<Result> {
    running += 1;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late += 1;
      onLate();
      for (const wake of waiting.splice(0)) wake();
    }, deadlineMs).unref();
    try {
      return await call();
    } finally {
      clearTimeout(timer);
      running -= 1;
      if (isLate) late -= 1;
      waiting.shift()?.();
    }
  }

  return {
    async run(call) {
      while (late === 0 && running >= maxRunning) await new Promise<void>((resolve) => waiting.push(resolve));
      if (late > 0) throw new PoolError('not_responding');
      return new Promise((resolve, reject) => {
        start(call, () => reject(new PoolError('not_responding'))).then(resolve, reject);
      });
    },
    isStuck: () => late > 0,
  };
}
